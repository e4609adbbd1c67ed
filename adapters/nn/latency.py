"""Algorithmic latency, measured: change the future of a signal and see which output changes first.

A system has a latency of L samples if output sample n, on the time axis of the input, depends on
inputs up to n + L - 1 and on none after them. Nothing is read from a configuration.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...audio import Audio
from .network import CodecNetwork
from .neural_codec import NeuralCodec

Waves = npt.NDArray[np.floating]
System = Callable[[Waves], Waves]
"""From signals (batch, samples) to outputs of the same shape on the same time axis."""

SHORTEST_PAST = 8
LONGEST_PAST = 512
"""Frames before the change; a system that looks further ahead counts as one without end."""
LEVELS = (1.0, -1.0, 1e2, -1e2, 1e4, -1e4)
"""Of changes; full scale is 1. The high ones bring out what many layers make faint, and move the
codes of a frame however little of the frame changes."""
_BATCH = 32


def measured_latency(
    system: System,
    hop_length: int,
    *,
    phases: Sequence[int] | None = None,
    levels: Sequence[float] = (1.0,),
    tolerance: float = 1e-9,
    seed: int = 0,
) -> float:
    """Measure the latency of a system in samples.

    Parameters
    ----------
    system : callable
        Gives every signal of a batch the same treatment, whatever the others are.
    hop_length : int
        Samples after which the system repeats itself.
    phases : sequence of int, optional
        Places in the hop from which on the signal is changed; all of them if None. With fewer,
        the result may be too small: the worst place of a causal system is the hop's last sample.
    levels : sequence of float
        Of what is added from there on; a quantizer does not notice faint changes.
    tolerance : float
        Part of the output's peak up to which a difference is rounding.
    seed : int
        Of the signals, which are noise.

    Returns
    -------
    float
        The worst over phases and levels; ``inf`` if `LONGEST_PAST` hops do not hold it.

    Raises
    ------
    ValueError
        If no change of the input changes the output.
    """
    places = range(hop_length) if phases is None else phases
    changes = [(place, level) for level in levels for place in places]
    past = SHORTEST_PAST
    while past <= LONGEST_PAST:
        latency = _worst(system, hop_length, past, changes, tolerance, seed)
        # A change heard in the very first sample might have been heard earlier still.
        if latency < past * hop_length:
            return latency
        past *= 2
    return math.inf


def _worst(
    system: System,
    hop: int,
    past: int,
    changes: Sequence[tuple[int, float]],
    tolerance: float,
    seed: int,
) -> float:
    rng = np.random.default_rng(seed)
    signal = 0.1 * rng.standard_normal(2 * past * hop)
    other = rng.standard_normal(len(signal))
    worst = -math.inf
    for start in range(0, len(changes), _BATCH):
        part = changes[start : start + _BATCH]
        batch = np.tile(signal, (1 + len(part), 1))
        times = [past * hop + place for place, _ in part]
        for row, time, (_, level) in zip(batch[1:], times, part, strict=True):
            row[time:] += level * other[time:]
        firsts = _first_changes(system(batch), tolerance)
        worst = max(worst, *(time - first + 1 for time, first in zip(times, firsts, strict=True)))
    if worst == -math.inf:
        raise ValueError("the output does not depend on the input: there is no latency to measure")
    return float(worst)


def _first_changes(outputs: Waves, tolerance: float) -> list[float]:
    """Return where each output departs from the first one; ``inf`` if it does not."""
    reference, changed = outputs[0], outputs[1:]
    differs = np.abs(changed - reference) > tolerance * np.abs(reference).max()
    return [float(row.argmax()) if row.any() else math.inf for row in differs]


def network_latency(network: CodecNetwork, phases: Sequence[int] | None = None) -> float:
    """Measure a network without its quantizer, in samples.

    It runs in float64, where what is faint is still far above rounding; so it may find less of a
    far look-ahead than there is, never more.

    Parameters
    ----------
    network : CodecNetwork
        On the CPU; not changed.
    phases : sequence of int, optional
        See `measured_latency`.
    """
    exact = copy.deepcopy(network).double().eval()

    def system(waves: Waves) -> Waves:
        samples, delay = waves.shape[1], exact.delay_samples
        padded = np.pad(waves, ((0, 0), (0, delay + -(samples + delay) % exact.hop_length)))
        with torch.inference_mode():
            latents = exact.encode(torch.from_numpy(padded))
        return _decoded(exact, latents, samples)

    return measured_latency(system, network.hop_length, phases=phases, levels=LEVELS)


def codec_latency(codec: NeuralCodec, phases: Sequence[int] | None = None) -> float:
    """Measure a codec through its bitstreams, in samples at its rate.

    The codes are decoded in float64, so that their faintest effect counts.

    Parameters
    ----------
    codec : NeuralCodec
        Loaded, on the CPU.
    phases : sequence of int, optional
        See `measured_latency`.
    """
    exact = copy.deepcopy(codec.network).double()

    def system(waves: Waves) -> Waves:
        audios = [Audio(wave.astype(np.float32), exact.sample_rate) for wave in waves]
        codes = codec.tokens(codec.encode_batch(audios)).codes
        with torch.inference_mode():
            latents = exact.quantizer.decode(torch.from_numpy(codes))
        return _decoded(exact, latents, waves.shape[1])

    return measured_latency(system, codec.hop_length, phases=phases, levels=LEVELS)


def _decoded(network: CodecNetwork, latents: Tensor, samples: int) -> Waves:
    """Decode and remove the delay."""
    with torch.inference_mode():
        waves = network.decode(latents)
    on_time: Waves = waves[:, network.delay_samples : network.delay_samples + samples].numpy()
    return on_time
