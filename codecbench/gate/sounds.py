"""Where the utterances of two runs can be heard, and copies of them in one folder."""

from __future__ import annotations

from pathlib import Path

from ..engine.audio_index import AudioIndex
from ..files import readable_name, write_bytes_atomic
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
        self._indexes = [AudioIndex(run.path / AUDIO_INDEX) for run in (candidate, base)]

    def of(self, codecs: tuple[str, str], utterance: tuple[str, str, str]) -> Sounds:
        """Find the sounds of an utterance.

        Parameters
        ----------
        codecs : (str, str)
            Canonical specs of the base's and of the candidate's codec.
        utterance : (corpus, split, id)
        """
        return Sounds(
            self._reference(utterance),
            self._base.decoded_audio(codecs[0], utterance),
            self._candidate.decoded_audio(codecs[1], utterance),
        )

    def _reference(self, utterance: tuple[str, str, str]) -> Path | None:
        paths = [index[utterance].path for index in self._indexes if utterance in index]
        found = (Path(path) for path in paths if path is not None)
        return next((path for path in found if path.is_file()), None)


def copy_worst(comparison: Comparison, folder: Path) -> int:
    """Copy the sounds of the utterances listed for what closed the gate.

    They lie in a folder a codec and column, worst first: ``1-<id>-candidate.wav``.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        Made if there is anything to copy.

    Returns
    -------
    int
        How many files were written.
    """
    written = 0
    for codec, column in comparison.broken():
        place = folder / _name(codec, column)
        for rank, one in enumerate(column.worst, 1):
            name = f"{rank}-{readable_name(one.utterance)}"
            for what, path in one.sounds.listed():
                write_bytes_atomic(place / f"{name}-{what}{path.suffix}", path.read_bytes())
                written += 1
    return written


def _name(codec: CodecComparison, column: ColumnComparison) -> str:
    return f"{readable_name(column.name)}-{readable_name(codec.base, codec.candidate)}"
