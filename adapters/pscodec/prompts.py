"""The prompts of PSCodec: what is sent of the speaker once an utterance, as codes.

Whatever the decoder needs of a prompt passes a quantizer here, so that it can travel as side
information and be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pydantic
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...bits import bits_for
from ...errors import AudioError, UserError
from ...speaker import SpeakerEncoder, load_speaker_encoder
from ..nn.conv import Conv1d
from ..nn.losses.spectra import MelScale, mel_filterbank
from ..nn.quantizer import QuantizerConfig, ResidualVectorQuantizer
from ..nn.sizes import Bins, Channels, Samples, Window
from ..nn.spectrum import Resolution

VOICEPRINT_RATE = 16_000
"""Of all speaker encoders, in Hz."""
_MEL_FLOOR = 1e-4
_QUERY_SPREAD = 3.0


class PromptQuantizerConfig(pydantic.BaseModel):
    """A residual vector quantizer of prompts, whose codebooks are running means."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    codebooks: int = pydantic.Field(ge=1, le=256)
    """Residual layers of each group."""
    codebook_size: int = pydantic.Field(default=256, ge=2, le=65_536)
    groups: int = pydantic.Field(default=1, ge=1, le=64)
    """Equal parts of the vector, each with residual layers of its own."""

    @property
    def full(self) -> QuantizerConfig:
        """The whole configuration of the quantizer."""
        return QuantizerConfig(**self.model_dump(), update="ema")

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of the codes of one vector."""
        return (bits_for(self.codebook_size),) * (self.codebooks * self.groups)


class PromptConfig(pydantic.BaseModel):
    """What both prompt encoders have: vectors that are quantized."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    channels: Channels
    """Of the vectors that are quantized."""
    quantizer: PromptQuantizerConfig

    @pydantic.model_validator(mode="after")
    def _check(self) -> PromptConfig:
        self.quantizer.full.check_split(self.channels)
        return self


class VoiceprintConfig(PromptConfig):
    """VPP-Enc: a frozen speaker-verification network, one vector an utterance."""

    encoder: str = pydantic.Field(default="ge2e", min_length=1)
    """Name of a registered speaker encoder; see `codecbench.speaker`."""
    dimension: Channels = 256
    """Length of its embeddings."""
    channels: Channels = 64
    """Of the vector that is quantized."""
    quantizer: PromptQuantizerConfig = PromptQuantizerConfig(codebooks=4, groups=8)

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of each code of the voiceprint."""
        return self.quantizer.widths


class MelPromptConfig(PromptConfig):
    """MelP-Enc: a learned encoder of the log-mel spectrogram, a few vectors an utterance."""

    window: Window = 1024
    hop_length: Samples = 256
    bins: Bins = 80
    channels: Channels = 128
    """Of its convolutions and of the vectors that are quantized."""
    blocks: int = pydantic.Field(default=3, ge=0, le=8)
    """Each halves the frame rate."""
    vectors: int = pydantic.Field(default=8, ge=1, le=256)
    """Into which attention pools all frames."""
    quantizer: PromptQuantizerConfig = PromptQuantizerConfig(codebooks=2, groups=2)

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of each code of all vectors, vector after vector."""
        return self.quantizer.widths * self.vectors


class VoiceprintEncoder(nn.Module):
    """VPP-Enc: embedding, linear layer, norm, quantizer.

    With a norm there is no need of a commitment, under which prompts would rather all be alike
    before the decoder has learnt to use them.

    The speaker encoder is frozen and not a part of this module: it is loaded by name.

    Parameters
    ----------
    config : VoiceprintConfig
    """

    def __init__(self, config: VoiceprintConfig) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(config.dimension, config.channels)
        self.quantizer = ResidualVectorQuantizer(config.channels, config.quantizer.full)

    def vectors(self, embeddings: Tensor) -> Tensor:
        """Map embeddings (batch, dimension) to vectors (batch, channels, 1)."""
        # Entries of unit vectors shrink with the root of their number; this brings them to one.
        scaled = self.linear(embeddings * embeddings.shape[-1] ** 0.5)
        return F.layer_norm(scaled, scaled.shape[-1:])[..., None]

    def embed_excerpts(self, waves: Tensor) -> Tensor:
        """Embed excerpts (batch, samples) at `VOICEPRINT_RATE`, quickly, for training."""
        encoder = speaker_encoder(self.config, waves.device)
        return torch.from_numpy(encoder.embed_excerpts(waves.cpu().numpy())).to(waves.device)

    def embed(self, wave: npt.NDArray[Any], device: torch.device) -> Tensor:
        """Embed one utterance (samples,) at `VOICEPRINT_RATE`: (1, dimension), zero if silent."""
        encoder = speaker_encoder(self.config, device)
        try:
            embedding = encoder.embed(wave)
        except AudioError:  # nobody speaks: zeros are what training hears of silence as well
            embedding = np.zeros(self.config.dimension, np.float32)
        return torch.from_numpy(embedding).to(device)[None]


