"""SoundStream: a causal convolutional codec whose rate is chosen by dropping quantizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic

from ...errors import UserError
from ..nn.neural_base import NeuralConfig
from ..nn.neural_codec import NeuralCodec


class SoundStreamCodecConfig(NeuralConfig):
    """Configuration of `SoundStreamCodec`."""

    denoise: bool = False
    """Ask for denoised speech; needs weights that were trained with the switch."""


class SoundStreamCodec(NeuralCodec):
    """SoundStream (Zeghidour et al. 2021), reproduced from the paper."""

    name = "soundstream"
    version = "1"
    Config = SoundStreamCodecConfig
    title = "SoundStream"
    description = (
        "Causal convolutional autoencoder with a residual vector quantizer; quantizer dropout"
        " lets one network serve all its rates."
    )
    paper = "N. Zeghidour et al., SoundStream: An End-to-End Neural Audio Codec, arXiv 2107.03312"
    folder = Path(__file__).parent

    @classmethod
    def network_config(cls) -> type[pydantic.BaseModel]:
        """Return `SoundStreamConfig`."""
        from .network import SoundStreamConfig

        return SoundStreamConfig

    @classmethod
    def build_network(cls, config: Any) -> Any:
        """Build a `SoundStreamNetwork`."""
        from .network import SoundStreamNetwork

        return SoundStreamNetwork(config)

    def check_available(self) -> None:
        """Raise if the weights are not here or cannot do what is asked."""
        super().check_available()
        if self.config.denoise and not self.shape.denoising_switch:
            raise UserError(
                f"soundstream: the weights {self.config.weights} were trained without a"
                " denoising switch; leave out denoise=on"
            )

    def setup(self, device: str = "cpu") -> None:
        """Load the network and set its switch."""
        super().setup(device)
        if self.config.denoise:
            self.network.set_denoising(True)
