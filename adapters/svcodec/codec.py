"""SVCODEC: a streaming codec at 8 kHz, 0.5 to 4 kbit/s in steps of 0.5."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..nn.neural_base import BUNDLED, NeuralConfig
from ..nn.neural_codec import NeuralCodec

if TYPE_CHECKING:
    from ..nn.weights import OfficialWeights


class SvcodecConfig(NeuralConfig):
    """Configuration of `SvcodecCodec`."""

    variant: Literal["final", "v1", "v2"] = "final"
    """``final``: balanced training and codebook loss; ``v1``: plain quantizer dropout; ``v2``: no
    codebook loss. What the authors left out of v1 and v2 is not public: this is our reading."""


class SvcodecCodec(NeuralCodec):
    """SVCODEC (2025), reproduced from its abstract, demo page and demo audio."""

    name = "svcodec"
    version = "1"
    Config = SvcodecConfig
    config: SvcodecConfig
    title = "SVCODEC"
    description = (
        "Causal convolutional autoencoder at 8 kHz with a residual vector quantizer whose"
        " codebooks are trained in balance; one network serves 0.5 to 4 kbit/s."
    )
    paper = (
        "A streaming variable neural speech codec, Engineering Applications of Artificial"
        " Intelligence 2025, doi 10.1016/j.engappai.2025.112418"
    )
    folder = Path(__file__).parent
    variants = ("final", "v1", "v2")

    @classmethod
    def official_weights(cls) -> OfficialWeights:
        """Say why the authors' checkpoints cannot be fetched."""
        from ..nn.weights import OfficialWeights

        return OfficialWeights.unavailable(
            "the authors' SVCODEC checkpoints lie on a file-sharing service without a stable"
            " address, and their layout is not public"
        )

    @property
    def variant(self) -> str:
        """The variant that the weights must be of."""
        return self.config.variant

    @property
    def weights_stem(self) -> str:
        """Name of the variant's bundled file."""
        return BUNDLED if self.config.variant == "final" else f"{BUNDLED}-{self.config.variant}"
