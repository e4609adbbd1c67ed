"""How codebooks are used: dead codes, perplexity and entropy, counted utterance by utterance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .bits import bits_for

FRAMES_AN_ENTRY = 10
"""Entropies are estimated from at least this many frames for each entry of a codebook. Below, what
is left of the bias after its correction exceeds a few hundredths of a bit."""

_CONCENTRATIONS = tuple(4.0**power for power in range(9))
"""How many frames the unigram weighs in a conditional model; the best one is taken."""

_COMPACT_FROM = 1 << 16

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CodebookUsage:
    """What was counted of one codebook.

    Parameters
    ----------
    size : int
        Entries.
    frames : int
        Codes counted.
    used : int
        Entries that occurred at least once.
    plug_in_entropy : float
        Of the observed frequencies, in bits; too low on average, the more so the fewer frames.
    entropy : float or None
        The same with Miller's and Madow's correction of the bias, in bits; None if there are
        fewer than `FRAMES_AN_ENTRY` frames an entry.
    conditional_entropy : float or None
        Of a code when the same codebook's code of the frame before is known, in bits, estimated
        from above by `adaptive_cost`; None where `entropy` is.

    References
    ----------
    G. A. Miller, Note on the bias of information estimates, in: Information Theory in Psychology,
    1955; L. Paninski, Estimation of entropy and mutual information, Neural Computation 15, 2003.
    """

    size: int
    frames: int
    used: int
    plug_in_entropy: float
    entropy: float | None
    conditional_entropy: float | None

    @property
    def bits(self) -> int:
        """Bits of a code that is sent without entropy coding."""
        return bits_for(self.size)

    @property
    def unused(self) -> int:
        """Entries that never occurred: dead, if there were frames enough for each to occur."""
        return self.size - self.used

    @property
    def perplexity(self) -> float:
        """Size of a codebook used evenly that would have the observed entropy: 1 to `size`."""
        return min(float(2.0**self.plug_in_entropy), float(self.size))


class CodebookCounter:
    """Counts codes, and pairs of successive codes, of every codebook.

    Memory grows with the entries and with the pairs that occur, not with the speech.

    Parameters
    ----------
    sizes : sequence of int
        Entries of each codebook.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)
        self.frames = 0
        self._codes = [np.zeros(size, np.int64) for size in self.sizes]
        self._pairs = [_SparseCounts() for _ in self.sizes]

    def add(self, codes: npt.ArrayLike) -> None:
        """Count the codes of one utterance.

        Parameters
        ----------
        codes : array-like of int, shape (codebooks, frames)

        Raises
        ------
        ValueError
            If there are more or fewer codebooks, or a code lies outside its codebook.
        """
        rows = np.asarray(codes, np.int64)
        if rows.ndim != 2 or len(rows) != len(self.sizes):
            raise ValueError(f"codes of shape {rows.shape} for {len(self.sizes)} codebooks")
        limits = np.asarray(self.sizes)[:, None]
        if ((rows < 0) | (rows >= limits)).any():
            raise ValueError("a code lies outside its codebook")
        self.frames += rows.shape[1]
        for row, size, counts, pairs in zip(
            rows, self.sizes, self._codes, self._pairs, strict=True
        ):
            counts += np.bincount(row, minlength=size)
            pairs.add(row[:-1] * size + row[1:])

    def merge(self, other: CodebookCounter) -> None:
        """Add what another counter counted, as if it had been counted here.

        Raises
        ------
        ValueError
            If its codebooks have other sizes.
        """
        if other.sizes != self.sizes:
            raise ValueError(f"codebooks of {other.sizes} and of {self.sizes} entries")
        self.frames += other.frames
        for counts, more in zip(self._codes, other._codes, strict=True):
            counts += more
        for pairs, more_pairs in zip(self._pairs, other._pairs, strict=True):
            pairs.merge(more_pairs)

    def usage(self) -> tuple[CodebookUsage, ...]:
        """Return the statistics of each codebook.

        Raises
        ------
        ValueError
            If no frame was counted.
        """
        if not self.frames:
            raise ValueError("no frames were counted")
        return tuple(
            _usage(counts, *pairs.items())
            for counts, pairs in zip(self._codes, self._pairs, strict=True)
        )


def _usage(counts: Integers, pairs: Integers, pair_counts: Integers) -> CodebookUsage:
    size, frames = len(counts), int(counts.sum())
    entropy = None
    if frames >= FRAMES_AN_ENTRY * size:
        entropy = min(corrected_entropy(counts), math.log2(size))
    return CodebookUsage(
        size,
        frames,
        int(np.count_nonzero(counts)),
        plug_in_entropy(counts),
        entropy,
        _conditional_entropy(counts, pairs, pair_counts, entropy),
    )


