"""Puts the tables of committed results into the README, and the picture into docs/.

    python tools/readme_results.py
    python tools/readme_results.py --check

The first screen is what `codecbench run --codec pscodec` prints, shortened, from the leaderboard
``demo``; the other table and the picture (PESQ-WB over counted rate with 95 % intervals) are of
``speech-16k`` on LibriSpeech. With ``--check`` nothing is written, and stale tables are exit
status 1.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from codecbench.figures.canvas import drawing, save
from codecbench.figures.rates import draw_rates
from codecbench.leaderboard.boards import tables_of
from codecbench.leaderboard.definition import DEFAULT_FOLDER, Definition, read_definition
from codecbench.leaderboard.results import canonical, results_of
from codecbench.reports.formats import render
from codecbench.reports.table import Table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "rate_pesq.png"
FIRST_CODEC = "pscodec"
_FIRST_SCREEN = re.compile(r"(?<=<!-- first screen -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)
_LEADERBOARD = re.compile(r"(?<=<!-- leaderboard -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def board_named(name: str) -> Definition:
    """Read one of the repository's leaderboards of measurements."""
    board = read_definition(ROOT / DEFAULT_FOLDER / f"{name}.toml")
    assert isinstance(board, Definition)
    return board


def first_screen() -> Table:
    """Return the table of the README's first command."""
    board = board_named("demo")
    run = results_of(board, board.corpora[0])
    return run.table(metrics=board.shown, codecs=canonical([FIRST_CODEC]))


def leaderboard() -> Table:
    """Return the table of LibriSpeech."""
    board = board_named("speech-16k")
    return tables_of(board, board.shown)[board.corpora[0].name]


def readme() -> str:
    """Return the README with the tables of the results."""
    text = README.read_text(encoding="utf-8")
    for where, table in ((_FIRST_SCREEN, first_screen()), (_LEADERBOARD, leaderboard())):
        written = f"{render(table, 'markdown').strip()}\n"
        text, count = where.subn(lambda _, written=written: written, text)  # type: ignore[misc]
        assert count == 1, f"README: {where.pattern} occurs {count} times"
    return text


def draw() -> None:
    """Draw PESQ-WB over counted rate, as ``codecbench figure rates`` does."""
    board = board_named("speech-16k")
    run = results_of(board, board.corpora[0])
    with drawing():
        save(draw_rates(run, ["pesq_wb"], canonical(board.codecs)), PICTURE)


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for, or check it; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail where the README is stale")
    if parser.parse_args(arguments).check:
        is_stale = readme() != README.read_text(encoding="utf-8")
        if is_stale:
            print("README.md is stale: python tools/readme_results.py writes its tables anew")
        return int(is_stale)
    README.write_text(readme(), encoding="utf-8")
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
