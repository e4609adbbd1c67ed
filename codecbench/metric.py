"""What a metric is: `Metric`, `MetricCard`, `Column`, `Score`, and what it sees: `Decoded`."""

from __future__ import annotations

import abc
import copy
import hashlib
import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Self

from .audio import Audio
from .bitstream import Bitstream
from .codec import CodecCard, Tokens
from .component import Component
from .corpora.base import Utterance
from .errors import MetricError, UserError
from .signals import Signal

Direction = Literal["higher", "lower"]

SILENCE_RMS = 1e-5
"""Below this root mean square (-100 dB of full scale) a signal counts as silent."""


@dataclass(frozen=True)
class Column:
    """One number that a metric gives.

    Parameters
    ----------
    name : str
        Column of results and tables, such as ``pesq_wb``.
    title : str
        Heading in reports, such as ``PESQ-WB``.
    unit : str
        ``MOS``, ``dB``, ``Hz``, ``%`` …; empty for a plain ratio.
    better : {"higher", "lower"} or None
        None: neither; never ranked.
    bounds : (float, float)
        Smallest and largest possible value.
    pooled : bool
        Aggregated as sum of numerators / sum of denominators instead of a mean of utterances.
    ranked : bool
        Whether best and second best are marked in tables.
    default : bool
        Whether it belongs to the default set.
    default_above_hz : int or None
        Belongs to the default set only at evaluation rates above this.
    digits : int
        Decimals in tables.
    """

    name: str
    title: str
    unit: str
    better: Direction | None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    pooled: bool = False
    ranked: bool = True
    default: bool = True
    default_above_hz: int | None = None
    digits: int = 3

    def is_default_at(self, rate: int) -> bool:
        """Whether the column belongs to the default set at this evaluation rate."""
        return self.default and (self.default_above_hz is None or rate > self.default_above_hz)


@dataclass(frozen=True)
class Law:
    """A law that a metric's card declares and the shared tester checks.

    Parameters
    ----------
    name : str
        ``identity_is_best``, ``monotone_in_snr``, ``gain_invariant``, ``polarity_invariant``,
        ``delay_invariant`` (see ``tests/metrics/laws.py``).
    columns : tuple of str
        The columns it holds for.
    tolerance : float
        Largest deviation allowed.
    """

    name: str
    columns: tuple[str, ...]
    tolerance: float = 1e-9


@dataclass(frozen=True)
class MetricCard:
    """The definition that travels with every number of a metric.

    Parameters
    ----------
    spec : str
        Canonical spec.
    version : str
        Of the implementation.
    columns : tuple of Column
    definition : str
        Formula, parameters, treatment of edge cases, in words.
    evaluation_rate : int or None
        Rate in Hz at which both signals are compared; None: the rate of the run.
    paper, package : str or None
    laws : tuple of Law
    """

    spec: str
    version: str
    columns: tuple[Column, ...]
    definition: str
    evaluation_rate: int | None = None
    paper: str | None = None
    package: str | None = None
    laws: tuple[Law, ...] = ()

    @property
    def identity(self) -> str:
        """Hash of what decides the numbers: spec, version, definition and rate."""
        parts = (self.spec, self.version, self.definition, str(self.evaluation_rate))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain | {"identity": self.identity}


@dataclass(frozen=True)
class Score:
    """One number, or the reason why there is none.

    Parameters
    ----------
    value : float
        NaN if `error` is given.
    numerator, denominator : float or None
        For pooled columns (errors and words, bits and seconds).
    error : str or None
    reference_text, decoded_text : str or None
        The two texts that were compared, as they were compared; None where none were. An empty
        text is one in which nothing was heard.
    """

    value: float
    numerator: float | None = None
    denominator: float | None = None
    error: str | None = None
    reference_text: str | None = field(default=None, repr=False)
    decoded_text: str | None = field(default=None, repr=False)

    @classmethod
    def failed(cls, reason: str) -> Score:
        """Make a score that says why there is no number."""
        return cls(math.nan, error=reason)

    @classmethod
    def ratio(cls, numerator: float, denominator: float) -> Score:
        """Make a score of a pooled column; the denominator must not be zero."""
        return cls(numerator / denominator, float(numerator), float(denominator))


