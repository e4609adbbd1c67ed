"""Speex (Xiph.Org): CELP at 8, 16 or 32 kHz, through the programs speexenc and speexdec."""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic

from ...audio import Audio, read_audio, write_audio
from ...bitstream import Bitstream, whole_packets
from ...codec import Codec, CodecCard
from ...component import Config, Requirement
from ...errors import AudioError, BitstreamError, CodecError
from ..commands import run_command
from ..pcm import require_samples
from .ogg import read_packets, write_packets

TIMEOUT_SECONDS = 600.0
_HEADERS = 2
_HINT = "apt install speex"
_HEADER = struct.Struct("<8s20s13i")


@dataclass(frozen=True)
class Mode:
    """A mode of Speex.

    Parameters
    ----------
    number : int
        As the Speex header has it.
    option : str
        Of speexenc.
    rate : int
        Sample rate in Hz.
    delay : int
        Look-ahead of encoder and decoder in samples.
    kbps : tuple of float
        Nominal rate by quality 0 to 10; empty where the manual has none.
    """

    number: int
    option: str
    rate: int
    delay: int
    kbps: tuple[float, ...] = ()

    @property
    def frame(self) -> int:
        """Samples of a frame of 20 ms."""
        return self.rate // 50


MODES = {
    "nb": Mode(
        0, "--narrowband", 8000, 80,
        (2.15, 3.95, 5.95, 8.0, 8.0, 11.0, 11.0, 15.0, 15.0, 18.2, 24.6),
    ),
    "wb": Mode(
        1, "--wideband", 16000, 223,
        (3.95, 5.75, 7.75, 9.8, 12.8, 16.8, 20.6, 23.8, 27.8, 34.2, 42.2),
    ),
    "uwb": Mode(2, "--ultra-wideband", 32000, 509),
}  # fmt: skip


class SpeexConfig(Config):
    """Configuration of `SpeexCodec`."""

    quality: int = pydantic.Field(default=8, ge=0, le=10)
    """0 to 10; the rate follows from it (constant)."""
    mode: Literal["nb", "wb", "uwb"] = "wb"
    """Narrowband (8 kHz), wideband (16 kHz) or ultra-wideband (32 kHz)."""


class SpeexCodec(Codec):
    """Speex at a constant rate; a packet is one frame, filled up to whole bytes as Speex does."""

    name = "speex"
    requirements = (
        Requirement("program", "speexenc", _HINT),
        Requirement("program", "speexdec", _HINT),
    )
    Config = SpeexConfig
    config: SpeexConfig

    @property
    def mode(self) -> Mode:
        """The mode that is used."""
        return MODES[self.config.mode]

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        mode = self.mode
        return CodecCard(
            name=self.name,
            title=f"Speex {self.config.mode.upper()}",
            description="CELP speech codec, constant rate, default complexity and post-filter.",
            licence="BSD-3-Clause (libspeex, speexenc, speexdec)",
            paper="J.-M. Valin, The Speex Codec Manual, version 1.2; RFC 5574",
            sample_rate=mode.rate,
            frame_rate=50.0,
            causal=True,
            delay_samples=mode.delay,
            algorithmic_latency_ms=20.0 + 1000 * mode.delay / mode.rate,
            nominal_kbps=mode.kbps[self.config.quality] if mode.kbps else None,
            notes=("counted in whole bytes a frame, as Ogg and RTP carry it",),
        )

    def encode(self, audio: Audio) -> Bitstream:
        """Encode with speexenc; the packets are those of its Ogg file, without the headers."""
        mode = self.mode
        with tempfile.TemporaryDirectory(prefix="codecbench-") as name:
            source, target = Path(name, "in.wav"), Path(name, "out.spx")
            write_audio(source, audio.fitted(len(audio) + mode.delay))
            quality = f"--quality={self.config.quality}"
            argv = ["speexenc", mode.option, quality, str(source), str(target)]
            run_command(argv, TIMEOUT_SECONDS)
            packets = read_packets(_written(target).read_bytes())
        return self.bitstream(audio, whole_packets(packets[_HEADERS:]))

    def decode(self, bitstream: Bitstream) -> Audio:
        """Rebuild the Ogg file, whose headers say nothing but the spec, and run speexdec."""
        mode = self.mode
        require_samples(bitstream, len(bitstream.packets) * mode.frame, mode.delay)
        if not all(packet.bits and packet.bits % 8 == 0 for packet in bitstream.packets):
            raise BitstreamError("a Speex packet has whole bytes and is not empty")
        with tempfile.TemporaryDirectory(prefix="codecbench-") as name:
            source, target = Path(name, "in.spx"), Path(name, "out.wav")
            source.write_bytes(self._ogg([packet.data for packet in bitstream.packets]))
            run_command(["speexdec", str(source), str(target)], TIMEOUT_SECONDS)
            audio = _decoded(_written(target))
        require_samples(bitstream, len(audio), mode.delay)
        return audio

    def _ogg(self, packets: list[bytes]) -> bytes:
        frame = self.mode.frame
        # Granules without look-ahead: speexdec cuts nothing, whatever the lengths of the pages.
        granules = [0, 0, *(frame * (number + 1) for number in range(len(packets)))]
        return write_packets([self._header(), _comment(), *packets], granules)

    def _header(self) -> bytes:
        mode = self.mode
        numbers = (1, _HEADER.size, mode.rate, mode.number, 4, 1, -1, mode.frame, 0, 1, 0, 0, 0)
        return _HEADER.pack(b"Speex   ", b"codecbench", *numbers)


def _comment() -> bytes:
    vendor = b"codecbench"
    return struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)


def _written(path: Path) -> Path:
    if not path.is_file():
        raise CodecError(f"{path.name} was not written")
    return path


def _decoded(path: Path) -> Audio:
    try:
        return read_audio(path)
    except AudioError as error:
        raise CodecError(f"speexdec wrote no audio: {error}") from error
