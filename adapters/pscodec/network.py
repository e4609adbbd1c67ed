"""The network of PSCodec: a backbone, a grouped residual quantizer and two prompt encoders."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pydantic
import torch
from torch import Tensor

from ...audio import resample
from ..nn.companding import CompandingConfig
from ..nn.hifigan import HifiganGenerator
from ..nn.network import CodecNetwork, Reconstruction, companded
from ..nn.quantizer import QuantizerConfig, ResidualVectorQuantizer
from .backbone import BackboneConfig, BackboneEncoder
from .disentanglement import disentanglement_loss
from .fusion import FusionConfig, WeightedFusion, build_fusion
from .prompts import (
    VOICEPRINT_RATE,
    MelPromptConfig,
    MelPromptEncoder,
    Prompts,
    VoiceprintConfig,
    VoiceprintEncoder,
)

PROMPT_SECONDS = 30.0
"""How much of the beginning of an utterance the prompts are taken from, to bound memory."""


class PscodecNetworkConfig(pydantic.BaseModel):
    """Configuration of `PscodecNetwork`; a recipe's ``[model]`` table."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sample_rate: int = pydantic.Field(ge=1000, le=384_000)
    """In Hz."""
    backbone: BackboneConfig = BackboneConfig()
    quantizer: QuantizerConfig = QuantizerConfig(codebooks=4, groups=2, update="gradient")
    companding: CompandingConfig | None = None
    """Compression of what is loud behind the first convolution; None: there is none."""
    voiceprint: VoiceprintConfig | None = VoiceprintConfig()
    """VPP-Enc; false: there is none."""
    mel_prompt: MelPromptConfig | None = MelPromptConfig()
    """MelP-Enc; false: there is none."""
    fusion: FusionConfig = FusionConfig()

    @pydantic.field_validator("voiceprint", "mel_prompt", mode="before")
    @classmethod
    def _none_if_false(cls, value: Any) -> Any:
        return None if value is False else value  # TOML has no null

    @pydantic.model_validator(mode="after")
    def _check(self) -> PscodecNetworkConfig:
        latents = self.backbone.latent_channels
        self.quantizer.check_split(latents, "latent channels")
        if self.fusion.kind == "cascaded_attention" and latents % self.fusion.heads:
            raise ValueError(
                f"fusion: {latents} latent channels cannot be split in {self.fusion.heads} heads"
            )
        self._check_companding()
        return self

    def _check_companding(self) -> None:
        if self.companding is None:
            return
        bands, backbone = self.companding.bands, self.backbone
        channels = {backbone.encoder_channels[0], backbone.decoder_channels[0]}
        if bands is None or any(count % bands for count in channels):
            raise ValueError(f"companding: {min(channels)} channels must be split in bands")
        if backbone.output_activation != "none" or backbone.first_stride == 1:
            raise ValueError(
                "companding: needs backbone.first_stride above 1 and output_activation = none"
            )

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        return self.backbone.hop_length

    @property
    def delay_samples(self) -> int:
        """By how much the decoder's output lags."""
        return self.backbone.delay_samples

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.backbone.latent_channels

    @property
    def causal(self) -> bool:
        """False: the backbone is centred."""
        return False

    @property
    def side_widths(self) -> tuple[int, ...]:
        """Bits of each code of the side information: the voiceprint's, then the mel prompt's."""
        parts = (self.voiceprint, self.mel_prompt)
        return tuple(width for part in parts if part is not None for width in part.widths)


