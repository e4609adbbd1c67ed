"""The sounds of a site: kept bitstreams decoded and aligned as the engine does it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..audio import Audio, write_audio
from ..engine.decode_again import UNTRUSTED, RunDecoder
from ..errors import UserError
from ..files import safe_name
from ..registry import codec_of
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from ..spec import expand_spec
from .choice import Chosen
from .folder import SiteFolder
from .spectrogram import spectrogram_png


@dataclass(frozen=True)
class Sound:
    """One codec's sound of one utterance, or why there is none.

    Parameters
    ----------
    codec : str
        Canonical spec, or ``reference``.
    audio, picture : str
        Files of the site; empty if there is no sound.
    missing : str
    """

    codec: str
    audio: str = ""
    picture: str = ""
    missing: str = ""


class SoundMaker:
    """Makes the sounds of one run.

    Parameters
    ----------
    run : Run
    folder : SiteFolder
    codecs : sequence of str
        Canonical specs.
    chosen : sequence of Chosen
    device : str
    trusted : collection of str
        Canonical specs that are obeyed although they name commands, files or addresses.
    """

    def __init__(
        self,
        run: Run,
        folder: SiteFolder,
        codecs: Sequence[str],
        chosen: Sequence[Chosen],
        device: str = "cpu",
        trusted: Collection[str] = (),
    ) -> None:
        self._run = run
        self._folder = folder
        self._codecs = codecs
        keys = [one.key for one in chosen if one.utterance]
        self._decoder = RunDecoder(run, codecs, keys, device, trusted)

    @property
    def untrusted(self) -> list[str]:
        """The codecs that are not obeyed because of what their specs name."""
        return [codec for codec in self._codecs if self._decoder.why_not(codec) == UNTRUSTED]

    def reference(self, chosen: Chosen) -> Sound:
        """Make the sound of the reference at the evaluation rate."""
        utterance = chosen.utterance
        if utterance is None:
            return Sound(REFERENCE, missing=chosen.missing)
        return self._sound(REFERENCE, chosen, "reference", lambda: utterance.audio())

    def codec(self, chosen: Chosen, codec: str) -> Sound:
        """Make the sound of a codec."""
        utterance = chosen.utterance
        if utterance is None:
            return Sound(codec, missing=chosen.missing)
        if why := self._decoder.why_not(codec):
            return Sound(codec, missing=why)
        identity = self._run.manifest.codecs[codec].identity
        return self._sound(
            codec, chosen, identity, lambda: self._decoder.decoded_or_reason(codec, utterance)
        )

    def _sound(
        self, codec: str, chosen: Chosen, identity: str, make: Callable[[], Audio | str]
    ) -> Sound:
        """Write sound and picture, unless an earlier build did from the same bits."""
        entry = self._run.manifest.codecs.get(codec)
        bits = self._decoder.bitstream(codec, chosen.key)
        name = safe_name(
            codec, *chosen.key, chosen.listed.sha256, identity, self._run.manifest.rate,
            self._run.manifest.packet_loss, entry.delay_samples if entry else 0,
            safe_name(bits.data.hex()) if bits else "",
        )  # fmt: skip
        sound = Sound(codec, f"audio/{name}.flac", f"spectrograms/{name}.png")
        # Both are asked, so that both belong to this build.
        if all([self._folder.keeps(sound.audio), self._folder.keeps(sound.picture)]):
            return sound
        audio = make()
        if isinstance(audio, str):
            return Sound(codec, missing=audio)
        self._folder.data(sound.audio, flac_bytes(audio))
        self._folder.data(sound.picture, spectrogram_png(audio))
        return sound


def trusted_specs(runs: Sequence[Run], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the canonical specs that a user trusts, written out in full or as sweeps.

    Raises
    ------
    UserError
        If one is not in any run: a value that is not written stands for its default, not for any.
    """
    found = [codec_of(spec).spec for text in wanted for spec in expand_spec(text)]
    for spec in found:
        if not any(spec in run.manifest.codecs for run in runs):
            raise UserError(f"no run has the codec '{spec}' that --trust names")
    return tuple(found)


def flac_bytes(audio: Audio) -> bytes:
    """Return a signal as a FLAC file of 16 bits; samples beyond full scale are clipped."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sound.flac"
        write_audio(path, audio)
        return path.read_bytes()
