"""What a run folder keeps besides numbers: bitstreams, and the speech they were made of."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from pathlib import Path

from .. import protocol
from ..audio import Audio
from ..codec import Codec
from ..corpora.base import Utterance
from ..engine.audio_index import AudioIndex, Key
from ..errors import UserError
from ..registry import codec_of, load_codec, load_corpus
from ..results.kept_bitstreams import KeptBitstreams
from ..results.reading import of_all_parts
from ..results.run_folder import AUDIO_INDEX, BITSTREAMS, Run, load_run
from ..results.schema import StoredBitstream


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


def codec_of_run(run: Run, spec: str, device: str = "cpu") -> Codec:
    """Return the codec that a run measured, ready to use.

    Raises
    ------
    UserError
        If it is another implementation now or has other weights, cannot decode, or if its spec
        names commands or files, which a stranger's run folder may have put there.
    """
    codec = codec_of(spec)
    if codec.names_outside_sources or not isinstance(codec, Codec):
        raise UserError(f"{spec} names commands, files or addresses; draw codecs of this package")
    if codec.identity != run.manifest.codecs[spec].identity:
        raise UserError(
            f"{spec} has another implementation or other weights than when {run.path} was made;"
            " make the run anew"
        )
    ready = load_codec(spec, device)
    assert isinstance(ready, Codec)
    return ready


def kept_bitstreams(run: Run, spec: str, keys: Collection[Key] = ()) -> list[StoredBitstream]:
    """Return the bitstreams of one codec that a run keeps, sorted by utterance.

    Parameters
    ----------
    run : Run
    spec : str
        Canonical.
    keys : collection of (corpus, split, utterance)
        All utterances if empty.
    """
    wanted = keys or AudioIndex(run.path / AUDIO_INDEX).keys()
    full = {(spec, *key) for key in wanted}
    folder = run.path / BITSTREAMS
    # The run may go on meanwhile: parts that are merged are listed anew.
    found = of_all_parts(folder, lambda _: KeptBitstreams(folder, full).of(sorted(full)))
    return [found[key] for key in sorted(found)]


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


def decoded_again(run: Run, spec: str, utterance: Utterance, device: str = "cpu") -> Audio:
    """Decode an utterance as the run did, from its kept bitstream where there is one.

    Returns
    -------
    Audio
        At the evaluation rate, as long as the reference.

    Raises
    ------
    UserError
        See `codec_of_run`.
    """
    codec = codec_of_run(run, spec, device)
    reference = utterance.audio()
    kept = kept_bitstreams(run, spec, [utterance.key])
    encoded = (
        protocol.Encoded(kept[0].data, kept[0].seconds)
        if kept
        else protocol.encode(codec, reference)
    )
    loss = run.manifest.packet_loss
    draw = None if loss is None else functools.partial(loss.draw, key=utterance.key)
    delay = run.manifest.codecs[spec].delay_samples
    return protocol.decode(codec, encoded, reference, delay, draw).audio
