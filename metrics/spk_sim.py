"""Speaker similarity: cosine of the speaker embeddings of reference and decoded speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..component import Requirement
from ..corpora.base import Utterance
from ..errors import AudioError, MetricError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal
from ..speaker import Embedding, SpeakerEncoder, load_speaker_encoder


@dataclass(frozen=True, eq=False)
class _Reference:
    signal: Signal
    embedding: Embedding


class SpeakerSimilarity(Metric):
    """Cosine of GE2E embeddings; the values of other encoders are not comparable to it."""

    name = "spk_sim"
    requirements = (
        Requirement("module", "resemblyzer", "pip install resemblyzer"),
        Requirement("module", "webrtcvad", "pip install webrtcvad"),
        Requirement("module", "torch", "pip install torch"),
    )
    columns = (
        Column("spk_sim", "speaker similarity (GE2E)", "", "higher", bounds=(-1.0, 1.0), digits=3),
    )
    definition = """Cosine of the speaker embeddings of the reference and the decoded speech at
        16 kHz. Encoder: GE2E (Resemblyzer 0.1.4, its own weights): level raised to -30 dB of full
        scale, pauses cut by WebRTC's voice activity detector (mode 3), mean of pieces of 1.6 s;
        samples clipped to [-1, 1]. Its range is compressed: other utterances of the same speaker
        score about 0.8, other speakers about 0.5. Not comparable to values of WavLM- or
        ECAPA-based encoders. No score if the detector finds no speech in one of the signals."""
    evaluation_rate = 16000
    package = "resemblyzer"
    paper = "Wan et al., Generalized end-to-end loss for speaker verification, ICASSP 2018"
    laws = (
        Law("identity_is_best", ("spk_sim",), tolerance=1e-6),
        Law("polarity_invariant", ("spk_sim",), tolerance=0.01),
    )
    accepts_unequal_lengths = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._encoder: SpeakerEncoder | None = None

    def setup(self, device: str = "cpu") -> None:
        """Load the encoder onto a torch device."""
        self._encoder = load_speaker_encoder("ge2e", device)

    def _prepare(self, utterance: Utterance) -> _Reference:
        return _Reference(utterance.signal, self._embed(utterance.signal, "the reference"))

    def _score(self, prepared: _Reference, decoded: Decoded) -> dict[str, Score]:
        other = self._embed(decoded.signal, "the decoded audio")
        cosine = float(prepared.embedding.astype("f8") @ other.astype("f8"))
        return {"spk_sim": Score(min(1.0, max(-1.0, cosine)))}

    def _embed(self, signal: Signal, who: str) -> Embedding:
        if self._encoder is None:
            raise RuntimeError("setup() has not been called")
        try:
            return self._encoder.embed(signal.at(self._encoder.sample_rate))
        except AudioError as error:
            raise MetricError(f"{who}: {error}") from error
