"""What the project's Markdown shows: blocks of code, command lines."""

import re
import shlex
from pathlib import Path

import typer

from codecbench.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "adapters").glob("*/README.md")),
    *sorted((ROOT / "leaderboards").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
]
PROGRAM = "codecbench"
_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page, language=None):
    """Return the fenced blocks of a page, of one language if it is given."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, text in found if language in (None, name)]


def commands(page):
    """Return the words of each codecbench command that stands on a line of its own."""
    lines = "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
    single = [part.strip() for line in lines for part in line.split(" && ")]
    return [
        shlex.split(line, comments=True)[1:] for line in single if line.startswith(f"{PROGRAM} ")
    ]


def spans(page):
    """Return the words of each codecbench command that stands between backticks in a text."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [
        " ".join(text.split()).split(" ")[1:]
        for text in re.findall(rf"`({PROGRAM}\s[^`]+)`", prose)
    ]


def leaves(command, path=()):
    """Yield the path and object of every command that is no group."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from leaves(one, (*path, name))


COMMANDS = dict(leaves(typer.main.get_command(app)))


def command_of(words):
    """Return the path and object of the command that words call; None if there is none."""
    for path, command in COMMANDS.items():
        if tuple(words[: len(path)]) == path:
            return path, command
    return None
