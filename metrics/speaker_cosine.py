"""Cosine of speaker embeddings: what the similarity metrics of all encoders share."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

from ..corpora.base import Utterance
from ..errors import AudioError, MetricError
from ..metric import Decoded, Metric, Score
from ..signals import Signal
from ..speaker import Embedding, SpeakerEncoder


@dataclass(frozen=True, eq=False)
class _Reference:
    signal: Signal
    embedding: Embedding


class SpeakerCosine(Metric):
    """Cosine of the embeddings of reference and decoded speech, in one column.

    A subclass gives its encoder: `_load_encoder`.
    """

    evaluation_rate = 16000
    accepts_unequal_lengths = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._encoder: SpeakerEncoder | None = None

    @abc.abstractmethod
    def _load_encoder(self, device: str) -> SpeakerEncoder:
        """Return the encoder on a torch device, loaded once a process."""

    def setup(self, device: str = "cpu") -> None:
        """Load the encoder onto a torch device."""
        self._encoder = self._load_encoder(device)

    def _prepare(self, utterance: Utterance) -> _Reference:
        return _Reference(utterance.signal, self._embed(utterance.signal, "the reference"))

    def _score(self, prepared: _Reference, decoded: Decoded) -> dict[str, Score]:
        other = self._embed(decoded.signal, "the decoded audio")
        cosine = float(prepared.embedding.astype("f8") @ other.astype("f8"))
        return {self.columns[0].name: Score(min(1.0, max(-1.0, cosine)))}

    def _embed(self, signal: Signal, who: str) -> Embedding:
        if self._encoder is None:
            raise RuntimeError("setup() has not been called")
        try:
            return self._encoder.embed(signal.at(self._encoder.sample_rate))
        except AudioError as error:
            raise MetricError(f"{who}: {error}") from error
