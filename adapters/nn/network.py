"""What every neural codec's network offers: encoder, quantizer and decoder, one frame rate."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pydantic
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserError
from .companding import CompandingConfig, Compressor, Expander
from .quantizer import Quantized, QuantizerConfig, ResidualVectorQuantizer
from .seanet import SeanetConfig, SeanetDecoder, SeanetEncoder
from .streaming import Chain, State, StreamingModule


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
    losses : dict of str to callable
        Terms of the network's own, which a recipe weighs by name; called only if it does.
    side : dict of str to Quantized
        What the network's `side_quantizers` made of the prompts.
    """

    waves: Tensor
    latents: Tensor
    quantized: Quantized | None
    losses: dict[str, Callable[[], Tensor]] = field(default_factory=dict)
    side: dict[str, Quantized] = field(default_factory=dict)


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
    denoises : bool
        Whether `forward` takes a switch that asks for denoising.
    hears_prompts : bool
        Whether `forward` takes speech, of the same speakers, that prompts are taken from.
    mdct_start : bool
        Whether the outer convolutions start as an MDCT.
    """

    denoises: bool = False
    hears_prompts: bool = False
    mdct_start: bool = False
    sample_rate: int
    hop_length: int
    delay_samples: int
    causal: bool
    quantizer: ResidualVectorQuantizer

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.parameters()).device

    @property
    def side_quantizers(self) -> dict[str, ResidualVectorQuantizer]:
        """Quantizers of what is sent once a signal, by the part of the network they are in."""
        return {}

    def side_latents(self, prompts: Tensor) -> dict[str, Tensor]:
        """Return what these quantizers represent of speech (batch, samples): (batch, c, vectors).

        How many vectors there are does not depend on the speech.
        """
        return {}

    @abc.abstractmethod
    def encode(self, waves: Tensor) -> Tensor:
        """Turn waveforms (batch, samples) into latents (batch, channels, ceil(samples / hop))."""

    @abc.abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Turn latents (batch, channels, frames) into waveforms (batch, frames * hop), delayed."""

    def set_denoising(self, denoise: Tensor | bool | None) -> None:
        """Set the denoising switch of what is coded next, one value or one an item.

        Raises
        ------
        ValueError
            If the network has no such switch.
        """
        if denoise is not None and not self.denoises:
            raise ValueError("this network was built without a denoising switch")

    def start_decoder_as(self, tensors: Mapping[str, Tensor]) -> None:
        """Start the decoder as the smaller one of other weights, which it can imitate.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            The other network's state.

        Raises
        ------
        UserError
            If it cannot.
        """
        raise UserError("start = symmetric_decoder needs a vocoder as decoder")

    def encode_in_chunks(self, waves: Tensor, chunk_frames: int) -> Tensor:
        """Encode like `encode`; networks that stream work in chunks, to bound memory."""
        return self.encode(waves)

    def decode_in_chunks(self, latents: Tensor, chunk_frames: int) -> Tensor:
        """Decode like `decode`; networks that stream work in chunks, to bound memory."""
        return self.decode(latents)

    def forward(
        self,
        waves: Tensor,
        layers: Tensor | None = None,
        quantize: bool = True,
        denoise: Tensor | None = None,
    ) -> Reconstruction:
        """Reconstruct a training batch.

        Parameters
        ----------
        waves : Tensor, shape (batch, samples)
        layers : Tensor of int, shape (batch,), optional
            Residual layers each item uses; all if None.
        quantize : bool
            Whether latents pass the quantizer.
        denoise : Tensor of bool, shape (batch,), optional
            Which items are asked to come back denoised; for networks that denoise.
        """
        self.set_denoising(denoise)
        latents = self.latents_through_delay(waves)
        with torch.autocast(latents.device.type, enabled=False):  # 16 bits confuse codewords
            quantized = self.quantizer(latents, layers) if quantize else None
        decoded = self.decode(latents if quantized is None else quantized.latents)
        return Reconstruction(self.on_time(decoded, waves), latents, quantized)

    def latents_through_delay(self, waves: Tensor) -> Tensor:
        """Encode a training batch and enough silence to bring its end through the delay."""
        return self.encode(F.pad(waves, (0, self.delay_samples))).float()

    def on_time(self, decoded: Tensor, waves: Tensor) -> Tensor:
        """Put what was decoded of a training batch onto the batch's own time axis."""
        return decoded[:, self.delay_samples : self.delay_samples + waves.shape[-1]].float()

    def whole_frames(self, waves: Tensor) -> Tensor:
        """Pad waveforms (batch, samples) to whole frames, (batch, 1, frames * hop)."""
        return F.pad(waves, (0, -waves.shape[-1] % self.hop_length))[:, None]


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
        latents: Tensor = self.encoder(self.whole_frames(waves))
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Run the decoder; see `CodecNetwork.decode`."""
        waves: Tensor = self.decoder(latents)
        return waves[:, 0]

    def encoder_state(self, batch: int) -> State:
        """Return the state in which the encoder of a signal begins."""
        return self.encoder.initial_state(batch, self.device)

    def decoder_state(self, batch: int) -> State:
        """Return the state in which the decoder of a signal begins."""
        return self.decoder.initial_state(batch, self.device)

    def encode_in_chunks(self, waves: Tensor, chunk_frames: int) -> Tensor:
        """Encode a long signal chunk by chunk, unless the network looks ahead."""
        if not self.causal:
            return self.encode(waves)
        signal = self.whole_frames(waves)
        state = self.encoder_state(len(waves))
        return _in_chunks(self.encoder, signal, state, chunk_frames * self.hop_length)

    def decode_in_chunks(self, latents: Tensor, chunk_frames: int) -> Tensor:
        """Decode many frames chunk by chunk, unless the network looks ahead."""
        if not self.causal:
            return self.decode(latents)
        state = self.decoder_state(len(latents))
        return _in_chunks(self.decoder, latents, state, chunk_frames)[:, 0]


def _in_chunks(module: StreamingModule, x: Tensor, state: State, size: int) -> Tensor:
    parts = []
    for chunk in torch.split(x, size, dim=-1):
        part, state = module.step(chunk, state)
        parts.append(part)
    return torch.cat(parts, dim=-1)


class SeanetNetworkConfig(pydantic.BaseModel):
    """Configuration of a `SeanetNetwork`; a recipe's ``[model]`` table."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sample_rate: int = pydantic.Field(ge=1000, le=384_000)
    """In Hz."""
    seanet: SeanetConfig = SeanetConfig()
    quantizer: QuantizerConfig = QuantizerConfig()
    companding: CompandingConfig | None = None
    """Compression of what is loud before the quantizer; None: there is none."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> SeanetNetworkConfig:
        self.quantizer.check_split(self.seanet.latent_channels, "latent channels")
        bands = self.companding.bands if self.companding is not None else None
        channels = {self.seanet.encoder_channels[0], self.seanet.decoder_channels[0]}
        if bands is not None and any(count % bands for count in channels):
            raise ValueError(
                f"companding: {min(channels)} channels cannot be split in {bands} bands"
            )
        if bands is not None and self.seanet.output_activation != "none":
            raise ValueError("companding: bands need seanet.output_activation = none")
        return self

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return self.seanet.hop_length

    @property
    def delay_samples(self) -> int:
        """By how much the decoder's output lags."""
        return self.seanet.delay_samples

    @property
    def latency_samples(self) -> int:
        """Algorithmic latency of a causal network."""
        return self.seanet.latency_samples

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.seanet.latent_channels

    @property
    def causal(self) -> bool:
        """Whether nothing looks ahead."""
        return self.seanet.causal


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
        self.hop_length = config.hop_length
        self.delay_samples = config.delay_samples
        self.causal = config.causal
        self.mdct_start = config.seanet.mdct_start
        encoder, decoder = SeanetEncoder(config.seanet), self.build_decoder(config)
        self.encoder, self.decoder = companded(encoder, decoder, config.companding)
        self.quantizer = ResidualVectorQuantizer(config.seanet.latent_channels, config.quantizer)

    @classmethod
    def build_decoder(cls, config: Any) -> Chain:
        """Build the decoder, whose last layer makes the waveform."""
        return SeanetDecoder(config.seanet)


def companded(
    encoder: Chain, decoder: Chain, companding: CompandingConfig | None
) -> tuple[Chain, Chain]:
    """Put companding, where the configuration has some, between a network's convolutions."""
    if companding is None:
        return encoder, decoder
    if companding.bands is None:
        return Chain([encoder, Compressor(companding)]), Chain([Expander(companding), decoder])
    encoder.layers.insert(1, Compressor(companding))
    decoder.layers.insert(len(decoder.layers) - 1, Expander(companding))
    return encoder, decoder


def parameter_count(network: nn.Module) -> int:
    """Count what is learnt from data: parameters, codebooks, statistics."""
    return sum(tensor.numel() for tensor in network.state_dict().values())


def in_eval_mode(network: nn.Module, device: torch.device | str) -> nn.Module:
    """Put a network on a device for inference, without gradients."""
    return network.to(device).eval().requires_grad_(False)
