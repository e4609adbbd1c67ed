"""Decoded audio that a run keeps, as it was scored: where it lies, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ..audio import Audio, write_audio
from ..errors import UserError
from ..files import readable_name

AUDIO = "audio"
"""Folder of the run folder that holds a folder a codec."""

Key = tuple[str, str, str]
"""Corpus, split and id of the utterance."""


class KeptAudio:
    """The decoded audio of a run folder.

    Parameters
    ----------
    folder : Path
        The run folder.
    identities : mapping of canonical spec to identity
        Of the codecs.
    """

    def __init__(self, folder: Path, identities: Mapping[str, str]) -> None:
        self._folders = {
            spec: folder / AUDIO / readable_name(identity, spec)
            for spec, identity in identities.items()
        }
        self._names = cache(_names)

    def path(self, codec: str, key: Key) -> Path:
        """Return where the audio of an utterance belongs, whether it is there or not."""
        return self._folders[codec] / f"{readable_name(*key)}.wav"

    def missing(self, codec: str, key: Key) -> Path | None:
        """Return where the audio belongs if it was not there at the first question; else None."""
        path = self.path(codec, key)
        return None if path.name in self._names(path.parent) else path


def _names(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.glob("*.wav"))


def write_kept(path: Path, audio: Audio) -> None:
    """Write audio whole or not at all, in 32-bit floats: nothing is rounded or clipped.

    Raises
    ------
    UserError
        If it cannot be written: a full disk is no failure of the codec.
    """
    import soundfile

    try:
        write_audio(path, audio, "FLOAT")
    except (OSError, soundfile.LibsndfileError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(f"decoded audio cannot be kept in {path.parent}: {why}") from error
