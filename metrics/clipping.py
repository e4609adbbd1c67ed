"""Clipping: the share of decoded samples at or beyond full scale."""

from __future__ import annotations

import numpy as np

from ..errors import MetricError
from ..metric import Column, Decoded, Metric, Score

FULL_SCALE = 32767 / 32768
"""The largest value that 16 bits hold; a sample there is at full scale."""


class Clipping(Metric):
    """Samples at or beyond full scale over samples, as the decoder returned them."""

    name = "clipping"
    columns = (
        Column(
            "clipped",
            "clipped",
            "",
            "lower",
            bounds=(0.0, 1.0),
            pooled=True,
            ranked=False,
            digits=6,
        ),
    )
    definition = """Share of samples whose absolute value is at least 32767/32768 of full scale,
        counted in the decoded audio as the decoder returned it (before resampling, which could add
        or hide overshoot); pooled over utterances. Nothing is clipped or scaled by the protocol."""
    accepts_silence = True
    accepts_unequal_lengths = True
    always = True

    def _score(self, prepared: object, decoded: Decoded) -> dict[str, Score]:
        audio = decoded.audio if decoded.raw is None else decoded.raw
        if len(audio) == 0:
            raise MetricError("the decoder returned no samples")
        samples = audio.samples
        beyond = int(np.count_nonzero(np.abs(samples) >= FULL_SCALE))
        return {"clipped": Score.ratio(beyond, len(samples))}
