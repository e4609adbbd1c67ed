"""`codecbench leaderboard build` and `check`: what is measured, written, and found stale."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from filelock import FileLock, Timeout

import codecbench
from codecbench.leaderboard import build as building
from codecbench.leaderboard import timings as timing
from codecbench.results.run_folder import LOCK, load_run
from codecbench.results.schema import TEXT_COLUMNS

from .board_commands import build, change, check, show
from .conftest import DEFINITION

RUN = "results/three"


def test_page_and_overview_hold_the_tables(built):
    page = (built / "small.md").read_text()
    assert page.startswith("# Small\n")
    assert "Three *utterances*." in page
    assert "| opus:kbps=12 |" in page
    assert "STOI" in page
    assert "SI-SDR" in page
    readme = (built / "README.md").read_text()
    assert "[Small](small.md)" in readme
    assert "[Of papers](papers.md)" in readme
    assert "SI-SDR" not in readme, "the overview shows its own columns alone"
    assert readme.endswith("<!-- end -->\n\nThe end.\n")


def test_numbers_are_those_of_the_run(built):
    cell = load_run(built / RUN).table(metrics=["stoi"]).rows[0].cells["stoi"]
    assert f"{cell.value:.3f}" in (built / "small.md").read_text()


def test_rows_are_sorted_and_anchors_stand_last(built):
    lines = [line for line in (built / "small.md").read_text().splitlines() if line[:2] == "| "]
    names = [line.split("|")[1].strip() for line in lines]
    rows = [name for name in names if name.startswith(("opus", "mulaw", "identity"))]
    ranked = load_run(built / RUN).table(metrics=["stoi"]).rows
    stoi = {row.codec.partition(",")[0]: row.cells["stoi"].value for row in ranked}
    assert rows[:2] == sorted(["opus:kbps=12", "opus:kbps=6"], key=lambda name: -stoi[name])
    assert set(rows[2:]) == {"mulaw", "identity"}


def test_published_numbers_are_shown_as_published(built):
    page = (built / "papers.md").read_text()
    assert "## arXiv 1234.5678" in page
    assert "**Table 2, demo**" in page
    assert "| Opus |  | 6 | 0.90 | 2.1 |" in page
    assert "| Opus | wide |  | 3 |" in page
    assert "read from a plot" in page


def test_results_are_one_file_without_machine_paths(built):
    assert len(list((built / RUN / "rows").iterdir())) == 1
    command = load_run(built / RUN).manifest.sessions[0].command
    assert "/" not in command[0]
    assert str(Path(codecbench.__file__).parents[1]) not in (built / RUN / "audio.json").read_text()


def test_nothing_is_measured_twice(boards, monkeypatch, capsys):
    def fail(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr(building, "execute", fail)
    before = {path: path.stat().st_mtime_ns for path in boards.rglob("*")}
    assert build(boards) == 0
    assert before == {path: path.stat().st_mtime_ns for path in boards.rglob("*")}
    assert "says already" in capsys.readouterr().err


def test_only_what_is_added_is_measured(boards):
    change(boards / "small.toml", '"mulaw"', '"mulaw", "lowpass"')
    assert check(boards) == 1
    assert build(boards, "small") == 0
    assert "| lowpass:hz=3500 |" in (boards / "small.md").read_text()
    assert len(list((boards / RUN / "rows").iterdir())) == 1
    assert check(boards) == 0


def test_check_finds_no_fault_in_what_was_built(built, capsys):
    assert check(built) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["small.md", "papers.md", "README.md"])
def test_check_names_a_page_that_says_something_else(boards, name, capsys):
    change(boards / name, "Opus" if name == "papers.md" else "opus", "0pus")
    assert check(boards) == 1
    assert f"{name} is stale" in capsys.readouterr().out
    assert build(boards) == 0
    assert check(boards) == 0


def test_check_names_missing_numbers(boards, capsys):
    change(boards / "small.toml", '"mulaw"', '"g722"')
    assert check(boards) == 1
    assert "numbers of g722 are missing for 3 utterances" in capsys.readouterr().out


def test_another_implementation_is_stale_until_it_is_replaced(boards, capsys):
    path = boards / RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    spec = next(spec for spec in manifest["codecs"] if spec.startswith("opus:kbps=6"))
    manifest["codecs"][spec]["identity"] = "0123456789abcdef"
    path.write_text(json.dumps(manifest))
    assert check(boards) == 1
    assert f"{spec} has another implementation" in capsys.readouterr().out
    assert build(boards) == 2
    assert "--replace-changed" in capsys.readouterr().err
    assert build(boards, "--replace-changed") == 0
    assert check(boards) == 0
    assert load_run(boards / RUN).manifest.codecs[spec].identity != "0123456789abcdef"


def test_another_definition_is_stale(boards, capsys):
    path = boards / RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metrics"]["stoi"]["identity"] = "0123456789abcdef"
    path.write_text(json.dumps(manifest))
    assert check(boards) == 1
    assert "the definition of stoi has changed" in capsys.readouterr().out


@pytest.mark.parametrize(("key", "value"), [("protocol", 0), ("resampler", "linear")])
def test_another_protocol_is_stale_until_all_is_measured_anew(boards, capsys, key, value):
    path = boards / RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, key: value}))
    assert check(boards) == 1
    assert "another protocol" in capsys.readouterr().out
    assert build(boards) == 2
    page = (boards / "small.md").read_text()
    assert build(boards, "--replace-changed") == 0
    assert check(boards) == 0
    assert (boards / "small.md").read_text() == page


def test_results_are_replaced_in_parts_without_texts(boards):
    """As those were that an earlier version wrote."""
    (part,) = (boards / RUN / "rows").iterdir()
    pq.write_table(pq.read_table(part).drop_columns(list(TEXT_COLUMNS)), part)
    path = boards / RUN / "manifest.json"
    change(path, load_run(boards / RUN).manifest.metrics["stoi"].identity, "0123456789abcdef")
    assert build(boards, "--replace-changed") == 0
    assert check(boards) == 0


def test_a_build_killed_before_it_was_tidy_is_made_tidy(boards, monkeypatch):
    monkeypatch.setattr(building, "_tidy", lambda path: None)
    change(boards / "small.toml", '"mulaw"', '"mulaw", "lowpass"')
    assert build(boards) == 0
    monkeypatch.undo()
    assert len(list((boards / RUN / "rows").iterdir())) > 1
    assert '"path": "' in (boards / RUN / "audio.json").read_text()
    assert build(boards) == 0
    assert len(list((boards / RUN / "rows").iterdir())) == 1
    assert '"path": "' not in (boards / RUN / "audio.json").read_text()


def test_results_are_made_tidy_while_no_one_else_writes(boards, monkeypatch):
    taken = []

    def merge(folder, *_, **__):
        try:
            FileLock(folder.parent / LOCK, is_singleton=False).acquire(timeout=0)
        except Timeout:
            taken.append(folder)

    monkeypatch.setattr(building, "merge_parts", merge)
    assert build(boards) == 0
    assert taken


def test_boards_that_share_results_are_measured_anew_together(boards):
    other = DEFINITION.replace('title = "Small"', 'title = "Other"').replace('"mulaw"', '"g722"')
    (boards / "other.toml").write_text(other)
    assert build(boards) == 0
    path = boards / RUN / "manifest.json"
    change(path, load_run(boards / RUN).manifest.metrics["stoi"].identity, "0123456789abcdef")
    before = (boards / "README.md").read_text()
    assert build(boards, "small", "--replace-changed") == 0
    assert (boards / "README.md").read_text() == before
    assert check(boards) == 0


def test_a_list_that_lost_utterances_is_refused(boards, capsys):
    path = boards / "three.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert build(boards) == 2
    assert "give the list another name" in capsys.readouterr().err


def test_bands_do_not_go_with_tables_by_metric(boards, capsys):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\nlayout = "corpora"\nbands = [9]')
    assert build(boards) == 2
    assert "bands belong to tables by corpus" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", '{"mulaw": {}}', "{"])
def test_damaged_timings_are_said(boards, capsys, text):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\nproperties = ["rtf_encode"]')
    (boards / "results" / "speed.json").write_text(text)
    assert build(boards) == 2
    assert "speed.json is damaged" in capsys.readouterr().err


def test_other_audio_is_refused(boards, capsys):
    path = boards / "three.csv"
    first = path.read_text().splitlines()[1]
    change(path, first[-64:], "0" * 64)
    assert check(boards) == 1
    assert "its utterances are not those of three.csv" in capsys.readouterr().out
    assert build(boards) == 2
    assert "is not what was listed" in capsys.readouterr().err


def test_a_codec_above_the_rate_is_left_out_and_named(boards):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\nmax_kbps = 20')
    assert build(boards) == 0
    page = (boards / "small.md").read_text()
    assert "counted rate is above 20 kbit/s: mulaw" not in page, "anchors stay"
    change(boards / "small.toml", "max_kbps = 20", "max_kbps = 8")
    assert build(boards) == 0
    page = (boards / "small.md").read_text()
    assert "counted rate is above 8 kbit/s: opus:kbps=12" in page
    assert "| opus:kbps=12 |" not in page


def test_a_codec_that_is_not_causal_is_refused_among_causal_ones(boards, capsys):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\ncausal = true')
    assert check(boards) == 0, "all of them are"
    path = boards / RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    for spec, entry in manifest["codecs"].items():
        entry["card"]["causal"] &= not spec.startswith("opus:kbps=6")
    path.write_text(json.dumps(manifest))
    assert check(boards) == 2
    assert "is not causal" in capsys.readouterr().err


def test_tables_by_metric_have_a_column_a_corpus(boards):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\nlayout = "corpora"')
    assert build(boards) == 0
    page = (boards / "small.md").read_text()
    assert "## STOI ↑" in page
    assert "| codec | demo ↑ |" in page
    assert page.count("95 % interval") == 1, "the notes are shared"


def test_properties_are_columns(boards, monkeypatch):
    def timed(request):
        assert request.corpus == "demo"
        once = {"rtf": 0.01, "rtf_wall": 0.01, "repeats": [1.0] * 5}
        return {
            "codec": request.codec, "encode": once, "decode": once, "rtf_encode": 0.0123,
            "rtf_decode": 0.0045, "audio_seconds": 9.0, "utterances": 5, "notes": ["busy machine"],
            "hardware": {"cpu": "a processor"},
        }  # fmt: skip

    monkeypatch.setattr(timing, "measure_apart", timed)
    change(
        boards / "small.toml",
        'sort = "stoi"',
        'sort = "latency_ms"\nproperties = ["latency_ms", "rtf_encode"]',
    )
    assert check(boards) == 1
    assert build(boards) == 0
    page = (boards / "small.md").read_text()
    assert "algorithmic latency ↓ (ms)" in page
    assert "| 26.5 | 0.0123 |" in page
    assert "busy machine" in page
    assert "a processor" in page
    assert check(boards) == 0


def test_a_leaderboard_is_shown_without_measuring(built, capsys):
    assert show(built, "small", "--format", "csv", "--all") == 0
    out = capsys.readouterr().out
    assert "si_sdr" in out
    assert show(built, "small", "--only", "demo", "--format", "markdown") == 0
    out = capsys.readouterr().out
    assert "STOI" in out
    assert "SI-SDR" not in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["small", "--only", "nowhere"], "no table 'nowhere' (it has demo)"),
        (["papers"], "holds published numbers"),
        (["none"], "there is no leaderboard 'none'"),
    ],
)
def test_what_cannot_be_shown_is_said(built, capsys, arguments, why):
    assert show(built, *arguments) == 2
    assert why in capsys.readouterr().err


def test_a_table_by_metric_names_the_metric(boards, capsys):
    change(boards / "small.toml", 'sort = "stoi"', 'sort = "stoi"\nlayout = "corpora"')
    assert build(boards) == 0
    capsys.readouterr()
    for kind in ("rich", "markdown", "latex"):
        assert show(boards, "small", "--format", kind) == 0
        assert "STOI" in capsys.readouterr().out
    assert show(boards, "small", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["metric"] for row in rows} == {"stoi"}
    assert {row["corpus"] for row in rows} == {"demo"}


def test_a_corpus_named_twice_is_refused(boards, capsys):
    with (boards / "small.toml").open("a") as file:
        file.write('\n[[corpora]]\nname = "demo"\nutterances = "three.csv"\n')
    assert build(boards) == 2
    assert "name each corpus once" in capsys.readouterr().err


def test_lists_of_one_name_are_not_mixed(boards, capsys):
    (boards / "sub").mkdir()
    lines = (boards / "three.csv").read_text().splitlines(keepends=True)
    (boards / "sub" / "three.csv").write_text("".join(lines[:-1]))
    other = DEFINITION.replace('"three.csv"', '"sub/three.csv"')
    (boards / "other.toml").write_text(other)
    assert build(boards, "other") == 2
    assert "give the list another name" in capsys.readouterr().err
    assert not (boards / "other.md").exists()