def speaker_encoder(config: VoiceprintConfig, device: torch.device) -> SpeakerEncoder:
    """Return the frozen network that a voiceprint is of.

    Raises
    ------
    UserError
        If there is none of this name, or its embeddings are of another length.
    """
    encoder = load_speaker_encoder(config.encoder, str(device))
    found = (encoder.dimension, encoder.sample_rate)
    if found != (config.dimension, VOICEPRINT_RATE):
        raise UserError(
            f"voiceprint: speaker encoder {config.encoder} gives {found[0]} numbers at {found[1]}"
            f" Hz; dimension = {config.dimension} at {VOICEPRINT_RATE} Hz are asked for"
        )
    return encoder


class MelPromptEncoder(nn.Module):
    """MelP-Enc: log-mel spectrogram, convolutions, attention pooling, norm, quantizer.

    Parameters
    ----------
    config : MelPromptConfig
    sample_rate : int
        In Hz.
    """

    filters: Tensor

    def __init__(self, config: MelPromptConfig, sample_rate: int) -> None:
        super().__init__()
        self.config = config
        resolution = Resolution(config.window, config.hop_length, config.window)
        filters = mel_filterbank(MelScale(resolution, config.bins), sample_rate)
        self.register_buffer("filters", filters, persistent=False)
        channels = config.channels
        layers: list[nn.Module] = [Conv1d(filters.shape[1], channels, 3, causal=False)]
        for _ in range(config.blocks):
            layers += [nn.ELU(), Conv1d(channels, channels, 4, 2, causal=False)]
        self.convolutions = nn.Sequential(*layers)
        # Far enough apart that queries find different frames before they have learnt anything.
        self.queries = nn.Parameter(_QUERY_SPREAD * torch.randn(config.vectors, channels))
        self.key_value = nn.Linear(channels, 2 * channels)
        self.quantizer = ResidualVectorQuantizer(channels, config.quantizer.full)

    def vectors(self, waves: Tensor) -> Tensor:
        """Map waveforms (batch, samples) to vectors (batch, channels, vectors)."""
        frames = self.convolutions(self._log_mel(waves)).transpose(1, 2)
        normed = F.layer_norm(frames, frames.shape[-1:])
        keys, values = self.key_value(normed).chunk(2, dim=-1)
        queries = self.queries.expand(len(waves), -1, -1)
        pooled = F.scaled_dot_product_attention(queries, keys, values)
        return F.layer_norm(pooled, pooled.shape[-1:]).transpose(1, 2)

    def _log_mel(self, waves: Tensor) -> Tensor:
        """Return (batch, bins, frames), about zero mean and unit deviation for speech."""
        window, hop = self.config.window, self.config.hop_length
        padded = F.pad(waves, (window // 2, window // 2))
        taper = torch.hann_window(window, dtype=waves.dtype, device=waves.device)
        spectra = torch.stft(padded, window, hop, window=taper, center=False, return_complex=True)
        magnitudes = spectra.abs() / taper.square().sum().sqrt()
        mels = self.filters.to(waves.dtype).T @ magnitudes
        logarithms: Tensor = (mels + _MEL_FLOOR).log()
        return logarithms / 3 + 1


@dataclass(frozen=True)
class Prompts:
    """What a decoder gets of the prompts, after their quantizers.

    Parameters
    ----------
    voiceprint : Tensor, shape (batch, channels, 1), or None
    mel_prompt : Tensor, shape (batch, channels, vectors), or None
        None where the network has no such encoder.
    """

    voiceprint: Tensor | None = None
    mel_prompt: Tensor | None = None
