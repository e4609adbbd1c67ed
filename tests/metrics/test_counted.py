"""What the engine counts: bitrate, residual delay, clipping."""

import numpy as np
import pytest

from codecbench.adapters.identity import IdentityCodec
from codecbench.audio import Audio
from codecbench.codec import CodecCard, Tokens
from codecbench.corpora.base import Utterance
from codecbench.errors import MetricError
from codecbench.metric import Decoded
from codecbench.metrics.bitrate import Bitrate, entropy_bits
from codecbench.metrics.clipping import Clipping
from codecbench.metrics.delay import ResidualDelay
from codecbench.protocol import decode, encode

from .signals import RATE, delayed, synthetic_speech, with_noise

SPEECH = synthetic_speech(1.5)
UTTERANCE = Utterance.from_audio(SPEECH)


def _tokens(*books):
    codes = np.array([books], np.int64)
    return Tokens(codes, np.array([codes.shape[2]]), np.array([RATE]))


def _rates(decoded):
    metric = Bitrate()
    return metric.score(metric.prepare(UTTERANCE), decoded)


def test_pcm_is_256_kbps():
    codec = IdentityCodec()
    encoded = encode(codec, SPEECH)
    scores = _rates(decode(codec, encoded, SPEECH))
    assert scores["kbps"].value == pytest.approx(256.0)
    assert (scores["kbps"].numerator, scores["kbps"].denominator) == (384.0, 1.5)
    assert scores["kbps_main"].value == pytest.approx(256.0)
    assert scores["kbps_file"].value == pytest.approx(8 * len(encoded.data) / 1000 / 1.5)
    assert scores["kbps_entropy"].error


def test_side_information_counts():
    decoded = Decoded.from_audio(SPEECH)
    decoded.main_bits, decoded.side_bits = 3000, 1500
    scores = _rates(decoded)
    assert (scores["kbps"].value, scores["kbps_main"].value) == (3.0, 2.0)
    assert "not known" in scores["kbps_file"].error


def test_unknown_rate_is_a_reason():
    scores = _rates(Decoded.from_audio(SPEECH))
    assert all(score.error for score in scores.values())


def test_entropy_of_codes():
    assert entropy_bits(_tokens([0, 1, 0, 1], [5, 5, 5, 5])) == pytest.approx(4.0)
    assert entropy_bits(_tokens([0, 1, 2, 3])) == pytest.approx(8.0)
    decoded = Decoded.from_audio(SPEECH)
    decoded.tokens = _tokens([0, 1, 2, 3])
    assert _rates(decoded)["kbps_entropy"].value == pytest.approx(0.008 / 1.5)


def test_entropy_of_frames_beyond_an_items_length_does_not_count():
    tokens = Tokens(np.array([[[0, 1, 7, 7]]]), np.array([2]), np.array([RATE]))
    assert entropy_bits(tokens) == pytest.approx(2.0)


def test_entropy_needs_one_signal():
    with pytest.raises(MetricError, match="one signal"):
        entropy_bits(Tokens(np.zeros((2, 1, 4), np.int64), np.array([4, 4]), np.array([1, 1])))


def test_entropy_is_not_applicable_to_codecs_without_codebooks():
    metric, card = Bitrate(), IdentityCodec().card
    assert metric.applicable(UTTERANCE, card) == {"kbps", "kbps_main", "kbps_file"}
    token_card = CodecCard("x", "x", "x", "x", codebook_sizes=(1024,))
    assert "kbps_entropy" in metric.applicable(UTTERANCE, token_card)


@pytest.mark.parametrize("samples", [0, 1, 80, -37, 4000])
def test_delay_to_the_sample(samples):
    metric = ResidualDelay()
    late = with_noise(delayed(SPEECH, samples), 10.0)
    scores = metric.measure(SPEECH, late)
    assert scores["delay_ms"].value == pytest.approx(1000 * samples / RATE)


def test_a_decoder_that_returned_nothing_is_not_unclipped():
    decoded = Decoded.from_audio(SPEECH)
    decoded.raw = Audio(np.zeros(0), 8000)
    metric = Clipping()
    with pytest.raises(MetricError, match="no samples"):
        metric.score(metric.prepare(UTTERANCE), decoded)


def test_clipping_is_counted_where_the_decoder_left_it():
    samples = np.zeros(1000)
    samples[:3] = (1.0, -1.7, 32767 / 32768)
    samples[3] = 32766 / 32768
    decoded = Decoded.from_audio(SPEECH)
    decoded.raw = Audio(samples, 8000)
    metric = Clipping()
    score = metric.score(metric.prepare(UTTERANCE), decoded)["clipped"]
    assert (score.numerator, score.denominator) == (3, 1000)