class PscodecNetwork(CodecNetwork):
    """PSCodec.

    Parameters
    ----------
    config : PscodecNetworkConfig

    References
    ----------
    arXiv 2404.02702 (abstract); the adapter's README says what is inferred.
    """

    hears_prompts = True

    def __init__(self, config: PscodecNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.hop_length = config.hop_length
        self.delay_samples = config.delay_samples
        self.causal = config.causal
        self.mdct_start = config.backbone.mdct_start
        encoder = BackboneEncoder(config.backbone)
        decoder = HifiganGenerator(config.latent_channels, config.backbone.generator)
        self.encoder, self.decoder = companded(encoder, decoder, config.companding)
        self.quantizer = ResidualVectorQuantizer(config.latent_channels, config.quantizer)
        voiceprint, mel = config.voiceprint, config.mel_prompt
        self.voiceprint = None if voiceprint is None else VoiceprintEncoder(voiceprint)
        self.mel_prompt = None if mel is None else MelPromptEncoder(mel, config.sample_rate)
        self.fusion = build_fusion(
            config.fusion,
            config.latent_channels,
            None if voiceprint is None else voiceprint.channels,
            None if mel is None else mel.channels,
        )

    def encode(self, waves: Tensor) -> Tensor:
        """Run the encoder; see `CodecNetwork.encode`. It knows nothing of the prompts."""
        latents: Tensor = self.encoder(self.whole_frames(waves))
        return latents

    def decode(self, latents: Tensor, prompts: Prompts | None = None) -> Tensor:
        """Fuse latents with prompts and run the decoder; see `CodecNetwork.decode`.

        Parameters
        ----------
        latents : Tensor, shape (batch, channels, frames)
        prompts : Prompts, optional
            Zeros if not given: what is measured of the stream alone, as its latency is.
        """
        fused, _ = self.fusion(latents, prompts or self._zero_prompts(latents))
        return self._decoded(fused)

    def _decoded(self, fused: Tensor) -> Tensor:
        waves: Tensor = self.decoder(fused)[:, 0]
        return waves

    def _zero_prompts(self, latents: Tensor) -> Prompts:
        voiceprint, mel = self.config.voiceprint, self.config.mel_prompt
        batch = len(latents)
        return Prompts(
            None if voiceprint is None else latents.new_zeros(batch, voiceprint.channels, 1),
            None if mel is None else latents.new_zeros(batch, mel.channels, mel.vectors),
        )

    # -- training ----------------------------------------------------------------------------

    def forward(
        self,
        waves: Tensor,
        layers: Tensor | None = None,
        quantize: bool = True,
        denoise: Tensor | None = None,
        prompts: Tensor | None = None,
    ) -> Reconstruction:
        """Reconstruct a training batch; see `CodecNetwork.forward`.

        Parameters
        ----------
        waves, layers, quantize, denoise
            As there.
        prompts : Tensor, shape (batch, samples), optional
            Speech that prompts are taken from; `waves` if not given.
        """
        self.set_denoising(denoise)
        latents = self.latents_through_delay(waves)
        with torch.autocast(latents.device.type, enabled=False):  # 16 bits confuse codewords
            quantized = self.quantizer(latents, layers) if quantize else None
            heard = self.side_latents(waves if prompts is None else prompts)
            parts = self.side_quantizers if quantize else {}
            side = {name: quantizer(heard[name]) for name, quantizer in parts.items()}
        heard |= {name: one.latents for name, one in side.items()}
        stream = latents if quantized is None else quantized.latents
        fused, maps = self.fusion(stream, Prompts(**heard))
        losses = {}
        if maps and isinstance(self.fusion, WeightedFusion):  # CasAN is to do without
            losses["disentanglement"] = lambda: disentanglement_loss(
                [one.float() for one in (latents, *maps)]
            )
        decoded = self.on_time(self._decoded(fused), waves)
        return Reconstruction(decoded, latents, quantized, losses, side)

    @property
    def side_quantizers(self) -> dict[str, ResidualVectorQuantizer]:
        """Quantizers of voiceprint and mel prompt; see `CodecNetwork.side_quantizers`."""
        parts = {"voiceprint": self.voiceprint, "mel_prompt": self.mel_prompt}
        return {name: part.quantizer for name, part in parts.items() if part is not None}

    def side_latents(self, prompts: Tensor) -> dict[str, Tensor]:
        """Return vectors of excerpts, before their quantizers; see `CodecNetwork.side_latents`."""
        found = {}
        if self.voiceprint is not None:
            embeddings = self.voiceprint.embed_excerpts(self._at_voiceprint_rate(prompts))
            found["voiceprint"] = self.voiceprint.vectors(embeddings)
        if self.mel_prompt is not None:
            found["mel_prompt"] = self.mel_prompt.vectors(prompts)
        return found

    def _at_voiceprint_rate(self, waves: Tensor) -> Tensor:
        if self.sample_rate == VOICEPRINT_RATE:
            return waves
        rows = [_resampled(wave, self.sample_rate) for wave in waves.cpu().numpy()]
        return torch.from_numpy(np.stack(rows)).to(waves.device)

    # -- side information --------------------------------------------------------------------

    @torch.no_grad()
    def prompt_codes(self, wave: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """Return the codes of an utterance's prompts, as many as `side_widths`.

        Parameters
        ----------
        wave : array, shape (samples,)
            At the network's rate; of what is longer, the first `PROMPT_SECONDS` are taken.
        """
        wave = wave[: round(PROMPT_SECONDS * self.sample_rate)]
        codes = []
        if self.voiceprint is not None:
            speech = _resampled(wave, self.sample_rate)
            vectors = self.voiceprint.vectors(self.voiceprint.embed(speech, self.device))
            codes.append(self.voiceprint.quantizer.encode(vectors))
        if self.mel_prompt is not None:
            vectors = self.mel_prompt.vectors(torch.tensor(wave, device=self.device)[None])
            codes.append(self.mel_prompt.quantizer.encode(vectors).transpose(1, 2))
        found = [one.flatten().cpu().numpy() for one in codes]
        return np.concatenate([np.zeros(0, np.int64), *found])

    @torch.no_grad()
    def prompts_of(self, codes: npt.NDArray[np.int64]) -> Prompts:
        """Return what the decoder gets of the codes of a batch, shape (batch, codes)."""
        rows = torch.from_numpy(codes).to(self.device)
        voiceprint, mel = None, None
        if self.voiceprint is not None:
            count = len(self.voiceprint.quantizer)
            voiceprint = self.voiceprint.quantizer.decode(rows[:, :count, None])
            rows = rows[:, count:]
        if self.mel_prompt is not None:
            by_vector = rows.reshape(len(rows), self.mel_prompt.config.vectors, -1)
            mel = self.mel_prompt.quantizer.decode(by_vector.transpose(1, 2))
        return Prompts(voiceprint, mel)


def _resampled(wave: npt.NDArray[Any], rate: int) -> npt.NDArray[np.float32]:
    return resample(wave, rate, VOICEPRINT_RATE)
