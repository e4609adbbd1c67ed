"""Hashes of the audio of a run: recorded once, checked whenever the run is worked on again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from ..corpora.base import Utterance
from ..errors import AudioError, UserError
from ..files import write_text_atomic
from ..results.kept_audio import Key
from ..results.recorded_audio import AudioEntry, RecordedAudio

__all__ = ["AudioEntry", "AudioIndex", "Key"]


class AudioIndex(RecordedAudio):
    """The index of a run folder that is worked on.

    Parameters
    ----------
    path : Path
        Its JSON file.
    """

    def update(
        self, utterances: Iterable[Utterance], tick: Callable[[], None] = lambda: None
    ) -> None:
        """Read and hash what is new, touched or could not be read before.

        Raises
        ------
        UserError
            If audio, speaker, language or transcript of an utterance are no longer what the
            run measured.
        """
        everything = list(utterances)
        for utterance in everything:
            self._require_same_labels(utterance)
        stale = [item for item in everything if self._is_stale(item)]
        moved = self._note_paths(everything)
        if not stale and not moved:
            return
        for utterance, entry in _entries(stale):
            known = self._entries.get(utterance.key)
            if known is not None and known.sha256 is not None and known.sha256 != entry.sha256:
                raise UserError(
                    f"the audio of {'/'.join(utterance.key)} is not what this run measured"
                    f" ({entry.error or 'its samples have changed'}); choose another --out"
                )
            self._entries[utterance.key] = entry
            tick()
        self._write()

    def forget_places(self) -> None:
        """Drop where files lie and when they changed, which means nothing on another machine.

        The next `update` hashes the audio again. Only while holding the run's lock.
        """
        before = self._entries
        self._entries = {
            key: replace(entry, size=None, mtime_ns=None, path=None)
            for key, entry in before.items()
        }
        if self._entries != before:
            self._write()

    def _note_paths(self, utterances: Iterable[Utterance]) -> bool:
        """Note where known audio lies now; return whether that is news."""
        news = False
        for utterance in utterances:
            known, path = self._entries.get(utterance.key), _path(utterance)
            if known is not None and known.path != path:
                self._entries[utterance.key] = replace(known, path=path)
                news = True
        return news

    def _require_same_labels(self, utterance: Utterance) -> None:
        known = self._entries.get(utterance.key)
        if known is None:
            return
        for what, before, now in (
            ("speaker", known.speaker, utterance.speaker),
            ("language", known.language, utterance.language),
            ("transcript", known.transcript_sha256, _transcript_hash(utterance)),
        ):
            if before is not None and before != now:
                raise UserError(
                    f"the {what} of {'/'.join(utterance.key)} is not what this run was made with;"
                    " choose another --out"
                )

    def _is_stale(self, utterance: Utterance) -> bool:
        known = self._entries.get(utterance.key)
        return (
            known is None
            or utterance.path is None
            or _stat(utterance.path)
            != (
                known.size,
                known.mtime_ns,
            )
        )

    def _write(self) -> None:
        listed = [[*key, asdict(entry)] for key, entry in sorted(self._entries.items())]
        lines = ",\n".join(json.dumps(item) for item in listed)
        write_text_atomic(self._path, f"[\n{lines}\n]\n")


def _entries(utterances: list[Utterance]) -> Iterator[tuple[Utterance, AudioEntry]]:
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        yield from zip(utterances, threads.map(_entry, utterances), strict=True)


def _entry(utterance: Utterance) -> AudioEntry:
    size, mtime_ns = _stat(utterance.path) if utterance.path else (None, None)
    labelled = AudioEntry(
        size,
        mtime_ns,
        speaker=utterance.speaker,
        language=utterance.language,
        transcript_sha256=_transcript_hash(utterance),
        path=_path(utterance),
    )
    try:
        audio = utterance.source_audio()
    except AudioError as error:
        return replace(labelled, error=str(error))
    return replace(
        labelled, sha256=audio.sha256(), seconds=audio.seconds, sample_rate=audio.sample_rate
    )


def _path(utterance: Utterance) -> str | None:
    return None if utterance.path is None else str(utterance.path.absolute())


def _transcript_hash(utterance: Utterance) -> str | None:
    if utterance.transcript is None:
        return None
    return hashlib.sha256(utterance.transcript.encode()).hexdigest()


def _stat(path: Path) -> tuple[int | None, int | None]:
    try:
        status = path.stat()
    except OSError:
        return None, None
    return status.st_size, status.st_mtime_ns
