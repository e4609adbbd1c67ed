"""Speaker similarity by WavLM: a second encoder beside GE2E, on which some codecs condition."""

from __future__ import annotations

from typing import Any

import pydantic

from ..component import Config, Requirement
from ..errors import UnavailableError
from ..metric import Column, Law
from ..speaker import SpeakerEncoder
from ..speaker_wavlm import DEFAULT_WEIGHTS, TRANSFORMERS, WavlmWeights, load_wavlm_encoder
from .speaker_cosine import SpeakerCosine


class WavlmConfig(Config):
    """Which weights."""

    weights: str = DEFAULT_WEIGHTS
    """OWNER/NAME of a model on the Hugging Face hub (must be in its cache), or a folder's path
    (config.json, preprocessor_config.json, model.safetensors)."""

    @pydantic.field_validator("weights")
    @classmethod
    def _known(cls, weights: str) -> str:
        WavlmWeights.named(weights)
        return weights


class WavlmSpeakerSimilarity(SpeakerCosine):
    """Cosine of WavLM's x-vectors; the values of other encoders or weights are not comparable."""

    name = "spk_sim_wavlm"
    requirements = (TRANSFORMERS, Requirement("module", "torch", "pip install torch"))
    Config = WavlmConfig
    config: WavlmConfig
    columns = (
        Column(
            "spk_sim_wavlm",
            "speaker similarity (WavLM)",
            "",
            "higher",
            bounds=(-1.0, 1.0),
            default=False,
            digits=3,
        ),
    )
    definition = """Cosine of the speaker embeddings of the reference and the decoded speech at
        16 kHz. Encoder: x-vectors on WavLM (transformers' WavLMForXVector) of the whole utterance
        at once, in single precision; pauses are kept, samples clipped to [-1, 1], the level is
        left or normalised as the weights' preprocessor_config.json says. Not comparable to values
        of GE2E- or ECAPA-based encoders. No score for silence, for less than the encoder needs
        (about 0.3 s) and for more than 60 s."""
    package = "transformers"
    paper = """Chen et al., WavLM: Large-scale self-supervised pre-training for full stack speech
        processing, IEEE J. Sel. Top. Signal Process. 2022"""
    laws = (Law("identity_is_best", ("spk_sim_wavlm",), tolerance=1e-6),)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.weights = WavlmWeights.named(self.config.weights)

    def describe_definition(self) -> str:
        """Return the definition with the weights, down to their hash."""
        return f"{self.definition} Weights: {self.weights.describe()}."

    def check_available(self) -> None:
        """Raise `UnavailableError` unless the weights are at hand; nothing is downloaded."""
        super().check_available()
        try:
            self.weights.check_available()
        except UnavailableError as error:
            raise UnavailableError(f"{self.name} cannot run here: {error}") from error

    def _load_encoder(self, device: str) -> SpeakerEncoder:
        return load_wavlm_encoder(self.weights, device)
