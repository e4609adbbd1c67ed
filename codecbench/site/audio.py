"""The sounds of a site: kept bitstreams decoded and aligned as the engine does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..audio import Audio, write_audio
from ..engine.score import decoded_or_reason
from ..engine.tasks import CodecTask
from ..engine.transcode import Transcoder
from ..errors import UserError
from ..files import safe_name
from ..registry import codec_of
from ..results.kept_bitstreams import KeptBitstreams
from ..results.kept_bitstreams import Key as BitstreamKey
from ..results.reading import of_all_parts
from ..results.run_folder import BITSTREAMS, Run
from ..results.schema import REFERENCE, StoredBitstream
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
    """

    def __init__(
        self,
        run: Run,
        folder: SiteFolder,
        codecs: Sequence[str],
        chosen: Sequence[Chosen],
        device: str = "cpu",
    ) -> None:
        self._run = run
        self._folder = folder
        self._unable = {spec: why for spec in codecs if (why := _changed(run, spec))}
        self._transcoder = Transcoder(device, run.manifest.packet_loss)
        wanted = {(codec, *one.key) for one in chosen if one.utterance for codec in codecs}
        self._kept = kept_bitstreams(run, wanted)

    def reference(self, chosen: Chosen) -> Sound:
        """Make the sound of the reference at the evaluation rate."""
        utterance = chosen.utterance
        if utterance is None:
            return Sound(REFERENCE, missing=chosen.missing)
        return self._sound(REFERENCE, chosen, "reference", lambda: utterance.audio())

    def codec(self, chosen: Chosen, codec: str) -> Sound:
        """Make the sound of a codec."""
        if chosen.utterance is None:
            return Sound(codec, missing=chosen.missing)
        if codec in self._unable:
            return Sound(codec, missing=self._unable[codec])
        identity = self._run.manifest.codecs[codec].identity
        return self._sound(codec, chosen, identity, lambda: self._decoded(chosen, codec))

    def _decoded(self, chosen: Chosen, codec: str) -> Audio | str:
        entry = self._run.manifest.codecs[codec]
        delay = entry.delay_samples if entry.delay_estimates else None
        task = CodecTask(codec, {}, delay, self._kept.get((codec, *chosen.key)))
        if chosen.utterance is None:
            raise ValueError("there is no reference to align with")
        found = decoded_or_reason(self._transcoder, task, chosen.utterance)
        return found if isinstance(found, str) else found.audio

    def _sound(
        self, codec: str, chosen: Chosen, identity: str, make: Callable[[], Audio | str]
    ) -> Sound:
        """Write sound and picture, unless an earlier build did from the same bits."""
        entry = self._run.manifest.codecs.get(codec)
        bits = self._kept.get((codec, *chosen.key))
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


def kept_bitstreams(run: Run, wanted: set[BitstreamKey]) -> dict[BitstreamKey, StoredBitstream]:
    """Read bitstreams of a run, which another process may be writing meanwhile."""

    def read(paths: list[Path]) -> dict[BitstreamKey, StoredBitstream]:
        return KeptBitstreams(run.path / BITSTREAMS, wanted).of(list(wanted)) if paths else {}

    return of_all_parts(run.path / BITSTREAMS, read)


def flac_bytes(audio: Audio) -> bytes:
    """Return a signal as a FLAC file of 16 bits; samples beyond full scale are clipped."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sound.flac"
        write_audio(path, audio)
        return path.read_bytes()


def _changed(run: Run, spec: str) -> str:
    """Say why a codec cannot make the sounds that were scored; empty if it can."""
    try:
        codec = codec_of(spec)
        codec.check_available()
    except UserError as error:
        return str(error)
    if codec.identity != run.manifest.codecs[spec].identity:
        return "the codec's implementation or weights have changed since the run; not decoded"
    return ""
