"""Executes the notebooks and writes their outputs, or checks the outputs that they have.

    python tools/execute_notebooks.py                                # all, in place
    python tools/execute_notebooks.py notebooks/quickstart.ipynb
    python tools/execute_notebooks.py --check                        # exit status 1 if they differ

Each runs from its first cell to its last in an empty folder, on the bundled demo corpus. Outputs
agree if their texts are the same and each number in them lies within `RELATIVE` of the one that is
there, or within `LAST_DIGITS` units of its last printed digit: processors and versions of torch
round differently. Whole numbers below `EXACT_BELOW` (utterances, ranks) must be the same. Spaces
and table rules do not matter. Of pictures only the type is compared.
"""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
RELATIVE = 0.02
LAST_DIGITS = 2
EXACT_BELOW = 1000
SECONDS = 600
"""A cell that takes longer is stopped."""

_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:\.\d+)?")
_SPACES = re.compile(r"\s+|[─-]{2,}")
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in an empty folder and return it with its outputs and nothing else new.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="codecbench-notebook-") as folder:
        client = NotebookClient(
            notebook,
            # Sockets that are files: no port that other users of the machine could reach.
            config=Config(
                ConnectionFileMixin={"transport": "ipc", "ip": str(Path(folder) / "kernel")}
            ),
            kernel_name=_KERNEL["name"],
            timeout=SECONDS,
            startup_timeout=SECONDS,
            resources={"metadata": {"path": folder}},
            store_widget_state=False,
        )
        client.execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take out what differs from one execution to the next and says nothing: times, versions."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def differences(expected: nbformat.NotebookNode, found: nbformat.NotebookNode) -> Iterator[str]:
    """Say where the outputs of two executions of a notebook differ."""
    cells = [[cell for cell in one.cells if cell.cell_type == "code"] for one in (expected, found)]
    for number, (before, now) in enumerate(zip(*cells, strict=True), start=1):
        first, second = _outputs(before), _outputs(now)
        kinds = [[kind for kind, _ in outputs] for outputs in (first, second)]
        if kinds[0] != kinds[1]:
            yield f"code cell {number}: outputs {kinds[1]}, not {kinds[0]}"
            continue
        for (kind, wanted), (_, got) in zip(first, second, strict=True):
            if not kind.startswith("image/") and (what := difference(wanted, got)):
                yield f"code cell {number}, {kind}: {what}"


def difference(expected: str, found: str) -> str | None:
    """Say how two texts differ beyond the tolerance of their numbers; None if they do not."""
    words = [_SPACES.sub(" ", _NUMBER.sub("#", text)).split() for text in (expected, found)]
    for wanted, got in itertools.zip_longest(*words, fillvalue="nothing"):
        if wanted != got:
            return f"'{got}' where '{wanted}' is expected"
    for wanted, got in zip(_NUMBER.findall(expected), _NUMBER.findall(found), strict=True):
        if abs(_value(wanted) - _value(got)) > _tolerance(wanted):
            return f"{got} where {wanted} is expected"
    return None


def _value(number: str) -> float:
    return float(number.replace("−", "-"))


def _tolerance(number: str) -> float:
    """Return how far a number may lie from another; small whole numbers are counts and exact."""
    decimals = len(number.partition(".")[2])
    if not decimals and abs(_value(number)) < EXACT_BELOW:
        return 0.0
    # Half a unit more: what lies two units apart may print as three.
    return max(RELATIVE * abs(_value(number)), (LAST_DIGITS + 0.5) * 10.0**-decimals)


def _outputs(cell: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """List the outputs of a cell by type; texts printed one after the other are one."""
    found: list[tuple[str, str]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            if found and found[-1][0] == output.name:
                found[-1] = (output.name, found[-1][1] + output.text)
            else:
                found.append((output.name, output.text))
        else:
            found += [(kind, str(data)) for kind, data in sorted(_data(output).items())]
    return found


def _data(output: nbformat.NotebookNode) -> dict[str, Any]:
    """Return an output's forms; of a picture's, the text that names its object is none."""
    data = dict(output.get("data", {"error": output.get("evalue", "")}))
    if any(kind.startswith("image/") for kind in data):
        data.pop("text/plain", None)
    return data


def main() -> int:
    """Write or check the notebooks that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="all if none is given")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    status = 0
    for path in arguments.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        executed = execute(path)
        if not arguments.check:
            nbformat.write(executed, path)
            print(f"{path.name}: written")
            continue
        found = list(differences(nbformat.read(path, as_version=4), executed))
        print("\n".join(f"{path.name}, {line}" for line in found) or f"{path.name}: as written")
        status |= bool(found)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
