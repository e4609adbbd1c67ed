"""Every command with its options and examples, out of the command line's own help."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import typer

from codecbench.cli.main import app
from codecbench.reports.formats.markdown import escape

PROGRAM = "codecbench"
_EXAMPLES = re.compile(r"```\n(.*?)```", re.DOTALL)
_INDENT = re.compile(r"^ +", re.MULTILINE)


@functools.cache
def commands_markdown() -> str:
    """Return a section for each command, in the order in which help shows them."""
    application = typer.main.get_command(app)
    with application.make_context(PROGRAM, [], resilient_parsing=True) as context:
        leaves = list(_leaves(application, context))
        return "\n\n".join(_section(command, inner) for command, inner in leaves)


def _leaves(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every command that is no group, with its context."""
    if not hasattr(command, "commands"):
        yield command, context
        return
    for name, one in command.commands.items():
        inner = one.make_context(name, [], parent=context, resilient_parsing=True)
        yield from _leaves(one, inner)


def _section(command: Any, context: Any) -> str:
    pieces = " ".join(command.collect_usage_pieces(context))
    usage = f"```text\n{context.command_path} {pieces}\n```"
    return "\n\n".join(
        [f"## {context.command_path}", usage, _text(command.help), _options(command, context)]
    )


def _text(help_text: str) -> str:
    """Write the help as Markdown: its first sentences are indented as in the source."""
    parts = _EXAMPLES.split(help_text.strip())
    return "".join(
        f"```sh\n{part}```" if index % 2 else _INDENT.sub("", part)
        for index, part in enumerate(parts)
    )


def _options(command: Any, context: Any) -> str:
    params = [param for param in command.get_params(context) if "--help" not in param.opts]
    records = filter(None, (param.get_help_record(context) for param in params))
    lines = [f"| `{names}` | {escape(meaning)} |" for names, meaning in records]
    return "\n".join(["| argument or option | meaning |", "| --- | --- |", *lines])
