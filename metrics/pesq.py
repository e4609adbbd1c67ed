"""PESQ: perceptual evaluation of speech quality (ITU-T P.862, P.862.1, P.862.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np

from ..codec import CodecCard
from ..component import Config, Requirement
from ..corpora.base import Utterance
from ..errors import MetricError, UnavailableError
from ..isolation import IsolatedFunction, IsolationError, RemoteError
from ..metric import Column, Decoded, Law, Metric, Score
from ..signals import Signal, Wave

WIDEBAND_HZ = 16000
NARROWBAND_HZ = 8000

LONGEST_SECONDS = 45.0
"""The reference code holds 50 utterances in fixed arrays and crashes on long signals."""
_PIECE_SECONDS = 40.0
_REACH_SECONDS = 2.5
"""A cut is made in the quietest place this far to either side of where equal pieces meet."""
_PAUSE_SECONDS = 0.2
_CALL_TIMEOUT_SECONDS = 300.0

_CORRIGENDUM_2 = Requirement(
    "module",
    "pesqc2",
    "build pesqc2 0.0.4 from source without its pin numpy<2, which keeps it from running here",
)

_REASONS = {
    "NoUtterancesError": "PESQ finds no speech in the signals",
    "BufferTooShortError": "too short for PESQ, which needs a quarter of a second",
    "OutOfMemoryError": "PESQ ran out of memory",
}


class PesqConfig(Config):
    """Configuration of `Pesq`."""

    nb_rate: Literal["8000", "file"] = "8000"
    """Rate of narrow-band PESQ: 8000 Hz, or the signals' own if that is 8000 or 16000 Hz."""


