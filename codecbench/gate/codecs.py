"""Which codecs of two runs are compared with each other."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UserError
from ..reports.families import chosen
from ..results.run_folder import Run


def asked_codecs(base: Run, candidate: Run, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the codecs of the base and of the candidate that are to be compared.

    Parameters
    ----------
    base, candidate : Run
    wanted : sequence of str
        Specs or sweeps, whose unnamed values may be any; all codecs if empty.

    Raises
    ------
    UserError
        If a spec means no codec of either run, or the runs have none in common.
    """
    either = list(dict.fromkeys([*base.order, *candidate.order]))
    meant = {spec for text in wanted for spec in _chosen((base, candidate), either, text)}
    first, second = (
        [spec for spec in run.order if spec in meant or not wanted] for run in (base, candidate)
    )
    if not set(first) & set(second):
        named = f" of those that {', '.join(wanted)} means" if wanted else ""
        raise UserError(
            f"{base.path} and {candidate.path} have no codec in common{named}; name one of each"
            " with --base-codec and --candidate-codec"
        )
    return first, second


def one_codec(run: Run, wanted: str) -> str:
    """Return the one codec of a run that a spec means.

    A spec as the run writes it, with all its values, means that codec alone.

    Raises
    ------
    UserError
        If it means none, or several.
    """
    if wanted in run.order:
        return wanted
    found = _chosen((run,), run.order, wanted)
    if len(found) > 1:
        raise UserError(
            f"{run.path} has {len(found)} codecs that '{wanted}' means; name one of"
            f" {', '.join(found)}"
        )
    return found[0]


def _chosen(runs: Sequence[Run], specs: Sequence[str], wanted: str) -> list[str]:
    try:
        return chosen(specs, wanted)
    except UserError as error:
        raise UserError(f"{' and '.join(str(run.path) for run in runs)}: {error}") from error
