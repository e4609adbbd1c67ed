from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench import protocol
from codecbench.audio import Audio
from codecbench.bitstream import Packet
from codecbench.codec import Codec, CodecCard, TokenCodec, Tokens
from codecbench.errors import CodecError


class Late(Codec):
    """PCM that comes back `delay` samples late, at its own rate."""

    name = "late"

    def __init__(self, delay, rate, declared):
        super().__init__()
        self.delay, self.rate, self.declared = delay, rate, declared

    @property
    def card(self):
        return CodecCard("late", "Late", "", "", sample_rate=self.rate, delay_samples=self.declared)

    def encode(self, audio):
        return self.bitstream(audio, [Packet.whole(audio.samples.tobytes())])

    def decode(self, bitstream):
        samples = np.frombuffer(bitstream.packets[0].data, np.float32)
        return Audio(np.pad(samples, (self.delay, 0)), bitstream.sample_rate)


def noise(seconds=0.4, rate=16000, seed=0):
    white = np.random.default_rng(seed).standard_normal(int(rate * seconds))
    smooth = np.convolve(white, np.hanning(9) / 9, mode="same")
    return Audio(0.3 * smooth, rate)


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("delay", [0, 1, 312])
def test_a_declared_delay_is_removed_at_the_codecs_rate(rate, delay):
    reference = noise()
    decoded = protocol.decode(
        codec := Late(delay, rate, delay), protocol.encode(codec, reference), reference
    )
    assert len(decoded.audio) == len(reference)
    assert decoded.audio.sample_rate == 16000
    assert protocol.estimate_delay(reference, decoded.audio) == 0


@given(st.integers(-3000, 3000), st.sampled_from([1.0, -1.0, 0.1]))
@settings(max_examples=30)
def test_an_unknown_delay_is_found_to_the_sample(delay, gain):
    reference = noise(1.0)
    late = reference.advanced(-delay)
    assert protocol.estimate_delay(reference, Audio(gain * late.samples, 16000)) == delay


def test_bits_are_counted_and_the_container_is_not():
    reference = noise()
    codec = Late(0, 16000, 0)
    decoded = protocol.decode(codec, protocol.encode(codec, reference), reference)
    assert decoded.main_bits == len(reference) * 32
    assert decoded.side_bits == 0
    assert decoded.file_bytes * 8 > decoded.main_bits


def test_what_cannot_be_coded_is_said():
    codec = Late(0, 16000, 0)
    with pytest.raises(CodecError, match="empty"):
        protocol.encode(codec, Audio(np.zeros(0), 16000))
    with pytest.raises(CodecError, match="NaN"):
        protocol.encode(codec, Audio(np.array([np.nan]), 16000))


class Frames(TokenCodec):
    """Two codebooks: the coarse and the fine half of an 8-bit quantized sample, hop 4."""

    name = "frames"

    @property
    def card(self):
        return CodecCard("frames", "F", "", "", sample_rate=8000, codebook_sizes=(16, 1024))

    def tokenize(self, waves, lengths=None):
        waves = np.asarray(waves)
        lengths = np.full(len(waves), waves.shape[1]) if lengths is None else np.asarray(lengths)
        frames = -(-lengths // 4)
        picked = np.pad(waves, ((0, 0), (0, -waves.shape[1] % 4)))[:, ::4]
        value = np.clip((picked + 1) * 8192, 0, 16383).astype(np.int64)
        codes = np.stack([value >> 10, value & 1023], axis=1)
        codes[:, :, :] *= np.arange(codes.shape[2]) < frames[:, None, None]
        return Tokens(codes, frames, lengths)

    def detokenize(self, tokens):
        value = (tokens.codes[:, 0] << 10) + tokens.codes[:, 1]
        return np.repeat(value / 8192 - 1, 4, axis=1).astype(np.float32)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5))
@settings(max_examples=25)
def test_a_token_codec_counts_exact_bits_and_its_batch_equals_its_loop(lengths):
    codec = Frames()
    audios = [noise(1.0, 8000, seed).fitted(n) for seed, n in enumerate(lengths)]
    together = codec.encode_batch(audios)
    assert together == [codec.encode(audio) for audio in audios]
    for audio, bitstream in zip(audios, together, strict=True):
        assert bitstream.bits == -(-len(audio) // 4) * 14
    for one, many in zip(
        [codec.decode(item) for item in together], codec.decode_batch(together), strict=True
    ):
        np.testing.assert_array_equal(one.samples, many.samples)


class Wrong(Late):
    """Breaks one promise of a codec."""

    def __init__(self, fault):
        super().__init__(0, 16000, 0)
        self.fault = fault

    def encode(self, audio):
        right = super().encode(audio)
        return replace(right, **self.fault.get("encode", {}))

    def decode(self, bitstream):
        right = super().decode(bitstream)
        rate = self.fault.get("rate", right.sample_rate)
        return Audio(right.samples[: self.fault.get("length")], rate)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"encode": {"codec": "x" * 60_000}}, "belongs to xxx"),
        ({"encode": {"samples": 5}}, "does not state the length"),
        ({"encode": {"sample_rate": 8000}}, "does not state the length and rate"),
        ({"rate": 8000}, "returned 8000 Hz where 16000"),
        ({"length": 100}, "returned 100 samples where"),
    ],
)
def test_a_codec_that_breaks_a_promise_is_refused(fault, message):
    codec, reference = Wrong(fault), noise()
    with pytest.raises(CodecError, match=message):
        protocol.decode(codec, protocol.encode(codec, reference), reference)


def test_a_token_codecs_codes_are_handed_to_metrics():
    codec, reference = Frames(), noise(0.1, 8000)
    decoded = protocol.decode(codec, protocol.encode(codec, reference), reference)
    np.testing.assert_array_equal(decoded.tokens.codes, codec.tokenize([reference.samples]).codes)