class Pesq(Metric):
    """Mean opinion scores that ITU-T's model of listening predicts.

    The reference C code runs in a child process: some signals crash it.
    """

    name = "pesq"
    Config = PesqConfig
    requirements = (Requirement("module", "pesq", "pip install pesq (needs a C compiler)"),)
    columns = (
        Column("pesq_wb", "PESQ-WB", "MOS", "higher", (0.999, 4.644)),
        Column("pesq_nb", "PESQ-NB", "MOS", "higher", (0.999, 4.549)),
        Column("pesq_wb_cor2", "PESQ-WB (Cor. 2)", "MOS", "higher", (0.999, 4.644), default=False),
        Column(
            "pesq_nb_raw",
            "PESQ-NB raw",
            "",
            "higher",
            (-math.inf, 4.5),
            ranked=False,
            default=False,
        ),
    )
    paper = "ITU-T P.862 (2001), P.862.1 (2003), P.862.2 (2007)"
    package = "pesq"
    accepts_unequal_lengths = True
    file_defaults: ClassVar[dict[str, str]] = {"nb_rate": "file"}
    laws = (
        Law("identity_is_best", ("pesq_wb", "pesq_nb", "pesq_nb_raw"), 1e-6),
        Law("monotone_in_snr", ("pesq_wb", "pesq_nb", "pesq_nb_raw"), 1e-6),
        Law("gain_invariant", ("pesq_wb", "pesq_nb", "pesq_nb_raw"), 1e-4),
        Law("polarity_invariant", ("pesq_wb", "pesq_nb", "pesq_nb_raw"), 1e-6),
        Law("delay_invariant", ("pesq_wb", "pesq_nb", "pesq_nb_raw"), 0.1),
    )
    definition = """
        MOS-LQO by the ITU-T reference code (package pesq), which levels and aligns the signals
        itself. pesq_wb: wide band, both signals at 16 kHz, mapped by P.862.2 as it was before
        Corrigendum 2 (2018), the form in the literature; signals of a lower rate have no
        pesq_wb. pesq_nb: narrow band, both signals at {nb_rate}, mapped by P.862.1.
        pesq_wb_cor2: wide band with Corrigendum 2 (package pesqc2), on another scale than pesq_wb.
        pesq_nb_raw: the P.862 score before that map. Signals longer than 45 s are cut at
        pauses of the reference into equal pieces of at most 45 s (each cut in the quietest
        0.2 s within 2.5 s), whose scores are averaged, weighted by duration; one piece that
        cannot be scored fails the pair.
        """

    _kernels: ClassVar[dict[str, IsolatedFunction]] = {
        module: IsolatedFunction(f"{module}:pesq", _CALL_TIMEOUT_SECONDS)
        for module in ("pesq", _CORRIGENDUM_2.name)
    }
    """One child process for all instances."""

    def check_available(self) -> None:
        """Raise `UnavailableError` if a package that a selected column needs is missing."""
        super().check_available()
        if "pesq_wb_cor2" in self.selected and not _CORRIGENDUM_2.is_met:
            raise UnavailableError(
                f"pesq_wb_cor2 cannot run here: {_CORRIGENDUM_2.name} is not installed:"
                f" {_CORRIGENDUM_2.hint}"
            )

    def describe_definition(self) -> str:
        """Return the definition, which names the rate of narrow-band PESQ."""
        own = self.config.nb_rate == "file"
        return self.definition.format(
            nb_rate="8 kHz, or at 16 kHz if they have 16 kHz" if own else "8 kHz"
        )

    def applicable(self, utterance: Utterance, card: CodecCard | None) -> frozenset[str]:
        """Leave out wide band where the evaluation rate is known to be too low for it."""
        if utterance.rate is not None and utterance.rate < WIDEBAND_HZ:
            return self.selected - {"pesq_wb", "pesq_wb_cor2"}
        return self.selected

    def _prepare(self, utterance: Utterance) -> Signal:
        return utterance.signal

    def _score(self, prepared: Signal, decoded: Decoded) -> dict[str, Score]:
        scores = {}
        if "pesq_wb" in self.selected:
            scores["pesq_wb"] = _attempt(lambda: self._wideband(prepared, decoded.signal))
        if "pesq_wb_cor2" in self.selected:
            scores["pesq_wb_cor2"] = _attempt(
                lambda: self._wideband(prepared, decoded.signal, _CORRIGENDUM_2.name)
            )
        if self.selected & {"pesq_nb", "pesq_nb_raw"}:
            narrow = _attempt(lambda: self._narrowband(prepared, decoded.signal))
            scores["pesq_nb"] = narrow
            raw = narrow if narrow.error is not None else Score(raw_of_nb(narrow.value))
            scores["pesq_nb_raw"] = raw
        return scores

    def _wideband(self, reference: Signal, decoded: Signal, module: str = "pesq") -> float:
        if reference.sample_rate < WIDEBAND_HZ:
            raise MetricError(
                f"wide-band PESQ needs signals of 16000 Hz or more; these have"
                f" {reference.sample_rate} Hz"
            )
        return self._pesq(reference, decoded, WIDEBAND_HZ, "wb", module)

    def _narrowband(self, reference: Signal, decoded: Signal) -> float:
        as_they_are = self.config.nb_rate == "file" and reference.sample_rate == WIDEBAND_HZ
        return self._pesq(reference, decoded, WIDEBAND_HZ if as_they_are else NARROWBAND_HZ, "nb")

    def _pesq(
        self, reference: Signal, decoded: Signal, rate: int, band: str, module: str = "pesq"
    ) -> float:
        """Average the scores of the pieces, weighted by duration."""
        x, y = reference.at(rate), decoded.at(rate)
        bounds = [0, *cut_points(x, rate), max(len(x), len(y))]
        values, weights = [], []
        for start, end in pairwise(bounds):
            values.append(self._call(module, rate, x[start:end], y[start:end], band))
            weights.append(len(x[start:end]))
        return float(np.average(values, weights=weights))

    def _call(self, module: str, rate: int, x: Wave, y: Wave, band: str) -> float:
        if not x.any() or not y.any():  # the package would divide by zero or return NaN
            raise MetricError(f"{'the decoded audio' if x.any() else 'the reference'} is silent")
        try:
            value = float(self._kernels[module](rate, x, y, band))
        except RemoteError as error:
            reason = _REASONS.get(error.kind, f"PESQ failed ({error})")
            raise MetricError(reason) from error
        except IsolationError as error:
            raise MetricError(f"PESQ crashed: {error}") from error
        if not 0.999 < value < 4.999:  # the code writes beyond its arrays before it crashes
            raise MetricError(f"PESQ returned {value}, which is not a score")
        return value


def _attempt(measure: Callable[[], float]) -> Score:
    try:
        return Score(measure())
    except MetricError as error:
        return Score.failed(str(error))


def raw_of_nb(lqo: float) -> float:
    """Return the P.862 score of a narrow-band MOS-LQO: the inverse of P.862.1's map.

    Parameters
    ----------
    lqo : float
        Above 0.999 and below 4.999.

    Examples
    --------
    >>> round(raw_of_nb(4.54864), 3)
    4.5
    """
    raw = (4.6607 - math.log(4.0 / (lqo - 0.999) - 1.0)) / 1.4945
    return min(raw, 4.5)  # the best there is; the map's single precision goes a little beyond


def cut_points(wave: Wave, rate: int) -> Sequence[int]:
    """Return where a long signal is cut, in samples; empty up to 45 s.

    Parameters
    ----------
    wave : array, shape (samples,)
        The reference.
    rate : int
        In Hz.
    """
    if len(wave) <= LONGEST_SECONDS * rate:
        return []
    pieces = math.ceil(len(wave) / (_PIECE_SECONDS * rate))
    width, reach = round(_PAUSE_SECONDS * rate), round(_REACH_SECONDS * rate)
    cuts = []
    for index in range(1, pieces):
        first = index * len(wave) // pieces - reach
        total = np.cumsum(np.square(wave[first : first + 2 * reach]))
        quietest = int(np.argmin(total[width:] - total[:-width]))
        cuts.append(first + quietest + 1 + width // 2)
    return cuts
