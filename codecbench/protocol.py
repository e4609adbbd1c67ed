"""The protocol of measurement: how a signal goes through a codec and back onto its time axis.

Resampling, the passage through bytes, the removal of the declared delay and the cut to length
are done here and nowhere else; adapters do none of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .audio import Audio
from .bitstream import Bitstream
from .codec import Codec, CodecCard, DecodedSource, TokenCodec
from .corpora.base import Utterance
from .errors import BitstreamError, CodecError
from .metric import Decoded
from .signals import Signal
from .streaming import StreamingCodec

DrawLost = Callable[[int], Collection[int]]
"""Given how many packets were sent, draws the positions of those that are lost."""

DELAY_SEARCH_SECONDS = 0.5
"""A delay is looked for up to this far to either side."""


@dataclass(frozen=True)
class Encoded:
    """A container file and how long the encoder took.

    Parameters
    ----------
    data : bytes
        `Bitstream.to_bytes`.
    seconds : float
    """

    data: bytes
    seconds: float


def encode(codec: Codec, reference: Audio) -> Encoded:
    """Encode a reference at its evaluation rate into the bytes of a container file.

    Raises
    ------
    CodecError
        If the codec cannot code it.
    """
    if not len(reference):
        raise CodecError("the reference is empty")
    if not reference.is_finite:
        raise CodecError("the reference holds NaN or infinite samples")
    audio = reference.resampled(codec.card.sample_rate or reference.sample_rate)
    start = time.perf_counter()
    bitstream = codec.encode(audio)
    seconds = time.perf_counter() - start
    _check_label(codec, bitstream)
    if (bitstream.samples, bitstream.sample_rate) != (len(audio), audio.sample_rate):
        raise CodecError("the bitstream does not state the length and rate of what was coded")
    return Encoded(bitstream.to_bytes(), seconds)


def _check_label(codec: Codec, bitstream: Bitstream) -> None:
    """Refuse another spec than the codec's own: nothing may pass in what is not counted."""
    if bitstream.codec != codec.spec:
        raise CodecError(f"the bitstream belongs to {bitstream.codec[:80]}, not to {codec.spec}")


def decode(
    codec: Codec,
    encoded: Encoded,
    reference: Audio,
    delay_samples: int | None = None,
    draw_lost: DrawLost | None = None,
) -> Decoded:
    """Decode the bytes of a container file and put the audio back onto the reference's axis.

    Parameters
    ----------
    codec : Codec
    encoded : Encoded
    reference : Audio
        At the evaluation rate; only its rate and length are used.
    delay_samples : int, optional
        Estimated delay to remove at the codec's rate; the card's if None.
    draw_lost : callable, optional
        Which packets are lost; none if not given. What is counted is what was sent.

    Raises
    ------
    CodecError, BitstreamError
    """
    bitstream = Bitstream.from_bytes(encoded.data)
    _check_label(codec, bitstream)
    lost = None if draw_lost is None else draw_lost(len(bitstream.packets))
    start = time.perf_counter()
    raw = _decoded(codec, bitstream, lost)
    seconds = time.perf_counter() - start
    delay = _known_delay(codec.card, delay_samples)
    signal = aligned(raw, reference, bitstream.samples, delay)
    return Decoded(
        Signal(signal),
        raw=raw,
        card=codec.card,
        bitstream=bitstream,
        main_bits=bitstream.main_bits,
        side_bits=bitstream.side_bits,
        file_bytes=len(encoded.data),
        lost_packets=len(lost or ()),
        tokens=codec.tokens([bitstream]) if isinstance(codec, TokenCodec) else None,
        timings={"encode": encoded.seconds, "decode": seconds},
    )


def _decoded(codec: Codec, bitstream: Bitstream, lost: Collection[int] | None) -> Audio:
    """Decode, with losses if any may occur, and hold the decoder to what it promises."""
    rate = codec.card.sample_rate or bitstream.sample_rate
    if bitstream.sample_rate != rate:
        raise BitstreamError(
            f"the bitstream states {bitstream.sample_rate} Hz where the codec runs at {rate} Hz"
        )
    if lost is None:
        raw = codec.decode(bitstream)
    elif isinstance(codec, StreamingCodec):
        raw = codec.decode_with_losses(bitstream, lost)
    else:
        raise CodecError("it does not decode packet by packet and cannot lose packets")
    if raw.sample_rate != bitstream.sample_rate:
        raise CodecError(
            f"the decoder returned {raw.sample_rate} Hz where {bitstream.sample_rate} Hz were coded"
        )
    delay = codec.card.delay_samples
    if delay is not None and len(raw) < bitstream.samples + delay:
        raise CodecError(
            f"the decoder returned {len(raw)} samples where {bitstream.samples} and the delay"
            f" of {delay} were due"
        )
    return raw


