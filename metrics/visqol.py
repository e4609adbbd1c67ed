"""ViSQOL: virtual speech quality objective listener."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..component import Config, Requirement
from ..corpora.base import Utterance
from ..errors import MetricError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal

if TYPE_CHECKING:
    from .visqol_signals import Mode
    from .visqol_similarity import Features, Reference

SPEECH_HZ = 16000
AUDIO_HZ = 48000
_LEAST_SIMILARITY = 0.15
"""Below this the quality is 1, whatever the mapper says."""
_DIGITS = 10
"""Decimals that are kept: the mappers' sums round otherwise wherever their arrays happen to lie in
memory, which moves the 15th."""

SPEECH_COLUMNS = frozenset({"visqol", "visqol_exp"})


class VisqolConfig(Config):
    """Configuration of `Visqol`."""

    rate: Literal["16000", "file"] = "16000"
    """Rate of the speech columns: 16000 Hz, or the signals' own."""


@dataclass(frozen=True)
class PreparedVisqol:
    """The reference's side of each mode; a `MetricError` says why there is none.

    Parameters
    ----------
    signal : Signal
    speech, audio : Reference, MetricError or None
        None if no column of the mode is wanted.
    """

    signal: Signal
    speech: Reference | MetricError | None
    audio: Reference | MetricError | None


class Visqol(Metric):
    """Mean opinion scores from the similarity of gammatone spectrograms."""

    name = "visqol"
    Config = VisqolConfig
    requirements = (
        Requirement("module", "visqol", "pip install 'visqol-python[accel,lattice]'"),
        Requirement("module", "ai_edge_litert", "pip install 'visqol-python[lattice]'"),
        Requirement("module", "numba", "pip install 'visqol-python[accel]'"),
    )
    columns = (
        Column("visqol", "ViSQOL", "MOS", "higher", (1.0, 5.0)),
        Column("visqol_exp", "ViSQOL exp.", "MOS", "higher", (1.0, 5.0)),
        Column(
            "visqol_audio", "ViSQOL audio", "MOS", "higher", (1.0, 5.0), default_above_hz=SPEECH_HZ
        ),
    )
    paper = (
        "Chinen et al., ViSQOL v3: an open source production ready objective speech and audio"
        " metric, QoMEX 2020"
    )
    package = "visqol-python"
    accepts_unequal_lengths = True
    file_defaults: ClassVar[dict[str, str]] = {"rate": "file"}
    laws = (
        Law("identity_is_best", ("visqol", "visqol_exp", "visqol_audio"), 1e-6),
        Law("monotone_in_snr", ("visqol_exp",), 1e-6),
        Law("gain_invariant", ("visqol", "visqol_exp", "visqol_audio"), 1e-4),
        Law("delay_invariant", ("visqol_exp",), 0.05),
    )
    definition = """
        MOS-LQO of ViSQOL v3 as ported by package visqol, which aligns the signals itself and
        levels the decoded one; results equal that package's. visqol and visqol_exp: speech
        mode (21 bands up to 8 kHz, patches of 400 ms: the first, and those with voice
        activity), both signals at {rate}, from one computation of similarity: visqol by the
        deep-lattice mapper, the default of Google's tool, visqol_exp by the exponential mapper
        scaled to 5; the two are different scales, and the lattice saturates near 1 for noisy
        speech, where more noise may even score higher. visqol_audio: audio mode (32 bands,
        patches of 600 ms) with the support-vector mapper, both signals at 48 kHz.
        """

    def describe_definition(self) -> str:
        """Return the definition, which names the rate of the speech columns."""
        own = self.config.rate == "file"
        return self.definition.format(rate="their own rate" if own else "16 kHz")

    def setup(self, device: str = "cpu") -> None:
        """Load the mappers that the selected columns need; compile the inner loops."""
        from . import visqol_similarity

        for column in sorted(self.selected):
            _mapper(column)
        visqol_similarity.warm_up()

    def _prepare(self, utterance: Utterance) -> PreparedVisqol:
        from .visqol_signals import AUDIO, SPEECH

        signal = utterance.signal
        own = self.config.rate == "file"
        speech_hz = signal.sample_rate if own else SPEECH_HZ
        return PreparedVisqol(
            signal,
            _attempt(signal, speech_hz, SPEECH) if self.selected & SPEECH_COLUMNS else None,
            _attempt(signal, AUDIO_HZ, AUDIO) if "visqol_audio" in self.selected else None,
        )

    def _score(self, prepared: PreparedVisqol, decoded: Decoded) -> dict[str, Score]:
        speech = sorted(self.selected & SPEECH_COLUMNS)
        return {
            **_scores(prepared.speech, decoded.signal, speech),
            **_scores(prepared.audio, decoded.signal, sorted(self.selected - SPEECH_COLUMNS)),
        }


def _attempt(signal: Signal, rate: int, mode: Mode) -> Reference | MetricError:
    from .visqol_similarity import Reference

    try:
        return Reference(signal.at(rate), rate, mode)
    except MetricError as error:
        return error


def _scores(
    reference: Reference | MetricError | None, decoded: Signal, columns: list[str]
) -> dict[str, Score]:
    """Compare once, and map to every column of the mode."""
    if reference is None:
        return {}
    if isinstance(reference, MetricError):
        return {column: Score.failed(str(reference)) for column in columns}
    try:
        features = reference.compare(decoded.at(reference.rate))
    except MetricError as error:
        return {column: Score.failed(str(error)) for column in columns}
    return {column: Score(_quality(column, features)) for column in columns}


def _quality(column: str, features: Features) -> float:
    if features.vnsim < _LEAST_SIMILARITY:
        return 1.0
    quality = _mapper(column).predict_quality(
        features.means, features.low_quantiles, features.deviations, features.decoded_energy
    )
    return round(float(quality), _DIGITS)


@functools.cache
def _mapper(column: str) -> Any:
    """Load the mapper from similarity to quality of a column."""
    from visqol import api, quality_mapper, visqol_manager

    mapper: Any
    if column == "visqol":
        mapper = quality_mapper.TFLiteSpeechQualityMapper(visqol_manager._DEFAULT_LATTICE_MODEL)
    elif column == "visqol_exp":
        mapper = quality_mapper.SpeechSimilarityToQualityMapper(scale_to_max_mos=True)
    else:
        mapper = quality_mapper.SvrSimilarityToQualityMapper(api._DEFAULT_SVR_MODEL)
    with _quiet():
        mapper.init()
    return mapper


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the lattice's runtime from writing a notice to standard error when it loads."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(null)
        os.close(saved)
