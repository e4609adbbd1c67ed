"""The commands that tests of leaderboards give."""

from pathlib import Path

import pytest

from codecbench.cli.main import main


def build(folder: Path, *arguments: str) -> object:
    """Build; return the exit status."""
    return _status("build", "--folder", str(folder), "--jobs", "1", *arguments)


def check(folder: Path) -> object:
    """Check; return the exit status."""
    return _status("check", "--folder", str(folder))


def show(folder: Path, *arguments: str) -> object:
    """Show; return the exit status."""
    return _status("show", "--folder", str(folder), *arguments)


def _status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", *arguments])
    return ended.value.code


def change(path: Path, before: str, after: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
