"""The network of SoundStream: SEANet, a residual vector quantizer and a denoising switch."""

from __future__ import annotations

import torch
from torch import Tensor

from ..nn.blocks import FeatureModulation
from ..nn.network import SeanetNetwork, SeanetNetworkConfig
from ..nn.streaming import Chain, Memoryless


class SoundStreamConfig(SeanetNetworkConfig):
    """Configuration of `SoundStreamNetwork`."""

    denoising_switch: bool = False
    """Whether the latents pass a feature-wise modulation that can be asked to denoise."""


class SoundStreamNetwork(SeanetNetwork):
    """SoundStream.

    Parameters
    ----------
    config : SoundStreamConfig

    References
    ----------
    arXiv 2107.03312, Section III.
    """

    def __init__(self, config: SoundStreamConfig) -> None:
        super().__init__(config)
        self.denoises = config.denoising_switch
        if self.denoises:
            self.encoder = Chain([self.encoder, DenoisingSwitch(config.latent_channels)])

    def set_denoising(self, denoise: Tensor | bool | None) -> None:
        """Set the switch of what is coded next; see `CodecNetwork.set_denoising`."""
        super().set_denoising(denoise)
        if self.denoises:
            self._switch.denoise = torch.as_tensor(False if denoise is None else denoise)

    @property
    def _switch(self) -> DenoisingSwitch:
        # Not an attribute: a module under two names would be stored and counted twice.
        assert isinstance(self.encoder, Chain)
        switch = self.encoder.layers[-1]
        assert isinstance(switch, DenoisingSwitch)
        return switch


class DenoisingSwitch(Memoryless):
    """Feature-wise modulation of the latents by a one-hot switch, at the encoder's end.

    One such layer at the bottleneck is enough (arXiv 2107.03312, Section III-F).

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.modulation = FeatureModulation(channels)
        self.denoise = torch.tensor(False)

    def forward(self, x: Tensor) -> Tensor:
        """Modulate latents (batch, channels, frames) by the switch as it is set."""
        flags = self.denoise.to(x.device).reshape(-1).expand(len(x))
        condition = torch.stack([~flags, flags], dim=-1).to(x.dtype)[:, None]
        y: Tensor = self.modulation(x, condition)
        return y
