"""``--help``: its examples can be pasted as they are shown."""

import re
import shlex

import pytest

from codecbench.cli.main import main

from ..documentation.markdown import COMMANDS

LAST_COLUMN = 80


assert ("data", "fetch") in COMMANDS


def examples_of(command):
    return [
        line
        for block in re.findall(r"```\n(.*?)```", command.help, flags=re.DOTALL)
        for line in block.splitlines()
    ]


@pytest.fixture(params=COMMANDS, ids=" ".join)
def path(request):
    return request.param


def test_examples_are_shown_verbatim_on_a_narrow_terminal(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(LAST_COLUMN))
    monkeypatch.setenv("TERMINAL_WIDTH", str(LAST_COLUMN))
    with pytest.raises(SystemExit) as ended:
        main([*path, "--help"])
    assert ended.value.code == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, shown)) <= LAST_COLUMN
    examples = examples_of(COMMANDS[path])
    assert examples
    for example in examples:
        assert shown.count(example) == 1


def test_examples_are_commands_that_parse(path):
    for example in examples_of(COMMANDS[path]):
        program, *words = shlex.split(example)
        assert program == "codecbench"
        assert tuple(words[: len(path)]) == path
        COMMANDS[path].make_context(path[-1], words[len(path) :])


def test_every_command_line_in_the_help_is_such_an_example(path):
    prose = re.sub(r"```\n.*?```", "", COMMANDS[path].help, flags=re.DOTALL)
    assert not re.search(r"^\s*codecbench ", prose, flags=re.MULTILINE)


def test_help_has_no_markup_of_docstrings(path):
    texts = [COMMANDS[path].help, *(item.help or "" for item in COMMANDS[path].params
                                    if hasattr(item, "help"))]  # fmt: skip
    assert not any(re.search(r"(?<!`)``(?!`)", text) for text in texts)
