"""Decodes again what a run measured: for figures, exports and web pages alike."""

from __future__ import annotations

from collections.abc import Collection

from ..audio import Audio
from ..corpora.base import Utterance
from ..devices import check_device
from ..errors import UserError
from ..registry import codec_of
from ..results.kept_bitstreams import KeptBitstreams
from ..results.kept_bitstreams import Key as BitstreamKey
from ..results.reading import of_all_parts
from ..results.run_folder import BITSTREAMS, Run
from ..results.schema import StoredBitstream
from .audio_index import Key
from .score import decoded_or_reason
from .tasks import CodecTask
from .transcode import Transcoder

UNTRUSTED = "its spec names commands, files or addresses; not decoded"
"""Why a codec is not used that a run folder, perhaps a stranger's, names."""

CHANGED = "its implementation or weights have changed since the run; not decoded"


class RunDecoder:
    """Decodes and aligns as the run did, from its kept bitstreams where there are any.

    Seeds, losses and delays are the run's. Specs that name commands, files or addresses are not
    obeyed unless they are trusted: whoever made the run folder wrote them.

    Parameters
    ----------
    run : Run
    codecs : collection of str
        Canonical specs of the run.
    keys : collection of (corpus, split, utterance)
        What is going to be decoded.
    device : str
        Torch device of the codecs.
    trusted : collection of str
        Canonical specs that are obeyed whatever they name.

    Raises
    ------
    UserError
        If the device is not here, or a part of the run is damaged.
    """

    def __init__(
        self,
        run: Run,
        codecs: Collection[str],
        keys: Collection[Key],
        device: str = "cpu",
        trusted: Collection[str] = (),
    ) -> None:
        check_device(device)
        self._run = run
        self._transcoder = Transcoder(device, run.manifest.packet_loss)
        self._unable = {codec: why_not_decoded(run, codec, trusted) for codec in codecs}
        able = [codec for codec, why in self._unable.items() if not why]
        self._kept = kept_bitstreams(run, {(codec, *key) for codec in able for key in keys})

    def why_not(self, codec: str) -> str:
        """Say why a codec cannot make the sounds that were scored; empty if it can."""
        return self._unable[codec]

    def require(self, codec: str) -> None:
        """Refuse a codec that cannot make the sounds that were scored.

        Raises
        ------
        UserError
        """
        require_decodable(codec, self._unable[codec])

    def bitstream(self, codec: str, key: Key) -> StoredBitstream | None:
        """Return what the run keeps of an utterance; None if it is encoded again."""
        return self._kept.get((codec, *key))

    def decoded(self, codec: str, utterance: Utterance) -> Audio:
        """Decode an utterance.

        Parameters
        ----------
        codec : str
            Canonical spec.
        utterance : Utterance
            With its evaluation rate set.

        Returns
        -------
        Audio
            At the evaluation rate, as long as the reference.

        Raises
        ------
        UserError
            See `require`.
        CodecError, BitstreamError
            If the codec fails.
        """
        self.require(codec)
        return self._transcoder.transcode(self._task(codec, utterance), utterance)[0].audio

    def decoded_or_reason(self, codec: str, utterance: Utterance) -> Audio | str:
        """Decode an utterance, or say why there is no sound."""
        if why := self._unable[codec]:
            return why
        found = decoded_or_reason(self._transcoder, self._task(codec, utterance), utterance)
        return found if isinstance(found, str) else found.audio

    def _task(self, codec: str, utterance: Utterance) -> CodecTask:
        entry = self._run.manifest.codecs[codec]
        delay = entry.delay_samples if entry.delay_estimates else None
        return CodecTask(codec, {}, delay, self.bitstream(codec, utterance.key))


def why_not_decoded(run: Run, spec: str, trusted: Collection[str] = ()) -> str:
    """Say why a codec of a run is not used again; empty if it is."""
    try:
        codec = codec_of(spec)
        # Asked before anything else: availability and identity may already look outside.
        if codec.names_outside_sources and spec not in trusted:
            return UNTRUSTED
        codec.check_available()
        identity = codec.identity
    except UserError as error:
        return str(error)
    return "" if identity == run.manifest.codecs[spec].identity else CHANGED


def require_decodable(spec: str, why_not: str) -> None:
    """Refuse a codec for the reason that `why_not_decoded` gave, if any."""
    if why_not:
        raise UserError(f"{spec}: {why_not}; name other codecs with --codec")


def kept_bitstreams(
    run: Run, wanted: Collection[BitstreamKey]
) -> dict[BitstreamKey, StoredBitstream]:
    """Read bitstreams of a run, which another process may be writing meanwhile.

    Parameters
    ----------
    run : Run
    wanted : collection of (codec, corpus, split, utterance)
    """
    folder = run.path / BITSTREAMS
    return of_all_parts(folder, lambda _: KeptBitstreams(folder, wanted).of(sorted(wanted)))