def restore(codec: Codec, bitstream: Bitstream, lost: Collection[int] | None = None) -> Audio:
    """Decode at the codec's rate, remove the declared delay (if any) and cut to length.

    Parameters
    ----------
    codec : Codec
    bitstream : Bitstream
    lost : collection of int, optional
        Positions of lost packets.

    Raises
    ------
    CodecError, BitstreamError
    """
    raw = _decoded(codec, bitstream, lost)
    if not raw.is_finite:
        raise CodecError("the decoder returned NaN or infinite samples")
    return raw.advanced(codec.card.delay_samples or 0).fitted(bitstream.samples)


def look_up(source: DecodedSource, utterance: Utterance, delay_samples: int | None) -> Decoded:
    """Fetch audio that was decoded elsewhere and put it onto the reference's axis."""
    found = source.lookup(utterance)
    reference = utterance.audio()
    length = -(-len(reference) * found.audio.sample_rate // reference.sample_rate)
    delay = _known_delay(source.card, delay_samples)
    signal = aligned(found.audio, reference, length, delay)
    return Decoded(
        Signal(signal),
        raw=found.audio,
        card=source.card,
        main_bits=found.main_bits,
        side_bits=found.side_bits,
    )


def _known_delay(card: CodecCard, estimated: int | None) -> int:
    delay = card.delay_samples if estimated is None else estimated
    if delay is None:
        raise CodecError(
            "it declares no delay and none could be estimated: give one, as in delay=0"
        )
    return delay


def aligned(raw: Audio, reference: Audio, coded_samples: int, delay: int) -> Audio:
    """Remove the delay at the decoded rate, resample to the evaluation rate, cut to length.

    Parameters
    ----------
    raw : Audio
        As decoded.
    reference : Audio
        Gives rate and length.
    coded_samples : int
        Length of the coded signal at the decoded rate.
    delay : int
        In samples at the decoded rate.
    """
    if not raw.is_finite:
        raise CodecError("the decoder returned NaN or infinite samples")
    on_time = raw.advanced(delay).fitted(coded_samples)
    return on_time.resampled(reference.sample_rate).fitted(len(reference))


def estimate_delay(reference: Audio, decoded: Audio) -> int:
    """Estimate by how many samples `decoded` lags `reference` (cross-correlation, same rate).

    Returns
    -------
    int
        Positive if `decoded` is late; searched up to half a second to either side.

    Raises
    ------
    CodecError
        If the rates differ or one of the signals is silent.
    """
    if reference.sample_rate != decoded.sample_rate:
        raise CodecError("delays are estimated between signals of the same rate")
    x, y = reference.samples.astype(np.float64), decoded.samples.astype(np.float64)
    if not x.any() or not y.any():
        raise CodecError("the delay of a silent signal cannot be estimated")
    reach = round(DELAY_SEARCH_SECONDS * reference.sample_rate)
    correlation = _cross_correlation(x, y, min(reach, max(len(x), len(y)) - 1))
    # The magnitude: a codec that inverts the polarity is not late.
    return int(np.argmax(np.abs(correlation))) - (len(correlation) - 1) // 2


def _cross_correlation(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], reach: int
) -> npt.NDArray[np.float64]:
    """Return sum_n x[n] y[n + lag] for lag = -reach … reach."""
    from scipy import fft

    # Long enough that no lag within reach meets one that wrapped around.
    size = fft.next_fast_len(max(len(x), len(y)) + reach, real=True)
    spectrum = fft.rfft(x, size).conj() * fft.rfft(y, size)
    circular = fft.irfft(spectrum, size)
    result: npt.NDArray[np.float64] = np.concatenate(
        [circular[size - reach :], circular[: reach + 1]]
    )
    return result
