"""Which function answers which command."""

from __future__ import annotations

import typer

from . import (
    bd,
    bench_speed,
    codebook,
    coding,
    compare,
    data,
    describe,
    doctor,
    export,
    figure,
    leaderboard,
    list_,
    listen,
    measure,
    rank,
    report,
    run,
    site,
    stream,
    table,
    train,
)


def register(app: typer.Typer) -> None:
    """Add every command to the application, in the order in which help shows them."""
    app.command("run")(run.run)
    app.command("report")(report.report)
    app.command("table")(table.table)
    app.command("figure")(figure.figure)
    app.command("export")(export.export)
    app.command("rank")(rank.rank)
    app.command("bd")(bd.bd)
    app.command("compare")(compare.compare)
    app.command("site")(site.site)
    app.add_typer(leaderboard.app, name="leaderboard")
    app.add_typer(listen.app, name="listen")
    app.command("measure")(measure.measure)
    app.command("encode")(coding.encode)
    app.command("decode")(coding.decode)
    app.command("stream")(stream.stream)
    app.command("bench-speed")(bench_speed.bench_speed)
    app.command("codebook")(codebook.codebook)
    app.command("train")(train.train)
    app.command("list")(list_.list_)
    app.command("describe")(describe.describe)
    app.add_typer(data.app, name="data")
    app.command("doctor")(doctor.doctor)
