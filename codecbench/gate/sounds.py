"""Where the utterances of two runs can be heard, and copies of them in one folder."""

from __future__ import annotations

from pathlib import Path

from ..audio import Audio, read_audio, write_audio
from ..errors import AudioError
from ..files import readable_name
from ..reports.layout import one_line
from ..results.recorded_audio import RecordedAudio
from ..results.run_folder import AUDIO_INDEX, Run
from .findings import CodecComparison, ColumnComparison, Comparison, Sounds


class SoundFinder:
    """Finds audio of two comparable runs.

    Parameters
    ----------
    base, candidate : Run
    """

    def __init__(self, base: Run, candidate: Run) -> None:
        self._base, self._candidate = base, candidate
        self._indexes = [RecordedAudio(run.path / AUDIO_INDEX) for run in (candidate, base)]

    def of(self, codecs: tuple[str, str], utterance: tuple[str, str, str]) -> Sounds:
        """Find the sounds of an utterance.

        Parameters
        ----------
        codecs : (str, str)
            Canonical specs of the base's and of the candidate's codec.
        utterance : (corpus, split, id)
        """
        reference, sha256 = self._reference(utterance)
        return Sounds(
            reference,
            self._base.decoded_audio(codecs[0], utterance),
            self._candidate.decoded_audio(codecs[1], utterance),
            sha256,
        )

    def _reference(self, utterance: tuple[str, str, str]) -> tuple[Path | None, str | None]:
        entries = [index[utterance] for index in self._indexes if utterance in index]
        found = [Path(entry.path) for entry in entries if entry.path is not None]
        hashes = [entry.sha256 for entry in entries]
        # Hashes of both runs are the same wherever both hold the utterance.
        return next((path for path in found if path.is_file()), None), next(iter(hashes), None)


def copy_worst(comparison: Comparison, folder: Path) -> list[str]:
    """Write the sounds of the utterances listed for what closed the gate into one folder.

    They lie in a folder a codec and column, worst first: ``1-<id>-candidate.wav``. A run names its
    files itself and may come from a stranger: they are read as audio and written anew, references
    only if they are what was measured, decoded audio only from within its run folder.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        Made if there is anything to write.

    Returns
    -------
    list of str
        What was left out, and why.
    """
    left_out: dict[Path, str] = {}
    for codec, column in comparison.broken():
        place = folder / _name(codec, column)
        for rank, one in enumerate(column.worst, 1):
            name = f"{rank}-{readable_name(one.utterance)}"
            for what, path in one.sounds.listed():
                try:
                    audio = _trusted(comparison, one.sounds, what, path)
                except AudioError as error:
                    left_out[path] = one_line(f"left out of {folder}: {error}")
                    continue
                write_audio(place / f"{name}-{what}.wav", audio, "FLOAT")
    return list(left_out.values())


def _trusted(comparison: Comparison, sounds: Sounds, what: str, path: Path) -> Audio:
    """Read a sound; raise `AudioError` if it is not what it should be."""
    if what == "reference":
        audio = read_audio(path)
        if audio.sha256() != sounds.reference_sha256:
            raise AudioError(f"{path} is not the reference that was measured")
        return audio
    run = Path(comparison.base if what == "base" else comparison.candidate)
    if not path.resolve().is_relative_to(run.resolve()):
        raise AudioError(f"{path} leads out of its run folder")
    return read_audio(path)


def _name(codec: CodecComparison, column: ColumnComparison) -> str:
    return f"{readable_name(column.name)}-{readable_name(codec.base, codec.candidate)}"
