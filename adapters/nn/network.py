"""What every neural codec's network offers: encoder, quantizer and decoder around one frame rate."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field

import pydantic
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .quantizer import Quantized, QuantizerConfig, ResidualVectorQuantizer
from .seanet import SeanetConfig, SeanetDecoder, SeanetEncoder
from .streaming import StreamingModule


@dataclass(frozen=True)
class Reconstruction:
    """What a network makes of a training batch.

    Parameters
    ----------
    waves : Tensor, shape (batch, samples)
        On the time axis of the input: the delay is removed.
    latents : Tensor, shape (batch, channels, frames)
        Before quantization.
    quantized : Quantized or None
        None if the quantizer was passed by.
    losses : dict of str to Tensor
        Terms of the network's own, which a recipe weighs by name.
    """

    waves: Tensor
    latents: Tensor
    quantized: Quantized | None
    losses: dict[str, Tensor] = field(default_factory=dict)


class CodecNetwork(nn.Module, abc.ABC):
    """Waveforms to latents, latents to codes, and back.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    hop_length : int
        Samples a frame.
    delay_samples : int
        By which the decoder's output lags.
    causal : bool
    quantizer : ResidualVectorQuantizer
    """

    sample_rate: int
    hop_length: int
    delay_samples: int
    causal: bool
    quantizer: ResidualVectorQuantizer

    @abc.abstractmethod
    def encode(self, waves: Tensor) -> Tensor:
        """Turn waveforms (batch, samples) into latents (batch, channels, ceil(samples / hop))."""

    @abc.abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Turn latents (batch, channels, frames) into waveforms (batch, frames * hop), delayed."""

    def forward(
        self, waves: Tensor, layers: Tensor | None = None, quantize: bool = True
    ) -> Reconstruction:
        """Reconstruct a training batch.

        Parameters
        ----------
        waves : Tensor, shape (batch, samples)
        layers : Tensor of int, shape (batch,), optional
            Residual layers each item uses; all if None.
        quantize : bool
            Whether latents pass the quantizer.
        """
        samples = waves.shape[-1]
        missing = -(samples + self.delay_samples) % self.hop_length
        latents = self.encode(F.pad(waves, (0, self.delay_samples + missing))).float()
        quantized = self.quantizer(latents, layers) if quantize else None
        decoded = self.decode(latents if quantized is None else quantized.latents)
        on_time = decoded[:, self.delay_samples : self.delay_samples + samples].float()
        return Reconstruction(on_time, latents, quantized)


class StreamingNetwork(CodecNetwork):
    """A network whose encoder and decoder run chunk by chunk.

    Attributes
    ----------
    encoder, decoder : StreamingModule
        Between (batch, 1, samples) and (batch, channels, frames).
    """

    encoder: StreamingModule
    decoder: StreamingModule

    def encode(self, waves: Tensor) -> Tensor:
        """Run the encoder; see `CodecNetwork.encode`."""
        missing = -waves.shape[-1] % self.hop_length
        latents: Tensor = self.encoder(F.pad(waves, (0, missing))[:, None])
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Run the decoder; see `CodecNetwork.decode`."""
        waves: Tensor = self.decoder(latents)
        return waves[:, 0]


class SeanetNetworkConfig(pydantic.BaseModel):
    """Configuration of a `SeanetNetwork`; a recipe's ``[model]`` table."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sample_rate: int
    """In Hz."""
    seanet: SeanetConfig = SeanetConfig()
    quantizer: QuantizerConfig = QuantizerConfig()


class SeanetNetwork(StreamingNetwork):
    """SEANet encoder and decoder around a residual vector quantizer.

    Parameters
    ----------
    config : SeanetNetworkConfig
    """

    def __init__(self, config: SeanetNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.hop_length = config.seanet.hop_length
        self.delay_samples = config.seanet.delay_samples
        self.causal = config.seanet.causal
        self.encoder = SeanetEncoder(config.seanet)
        self.quantizer = ResidualVectorQuantizer(config.seanet.latent_channels, config.quantizer)
        self.decoder = SeanetDecoder(config.seanet)


def parameter_count(network: nn.Module) -> int:
    """Count trained values: parameters and codebooks."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    entries = sum(buffer.numel() for name, buffer in network.named_buffers() if "entries" in name)
    return parameters + entries


def in_eval_mode(network: nn.Module, device: torch.device | str) -> nn.Module:
    """Put a network on a device for inference, without gradients."""
    return network.to(device).eval().requires_grad_(False)
