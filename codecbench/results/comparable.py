"""What must be the same in two runs for their difference to mean anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..errors import UserError
from .manifest import Manifest, version_changes
from .recorded_audio import RecordedAudio, audio_of_run
from .run_folder import Run


def require_comparable(base: Run, candidate: Run) -> None:
    """Refuse runs of other audio or another protocol.

    Raises
    ------
    UserError
        If protocol, resampler, evaluation rate or packet loss differ, an utterance's audio differs,
        or the runs have no utterance in common.
    """
    require_same_measurement(base, candidate)
    indexes = [audio_of_run(run) for run in (base, candidate)]
    if not indexes[0].keys() & indexes[1].keys():
        raise UserError(f"{base.path} and {candidate.path} have no utterance in common")


def require_same_measurement(base: Run, candidate: Run) -> None:
    """Refuse runs that were measured otherwise; they may hold different utterances.

    Raises
    ------
    UserError
        If protocol, resampler, evaluation rate or packet loss differ, or the audio of an utterance
        that both hold.
    """
    indexes = [audio_of_run(run) for run in (base, candidate)]
    for what, before, now in _differences((base.manifest, candidate.manifest), indexes):
        raise UserError(
            f"{base.path} and {candidate.path} cannot be compared: the {what} of the first is"
            f" {before}, of the second {now}"
        )
    for key in sorted(indexes[0].keys() & indexes[1].keys()):
        if indexes[0][key].sha256 != indexes[1][key].sha256:
            raise UserError(
                f"{base.path} and {candidate.path} cannot be compared: the audio of"
                f" {'/'.join(key)} is another"
            )


def require_same_definitions(base: Run, candidate: Run, columns: Collection[str]) -> None:
    """Refuse columns that two definitions gave.

    Raises
    ------
    UserError
        If a column's metric has another definition card in the other run.
    """
    cards = [definitions(run) for run in (base, candidate)]
    for column in columns:
        (spec, identity), (other_spec, other_identity) = (card[column] for card in cards)
        if identity != other_identity:
            raise UserError(
                f"{column} cannot be compared: {base.path} measured {_version(base, spec)},"
                f" {candidate.path} {_version(candidate, other_spec)}"
            )


def definitions(run: Run) -> dict[str, tuple[str, str]]:
    """Return spec and identity of the metric of each column, by the name that frames show."""
    return {
        shown: (spec, run.manifest.metrics[spec].identity)
        for (spec, _), shown in run.shown_names.items()
    }


def package_changes(base: Run, candidate: Run) -> list[str]:
    """Say which packages that can change a number differ between the runs' last commands."""
    if not base.manifest.sessions or not candidate.manifest.sessions:
        return []
    before, now = (run.manifest.sessions[-1].packages for run in (base, candidate))
    return version_changes(before, now)


def _differences(
    manifests: Sequence[Manifest], indexes: Sequence[RecordedAudio]
) -> Iterator[tuple[str, object, object]]:
    """Yield the conditions that differ, with what they are in either run."""
    one, other = manifests
    if one.protocol != other.protocol:
        yield "protocol", one.protocol, other.protocol
    if one.resampler != other.resampler:
        yield "resampler", one.resampler, other.resampler
    rates = [_rates(*both) for both in zip(manifests, indexes, strict=True)]
    # Runs at their corpora's own rates may be of different corpora.
    if one.rate != other.rate and rates[0] != rates[1]:
        first, second = map(_worded, manifests, rates)
        yield "evaluation rate", first, second
    if one.packet_loss != other.packet_loss:
        yield "packet loss", one.packet_loss or "none", other.packet_loss or "none"


def _rates(manifest: Manifest, index: RecordedAudio) -> set[int]:
    """Return the rates, in hertz, at which a run's audio was evaluated."""
    if manifest.rate is not None:
        return {manifest.rate}
    found = {entry.sample_rate for entry in map(index.__getitem__, index.keys())}
    return {rate for rate in found if rate is not None}


def _worded(manifest: Manifest, rates: set[int]) -> str:
    numbers = f"{', '.join(map(str, sorted(rates))) or 'not recorded'}{' Hz' * bool(rates)}"
    return numbers if manifest.rate is not None else f"its corpora's own ({numbers})"


def _version(run: Run, spec: str) -> str:
    entry = run.manifest.metrics[spec]
    return f"{spec} version {entry.card.get('version')} (definition {entry.identity})"