def _conditional_entropy(
    counts: Integers, pairs: Integers, pair_counts: Integers, entropy: float | None
) -> float | None:
    if entropy is None or not len(pairs):
        return entropy
    # The coder knows the unigram, whose own bias is put back.
    bias = entropy - plug_in_entropy(counts)
    return min(adaptive_cost(counts, pairs, pair_counts) + max(bias, 0.0), entropy)


def adaptive_cost(counts: Integers, pairs: Integers, pair_counts: Integers) -> float:
    """Return what a coder spends on a code that learns which codes follow which, in bits.

    It codes the sample itself and starts without knowing any pair, so that it finds no order in
    chance: with few frames the cost is too high, never too low. After each previous code it
    predicts by what followed that code so far and by the unigram (a Pólya urn), which makes the
    cost depend on counts alone.

    Parameters
    ----------
    counts : array of int, shape (size,)
        Of single codes; the unigram.
    pairs : array of int, shape (n,)
        ``previous * size + present`` of the pairs that occurred.
    pair_counts : array of int, shape (n,)

    References
    ----------
    D. J. C. MacKay and L. C. Bauman Peto, A hierarchical Dirichlet language model, Natural
    Language Engineering 1, 1995.
    """
    from scipy.special import gammaln

    size = len(counts)
    share = (counts / counts.sum())[pairs % size]
    after = np.bincount(pairs // size, weights=pair_counts, minlength=size)
    after = after[after > 0]

    def nats(concentration: float) -> float:
        prior = concentration * share
        gained = gammaln(prior + pair_counts) - gammaln(prior)
        spent = gammaln(concentration + after) - gammaln(concentration)
        return float(spent.sum() - gained.sum())

    cost = min(map(nats, _CONCENTRATIONS))
    return max(cost, 0.0) / math.log(2) / float(pair_counts.sum())


def plug_in_entropy(counts: npt.NDArray[Any]) -> float:
    """Return the entropy of observed frequencies in bits: 0 to log2 of the nonzero ones."""
    occurring = np.sort(counts[counts > 0])
    share = occurring / occurring.sum()
    return max(0.0, float(-(share * np.log2(share)).sum()))


def corrected_entropy(counts: Integers) -> float:
    """Return the entropy in bits with the Miller–Madow correction (m - 1) / (2 n ln 2).

    m values occurred in n draws. May exceed log2 of the number of values that can occur.
    """
    correction = (np.count_nonzero(counts) - 1) / (2 * int(counts.sum()) * math.log(2))
    return plug_in_entropy(counts) + float(correction)


class _SparseCounts:
    """Counts of few keys out of very many."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)
        self._pending: list[tuple[Integers, Integers]] = []
        self._pending_size = 0

    def add(self, keys: Integers) -> None:
        """Count each key once for each time that it is given."""
        self._append(keys, np.ones(len(keys), np.int64))

    def merge(self, other: _SparseCounts) -> None:
        """Add the counts of another counter."""
        self._append(*other.items())

    def items(self) -> tuple[Integers, Integers]:
        """Return the keys that occurred, ascending, and their counts."""
        self._compact()
        return self._keys, self._counts

    def _append(self, keys: Integers, counts: Integers) -> None:
        self._pending.append((keys, counts))
        self._pending_size += len(keys)
        # Waiting until there is as much new as old keeps the work linear in what is counted.
        if self._pending_size > max(_COMPACT_FROM, len(self._keys)):
            self._compact()

    def _compact(self) -> None:
        parts = [(self._keys, self._counts), *self._pending]
        keys, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
        self._keys, where = np.unique(keys, return_inverse=True)
        self._counts = np.zeros(len(self._keys), np.int64)
        np.add.at(self._counts, where, counts)
        self._pending, self._pending_size = [], 0


@dataclass(frozen=True)
class CodebookReport:
    """Use of all codebooks of a codec over a corpus, and what entropy coding could save.

    Parameters
    ----------
    codec : str
        Canonical spec.
    utterances : int
    seconds : float
        Of reference.
    codebooks : tuple of CodebookUsage
        In the order in which they are sent.
    notes : tuple of str
    """

    codec: str
    utterances: int
    seconds: float
    codebooks: tuple[CodebookUsage, ...]
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Frames counted."""
        return self.codebooks[0].frames

    @property
    def fixed_kbps(self) -> float:
        """Rate without entropy coding, in kbit/s."""
        return self._kbps([float(one.bits) for one in self.codebooks])

    @property
    def unigram_kbps(self) -> float | None:
        """Rate at the entropy of each code on its own; None if one of them has no estimate."""
        return self._rate([one.entropy for one in self.codebooks])

    @property
    def conditional_kbps(self) -> float | None:
        """Rate at the entropy given the frame before; None if one of them has no estimate."""
        return self._rate([one.conditional_entropy for one in self.codebooks])

    def _rate(self, bits: list[float | None]) -> float | None:
        known = [one for one in bits if one is not None]
        return self._kbps(known) if len(known) == len(bits) else None

    def _kbps(self, bits: list[float]) -> float:
        return sum(bits) * self.frames / self.seconds / 1000
