"""What a run recorded of the audio that it measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..utterance_list import read_list
from .kept_audio import Key
from .run_folder import AUDIO_INDEX, UTTERANCES, Run


@dataclass(frozen=True)
class AudioEntry:
    """What is known of an utterance's audio.

    Parameters
    ----------
    size, mtime_ns : int or None
        Of the file; while they stay, the file is not read again.
    sha256 : str or None
        `Audio.sha256` at the source rate; None if the audio cannot be read.
    seconds : float or None
    sample_rate : int or None
    error : str or None
        Why it cannot be read.
    speaker, language : str or None
    transcript_sha256 : str or None
    path : str or None
        Where the file was when the run last saw it.
    """

    size: int | None
    mtime_ns: int | None
    sha256: str | None = None
    seconds: float | None = None
    sample_rate: int | None = None
    error: str | None = None
    speaker: str | None = None
    language: str | None = None
    transcript_sha256: str | None = None
    path: str | None = None


class RecordedAudio:
    """The audio index of a run folder, to read.

    Parameters
    ----------
    path : Path
        Its JSON file; the index is empty if there is none.

    Raises
    ------
    UserError
        If it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[Key, AudioEntry] = {}
        if not path.exists():
            return
        try:
            for *key, entry in json.loads(path.read_text(encoding="utf-8")):
                self._entries[tuple(key)] = AudioEntry(**entry)
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{path} is damaged; delete it, and the audio is hashed anew"
            ) from error

    def __getitem__(self, key: Key) -> AudioEntry:
        return self._entries[key]

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def keys(self) -> set[Key]:
        """Return corpus, split and id of all utterances."""
        return set(self._entries)


def audio_of_run(run: Run) -> RecordedAudio:
    """Return what a run recorded of the audio of all its utterances.

    Raises
    ------
    UserError
        If the index is damaged, or is not there or lacks an utterance of the run: nothing could
        tell then whether two runs measured the same audio.
    """
    path = run.path / AUDIO_INDEX
    found = RecordedAudio(path)
    rows = read_list(run.path / UTTERANCES, missing_ok=True)
    listed = {(row.corpus, row.split, row.id) for row in rows}
    if lacking := listed - found.keys():
        raise UserError(
            f"{path} lacks {len(lacking)} of the run's {len(listed)} utterances; repeat"
            " the run's command, which hashes their audio"
        )
    return found
