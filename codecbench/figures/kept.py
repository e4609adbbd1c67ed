"""The one run, and the speech of it, that figures of single utterances show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..corpora.base import Utterance
from ..engine.audio_index import AudioIndex, Key
from ..errors import UserError
from ..registry import load_corpus
from ..results.run_folder import AUDIO_INDEX, Run, load_run


def only_run(paths: Sequence[Path]) -> Run:
    """Open the one run whose bitstreams are shown.

    Raises
    ------
    UserError
        If there are several.
    """
    if len(paths) != 1:
        raise UserError("this kind of figure is of one run: give one run folder")
    return load_run(paths[0])


def utterance_of_run(run: Run, name: str | None, data_root: Path | None) -> Utterance:
    """Find the speech of an utterance of a run, as it was measured.

    Parameters
    ----------
    run : Run
    name : str or None
        Id, or ``corpus/split/id``; the run's first utterance if None.
    data_root : Path or None
        Where corpora are looked for first.

    Raises
    ------
    UserError
        If the run has no such utterance, several of that id, or its corpus is not here or holds
        other audio.
    """
    index = AudioIndex(run.path / AUDIO_INDEX)
    key = _key(run, index, name)
    for spec in run.manifest.corpora:
        for utterance in load_corpus(spec, data_root).utterances():
            if utterance.key == key:
                if utterance.source_audio().sha256() != index[key].sha256:
                    raise UserError(f"the audio of {'/'.join(key)} is not what the run measured")
                return utterance.at_rate(run.manifest.rate)
    raise UserError(f"the speech of {'/'.join(key)} is not here: say where with --data-root")


def _key(run: Run, index: AudioIndex, name: str | None) -> Key:
    keys = sorted(index.keys())
    found = [key for key in keys if name in (None, key[2], "/".join(key))]
    if not found:
        raise UserError(f"{run.path} has no utterance '{name}' (such as {'/'.join(keys[0])})")
    if len(found) > 1 and name is not None:
        listed = " or ".join("/".join(key) for key in found[:3])
        raise UserError(f"{run.path} has several utterances '{name}': write {listed}")
    return found[0]
