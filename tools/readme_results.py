"""Writes a run as a leaderboard and puts its table and picture into the README.

    python tools/readme_results.py runs/librispeech-60
    python tools/readme_results.py runs/neural-ljspeech --leaderboard neural-ljspeech \
        --title "Neural codecs on LJSpeech"

    python tools/readme_results.py runs/demo --first-screen

The picture is PESQ-WB over counted bit rate with 95 % intervals; the README's table has the
columns that most papers report, ``leaderboards/classical-librispeech.md`` all of them. With
``--leaderboard`` only that leaderboard is written, with ``--first-screen`` only the table that the
README's first command prints, in the same columns.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
from pathlib import Path

import codecbench
from codecbench.figures.canvas import drawing, save
from codecbench.figures.rates import draw_rates
from codecbench.reports.formats import render
from codecbench.results.run_folder import Run

ROOT = Path(__file__).parents[1]
COLUMNS = ("kbps", "pesq_wb", "stoi", "visqol", "dnsmos_ovrl", "spk_sim", "f0_rmse", "mcd")
PICTURE = ROOT / "docs" / "images" / "rate_pesq.png"
LEADERBOARD = "classical-librispeech"
TITLE = "Classical and neural codecs on LibriSpeech, all metrics"
_LEADERBOARD = re.compile(r"(?<=<!-- leaderboard -->\n).*?(?=\n## )", flags=re.DOTALL)
_FIRST_SCREEN = re.compile(r"(?<=<!-- first screen -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def draw(run: Run) -> None:
    """Draw PESQ-WB over counted rate, as ``codecbench figure rates`` does."""
    with drawing():
        save(draw_rates(run, ["pesq_wb"]), PICTURE)


def write_table(run: Run, where: re.Pattern[str]) -> None:
    """Replace one of the README's tables, between marks."""
    text = render(run.table(metrics=COLUMNS), "markdown")
    readme = ROOT / "README.md"
    section = f"{text.strip()}\n"
    readme.write_text(where.sub(lambda _: section, readme.read_text(encoding="utf-8")))


def write_leaderboard(run: Run, name: str, title: str) -> None:
    """Write all columns, how they came about, and the list of utterances to replay."""
    path = ROOT / "leaderboards" / f"{name}.md"
    session = run.manifest.sessions[-1]
    versions = ", ".join(f"{package} {version}" for package, version in session.packages.items())
    words = ["codecbench", *session.command[1:]]
    words[words.index("--out") + 1] = f"runs/{name}"
    command = " ".join(map(shlex.quote, words))
    path.write_text(
        f"# {title}\n\n"
        f"{len(run.order)} codecs on the utterances of `{name}.utterances.csv`, by\n\n"
        f"```sh\n{command}\n```\n\n{render(run.table(), 'markdown').strip()}\n\n"
        f"{session.cpu}, Python {session.python}. {versions}.\n",
        encoding="utf-8",
    )
    shutil.copyfile(run.path / "utterances.csv", path.with_name(f"{name}.utterances.csv"))


def main() -> None:
    """Read the run and write what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--leaderboard", help="write only this one, a name without suffix")
    parser.add_argument("--title", default=TITLE, help="of the leaderboard")
    parser.add_argument("--first-screen", action="store_true", help="write only that table")
    arguments = parser.parse_args()
    run = codecbench.load_run(arguments.run)
    if arguments.first_screen:
        write_table(run, _FIRST_SCREEN)
        return
    if arguments.leaderboard is None:
        draw(run)
        write_table(run, _LEADERBOARD)
    write_leaderboard(run, arguments.leaderboard or LEADERBOARD, arguments.title)


if __name__ == "__main__":
    main()
