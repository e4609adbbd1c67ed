"""The command ``codecbench``: registers the commands and turns errors into one line."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import CodecbenchError
from . import commands

app = typer.Typer(
    name="codecbench",
    help=(
        "Evaluate speech codecs: real bits, honest protocol, statistics.\n\n"
        "Start with: codecbench run --codec opus"
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.register(app)

# typer may carry a click of its own; its exceptions are found through those it makes public.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
_ClickError: type[Exception] = _UsageError.__bases__[0]

EXIT_WRONG_USE = 2
EXIT_INTERNAL = 1
EXIT_INTERRUPTED = 130
MAX_MESSAGE = 2000
"""Characters of a message; one that quotes a stranger's file loses its middle."""
_INTERRUPTED = "interrupted; the same command continues"


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"codecbench {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", envvar="CODECBENCH_DEBUG"),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; what a user did wrong is one line and exit status 2."""
    signal.signal(signal.SIGTERM, _terminate)
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments or bool(os.environ.get("CODECBENCH_DEBUG"))
    # `--debug` may stand anywhere, as users append it to the command that failed.
    arguments = [argument for argument in arguments if argument != "--debug"]
    sys.exit(_run(arguments, debug))


def _terminate(number: int, frame: object) -> None:
    """Let SIGTERM end a command as Ctrl-C does: what is computed is written first."""
    raise KeyboardInterrupt


def _run(arguments: list[str], debug: bool) -> int:
    try:
        status = app(args=arguments, prog_name="codecbench", standalone_mode=False)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        return _say(_INTERRUPTED, EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERNAL
    except Exception as error:
        if debug:
            raise
        return _explain(error)
    if status == EXIT_INTERRUPTED:  # typer turns Ctrl-C into this status
        return _say(_INTERRUPTED, EXIT_INTERRUPTED)
    return status if isinstance(status, int) else 0


def _explain(error: Exception) -> int:
    if isinstance(error, _ClickError):
        return _say_usage(error)
    if isinstance(error, CodecbenchError):
        return _say(str(error), EXIT_WRONG_USE)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror}", EXIT_WRONG_USE)
    kind = type(error).__name__
    return _say(f"internal error, {kind}: {error} (--debug shows where)", EXIT_INTERNAL)


def _say_usage(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(error.format_message() + "\n")
        return EXIT_WRONG_USE
    # typer passes on how pydantic words the choice of an enumeration.
    return _say(error.format_message().replace("Value error, ", ""), EXIT_WRONG_USE)


def _say(message: str, status: int) -> int:
    line = " ".join(message.split())
    if len(line) > MAX_MESSAGE:
        half = MAX_MESSAGE // 2
        line = f"{line[:half]} … {line[-half:]}"
    # A message may quote a stranger's file: no escape sequence of it reaches the terminal.
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    sys.stderr.write(f"codecbench: {shown}\n")
    return status


if __name__ == "__main__":
    main()
