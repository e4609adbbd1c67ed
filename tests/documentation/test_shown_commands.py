"""Every codecbench command that the project's Markdown shows is one."""

import pytest

from codecbench.cli.main import app

from .markdown import PAGES, ROOT, command_of, commands, spans

APPLICATION_OPTIONS = {"--debug", "--version", "--help", "--install-completion"}


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_command_lines_parse(page):
    for words in commands(page):
        found = command_of(words)
        assert found is not None, words
        path, command = found
        command.make_context(path[-1], words[len(path) :])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_text_are_there_with_their_options(page):
    for words in spans(page):
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if words[0] in APPLICATION_OPTIONS or words[0].isupper():
            continue
        found = command_of(words)
        if found is None:
            assert words[0] in {group.name for group in app.registered_groups}, words
            continue
        known = {name for param in found[1].params for name in param.opts}
        assert options <= known | APPLICATION_OPTIONS, words


def test_pages_show_commands():
    shown = [words for page in PAGES for words in commands(page)]
    assert {"run", "report", "table", "data", "train", "rank"} <= {words[0] for words in shown}