@dataclass
class Decoded:
    """What came back for one utterance.

    Parameters
    ----------
    signal : Signal
        At the evaluation rate, delay removed, cut to the reference's length.
    raw : Audio, optional
        As the decoder returned it.
    card : CodecCard, optional
    bitstream : Bitstream, optional
    main_bits, side_bits : int, optional
        Counted bits; None where the rate is not known.
    file_bytes : int, optional
        Size of the container file.
    lost_packets : int
        Packets of the bitstream that did not reach the decoder.
    tokens : Tokens, optional
    timings : dict of str to float
        Seconds; never a metric (a busy run's timings mean nothing).
    """

    signal: Signal
    raw: Audio | None = None
    card: CodecCard | None = None
    bitstream: Bitstream | None = None
    main_bits: int | None = None
    side_bits: int | None = None
    file_bytes: int | None = None
    lost_packets: int = 0
    tokens: Tokens | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_audio(cls, audio: Audio) -> Decoded:
        """Wrap decoded audio of unknown origin."""
        return cls(Signal(audio), raw=audio)

    @property
    def audio(self) -> Audio:
        """The aligned audio."""
        return self.signal.audio


@dataclass(frozen=True)
class Prepared:
    """Reference-side work of one utterance for one metric.

    Parameters
    ----------
    signal : Signal
        The reference.
    work : object
        What the metric's `_prepare` returned.
    """

    signal: Signal
    work: Any


