"""Neural codecs chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...bits import unpack
from ...bitstream import Packet
from ...codec import frame_packets
from ...errors import BitstreamError, CodecError
from ...streaming import DecoderStream, EncoderStream
from .network import StreamingNetwork

if TYPE_CHECKING:
    from .neural_codec import NeuralCodec

FADE = 0.8
"""Factor a lost frame by which repeated latents fade."""


class NeuralEncoderStream(EncoderStream):
    """Encodes whole frames as soon as their samples are there.

    Parameters
    ----------
    codec : NeuralCodec
        With a network that streams.
    """

    def __init__(self, codec: NeuralCodec) -> None:
        self.codec = codec
        self.network = _streaming(codec)
        self.device = self.network.device
        self.state = self.network.encoder_state(1)
        self.pending = np.zeros(0, np.float32)
        self.samples = self.frames = 0

    def push(self, samples: npt.NDArray[np.float32]) -> list[Packet]:
        """Take samples, any number; return the packets of the frames they complete."""
        self.samples += len(samples)
        self.pending = np.concatenate([self.pending, np.asarray(samples, np.float32)])
        ready = len(self.pending) // self.codec.hop_length * self.codec.hop_length
        chunk, self.pending = self.pending[:ready], self.pending[ready:]
        return self._packets(chunk) if ready else []

    def finish(self) -> list[Packet]:
        """Send the last samples and enough silence to bring them through the delay."""
        missing = int(self.codec.frames_of(self.samples)) - self.frames
        chunk = np.zeros(missing * self.codec.hop_length, np.float32)
        chunk[: len(self.pending)] = self.pending
        self.pending = np.zeros(0, np.float32)
        return self._packets(chunk) if missing else []

    def _packets(self, chunk: npt.NDArray[np.float32]) -> list[Packet]:
        with torch.inference_mode():
            x = torch.from_numpy(chunk).to(self.device)[None, None]
            latents, self.state = self.network.encoder.step(x, self.state)
            codes = self.network.quantizer.encode(latents, self.codec.layers)[0].cpu().numpy()
        self.frames += codes.shape[1]
        return frame_packets(codes, self.codec.widths)


class NeuralDecoderStream(DecoderStream):
    """Decodes frame by frame; a lost frame repeats the latents before it, fading.

    Parameters
    ----------
    codec : NeuralCodec
        With a network that streams.
    """

    def __init__(self, codec: NeuralCodec) -> None:
        self.codec = codec
        self.network = _streaming(codec)
        self.device = self.network.device
        self.state = self.network.decoder_state(1)
        self.latents: Tensor | None = None

    def push(self, packet: Packet | None) -> npt.NDArray[np.float32]:
        """Take the next packet, None if lost; return one hop of samples."""
        with torch.inference_mode():
            self.latents = self._concealed() if packet is None else self._latents(packet)
            waves, self.state = self.network.decoder.step(self.latents, self.state)
        return waves[0, 0].float().cpu().numpy()

    def _latents(self, packet: Packet) -> Tensor:
        widths = self.codec.widths
        if packet.bits != sum(widths):
            raise BitstreamError(f"a packet has {packet.bits} bits where {sum(widths)} are due")
        codes = unpack(packet.data, widths)
        if codes.max() >= self.codec.shape.quantizer.codebook_size:
            raise BitstreamError("a code lies outside its codebook")
        return self.network.quantizer.decode(torch.from_numpy(codes).to(self.device)[None, :, None])

    def _concealed(self) -> Tensor:
        if self.latents is None:
            channels = self.codec.shape.latent_channels
            return torch.zeros(1, channels, 1, device=self.device)
        return self.latents * FADE


def _streaming(codec: NeuralCodec) -> StreamingNetwork:
    network = codec.network
    if not isinstance(network, StreamingNetwork) or not network.causal:
        raise CodecError(f"{codec.spec} looks ahead and cannot stream")
    return network
