"""The network of AudioDec: SEANet and a residual quantizer, with one of two decoders."""

from __future__ import annotations

from collections.abc import Mapping

import pydantic
import torch
from torch import Tensor

from ..nn.hifigan import HifiganConfig, HifiganGenerator
from ..nn.network import SeanetNetwork, SeanetNetworkConfig
from ..nn.seanet import SeanetConfig
from ..nn.streaming import Chain, State

WARM_UP_SAMPLES = 8192
"""Of silence, which the authors' streams code before the signal; beyond what a frame hears."""


class AudioDecNetworkConfig(SeanetNetworkConfig):
    """Configuration of `AudioDecNetwork`."""

    seanet: SeanetConfig = SeanetConfig(
        strides=(3, 4, 5, 5),
        latent_channels=64,
        linear_path=True,
        biases="strided",
        frame_end="first",
        transposed_past="repeat",
    )
    vocoder: HifiganConfig | None = None
    """The vocoder that decodes in place of the symmetric decoder; None: the latter does."""

    @pydantic.model_validator(mode="after")
    def _check_vocoder(self) -> AudioDecNetworkConfig:
        if self.vocoder is None:
            return self
        if self.vocoder.hop_length != self.seanet.hop_length:
            raise ValueError(
                f"vocoder: a hop of {self.vocoder.hop_length} samples is not the encoder's,"
                f" {self.seanet.hop_length}"
            )
        if not self.seanet.causal:
            raise ValueError("vocoder: needs a causal encoder")
        if self.companding is not None:
            self._check_companding(self.vocoder, self.companding.bands)
        return self

    @staticmethod
    def _check_companding(vocoder: HifiganConfig, bands: int | None) -> None:
        if bands is None or vocoder.last_stride == 1 or vocoder.widths[-1] % bands:
            raise ValueError(
                "vocoder: companding needs bands, a last_stride above 1, and last channels that can"
                " be split in the bands"
            )
        if vocoder.output_activation != "none":
            raise ValueError("vocoder: companding needs output_activation = none")


class AudioDecNetwork(SeanetNetwork):
    """AudioDec.

    Parameters
    ----------
    config : AudioDecNetworkConfig

    References
    ----------
    Wu et al., arXiv 2305.16608.
    """

    def __init__(self, config: AudioDecNetworkConfig) -> None:
        super().__init__(config)
        self.config: AudioDecNetworkConfig = config
        self.warms_up = False

    @classmethod
    def build_decoder(cls, config: AudioDecNetworkConfig) -> Chain:
        """Build the vocoder, or the symmetric decoder without one."""
        if config.vocoder is None:
            return super().build_decoder(config)
        return HifiganGenerator(config.latent_channels, config.vocoder)

    def start_decoder_as(self, tensors: Mapping[str, Tensor]) -> None:
        """Start the vocoder as a symmetric decoder; see `CodecNetwork.start_decoder_as`."""
        from .growth import grow

        if self.config.vocoder is None:
            return super().start_decoder_as(tensors)
        return grow(self, tensors)

    def encode(self, waves: Tensor) -> Tensor:
        """Run the encoder, from its warm state if it is asked to; see `CodecNetwork.encode`."""
        if not self.warms_up:
            return super().encode(waves)
        return self.encode_in_chunks(waves, max(1, -(-waves.shape[-1] // self.hop_length)))

    def decode(self, latents: Tensor) -> Tensor:
        """Run the decoder, from its warm state if it is asked to; see `CodecNetwork.decode`."""
        if not self.warms_up:
            return super().decode(latents)
        return self.decode_in_chunks(latents, max(1, latents.shape[-1]))

    def encoder_state(self, batch: int) -> State:
        """Return an empty past, or what silence leaves behind."""
        state = super().encoder_state(batch)
        return self._after_silence(batch)[0] if self.warms_up else state

    def decoder_state(self, batch: int) -> State:
        """Return an empty past, or what the codes of silence leave behind."""
        state = super().decoder_state(batch)
        if not self.warms_up:
            return state
        return self.decoder.step(self._after_silence(batch)[1], state)[1]

    @torch.no_grad()
    def _after_silence(self, batch: int) -> tuple[State, Tensor]:
        """Return the encoder's state after the warm-up, and the latents of its codes."""
        samples = -(-WARM_UP_SAMPLES // self.hop_length) * self.hop_length
        silence = torch.zeros(batch, 1, samples, device=self.device)
        latents, state = self.encoder.step(silence, super().encoder_state(batch))
        return state, self.quantizer.decode(self.quantizer.encode(latents))
