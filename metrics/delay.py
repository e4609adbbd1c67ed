"""Residual delay: what is left of a codec's delay after the protocol's alignment."""

from __future__ import annotations

from ..corpora.base import Utterance
from ..errors import CodecError, MetricError
from ..metric import Column, Decoded, Metric, Score
from ..protocol import DELAY_SEARCH_SECONDS, estimate_delay


class ResidualDelay(Metric):
    """Lag of the aligned decoded audio behind the reference, in ms; positive is late."""

    name = "delay"
    columns = (
        Column(
            "delay_ms",
            "residual delay",
            "ms",
            None,
            bounds=(-1000.0 * DELAY_SEARCH_SECONDS, 1000.0 * DELAY_SEARCH_SECONDS),
            ranked=False,
            digits=2,
        ),
    )
    definition = f"""Lag in ms, to the sample of the evaluation rate, at which the
        cross-correlation of the reference and the aligned decoded audio is largest, searched up
        to {DELAY_SEARCH_SECONDS} s to either side; positive if the decoded audio is late. It is what the
        removal of the declared delay left over; it says nothing about a codec's latency."""  # noqa: E501
    accepts_unequal_lengths = True
    always = True

    def _score(self, prepared: Utterance, decoded: Decoded) -> dict[str, Score]:
        try:
            samples = estimate_delay(prepared.audio(), decoded.audio)
        except CodecError as error:
            raise MetricError(str(error)) from error
        return {"delay_ms": Score(1000.0 * samples / decoded.audio.sample_rate)}