class Metric(Component, abc.ABC):
    """Compares what came back with what was sent.

    A subclass gives `columns`, `definition`, `_score` and, where reference-side work can be
    shared by all codecs, `_prepare`. Signals are checked here, in one place: `_prepare` and
    `_score` only ever see finite, non-empty signals (not silent unless `accepts_silence`) of
    the same rate, and of equal length unless `accepts_unequal_lengths`.

    Parameters
    ----------
    config : Config, optional
    selected : collection of str, optional
        The columns wanted; those that are on by default if None. `_score` may leave out work
        for others.
    """

    columns: ClassVar[tuple[Column, ...]]
    definition: ClassVar[str]
    evaluation_rate: ClassVar[int | None] = None
    paper: ClassVar[str | None] = None
    package: ClassVar[str | None] = None
    laws: ClassVar[tuple[Law, ...]] = ()

    accepts_silence: ClassVar[bool] = False
    accepts_unequal_lengths: ClassVar[bool] = False
    scores_reference: ClassVar[bool] = False
    """Whether the reference has a score of its own, shown as the ceiling."""
    reference_columns: ClassVar[frozenset[str] | None] = None
    """The columns that it has; None: all."""
    always: ClassVar[bool] = False
    """Whether every run computes it (rate, delay, clipping)."""
    file_defaults: ClassVar[dict[str, str]] = {}
    """Keys that `measure` sets, unless they are given, to take files as they are."""

    def __init__(self, config: Any = None, selected: Collection[str] | None = None) -> None:
        super().__init__(config)
        names = [column.name for column in self.columns]
        unknown = sorted(set(selected or ()) - set(names))
        if unknown:
            raise UserError(f"{self.name} has no column '{unknown[0]}' (it has {', '.join(names)})")
        if selected is None:
            selected = [column.name for column in self.columns if column.default]
        self.selected = frozenset(selected or names)

    @classmethod
    def default_config(cls) -> Any:
        """Return the configuration that the default set uses; None: the default one.

        Overridden where that depends on what is at hand.
        """
        return None

    @property
    def caveat(self) -> str | None:
        """What must be said wherever a number of this configuration is shown."""
        return None

    @property
    def card(self) -> MetricCard:
        """The definition card of this configuration."""
        return MetricCard(
            spec=self.spec,
            version=self.version,
            columns=self.columns,
            definition=" ".join(self.describe_definition().split()),
            evaluation_rate=self.evaluation_rate,
            paper=self.paper,
            package=self.package,
            laws=self.laws,
        )

    def narrowed(self, columns: Collection[str]) -> Self:
        """Return this metric for fewer columns, sharing the models that are loaded."""
        fewer = copy.copy(self)
        fewer.selected = frozenset(columns)
        return fewer

    def describe_definition(self) -> str:
        """Return the definition in words; overridden where it depends on the configuration."""
        return self.definition

    def applicable(self, utterance: Utterance, card: CodecCard | None) -> frozenset[str]:
        """Return the selected columns that mean something for this utterance and codec.

        Parameters
        ----------
        utterance : Utterance
        card : CodecCard or None
            None for the reference itself and for audio of unknown origin.
        """
        return self.selected

    def prepare(self, utterance: Utterance) -> Prepared:
        """Do the reference-side work, once for all codecs.

        Raises
        ------
        MetricError
            If the reference cannot be scored against.
        """
        self._check(utterance.signal, "the reference")
        return Prepared(utterance.signal, self._prepare(utterance))

    def score(self, prepared: Prepared, decoded: Decoded) -> dict[str, Score]:
        """Score decoded audio against what `prepare` returned.

        Returns
        -------
        dict
            A `Score` for every selected column.

        Raises
        ------
        MetricError
            If no column can be scored; the message is the reason.
        """
        self._check(decoded.signal, "the decoded audio")
        self._check_pair(prepared.signal, decoded.signal)
        return self._kept(self._score(prepared.work, decoded))

    def score_reference(self, prepared: Prepared) -> dict[str, Score]:
        """Score the reference itself; empty unless `scores_reference`."""
        return self._kept(self._score_reference(prepared.work))

    def measure(
        self,
        reference: Audio,
        decoded: Audio,
        transcript: str | None = None,
        language: str | None = None,
    ) -> dict[str, Score]:
        """Score one pair of signals of the same rate: `prepare` and `score` in one call."""
        self.setup()
        utterance = Utterance.from_audio(reference, transcript=transcript, language=language)
        return self.score(self.prepare(utterance), Decoded.from_audio(decoded))

    def _prepare(self, utterance: Utterance) -> Any:
        """Return what `_score` needs of the reference; the utterance itself if not overridden."""
        return utterance

    @abc.abstractmethod
    def _score(self, prepared: Any, decoded: Decoded) -> dict[str, Score]:
        """Score decoded audio; `prepared` is what `_prepare` returned."""

    def _score_reference(self, prepared: Any) -> dict[str, Score]:
        """Score the reference; overridden where `scores_reference`."""
        return {}

    def _kept(self, scores: dict[str, Score]) -> dict[str, Score]:
        return {
            name: self._finite(score) for name, score in scores.items() if name in self.selected
        }

    def _check(self, signal: Signal, who: str) -> None:
        if len(signal.audio) == 0:
            raise MetricError(f"{who} is empty")
        if not signal.audio.is_finite:
            raise MetricError(f"{who} holds NaN or infinite samples")
        if not self.accepts_silence and signal.analyse(rms) < SILENCE_RMS:
            raise MetricError(f"{who} is silent")

    def _check_pair(self, reference: Signal, decoded: Signal) -> None:
        if reference.sample_rate != decoded.sample_rate:
            raise MetricError(
                f"the reference has {reference.sample_rate} Hz, the decoded audio"
                f" {decoded.sample_rate} Hz (resample one; measure --align does)"
            )
        lengths = len(reference.audio), len(decoded.audio)
        if lengths[0] != lengths[1] and not self.accepts_unequal_lengths:
            raise MetricError(
                f"unequal lengths: the reference has {lengths[0]} samples, the decoded audio"
                f" {lengths[1]} (align them, or cut them to one length)"
            )

    @staticmethod
    def _finite(score: Score) -> Score:
        if score.error is None and not math.isfinite(score.value):
            return Score.failed(f"the result is {score.value}")
        return score


def rms(signal: Signal) -> float:
    """Return the root mean square of a signal; full scale is 1."""
    samples = signal.audio.samples
    return float((samples.astype("f8") ** 2).mean() ** 0.5) if len(samples) else 0.0
