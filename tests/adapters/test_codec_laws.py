"""The laws notice codecs that break them."""

from dataclasses import replace

import numpy as np
import pytest

from codecbench.adapters.g722 import G722Codec
from codecbench.adapters.identity import IdentityCodec
from codecbench.audio import Audio
from codecbench.errors import CodecError

from . import codec_laws as laws
from .codec_damage import damaged
from .codec_signals import EVALUATION_RATE, envelope_delay, syllables, voice


class LateByOne(G722Codec):
    @property
    def card(self):
        return replace(super().card, delay_samples=super().card.delay_samples - 1)


class EarlyByOne(G722Codec):
    @property
    def card(self):
        return replace(super().card, delay_samples=super().card.delay_samples + 1)


class Narrow(IdentityCodec):
    @property
    def card(self):
        return replace(super().card, bandwidth_hz=4_000.0)


class Short(IdentityCodec):
    def decode(self, bitstream):
        return super().decode(bitstream).advanced(1)


class Remembering(IdentityCodec):
    calls = 0

    def encode(self, audio):
        self.calls += 1
        return super().encode(Audio(audio.samples / self.calls, audio.sample_rate))


class Silent(IdentityCodec):
    def decode(self, bitstream):
        audio = super().decode(bitstream)
        hum = np.random.default_rng(1).standard_normal(len(audio)).astype(np.float32)
        return Audio(0.01 * audio.samples + 0.1 * hum, audio.sample_rate)


@pytest.mark.parametrize(
    ("codec", "law"),
    [
        (LateByOne, laws.aligned_to_the_sample),
        (EarlyByOne, laws.aligned_to_the_sample),
        (Silent, laws.aligned_to_the_sample),
        (Narrow, laws.bandwidth_is_what_the_card_says),
        (Short, laws.any_length_comes_back),
        (Remembering, laws.encoding_keeps_no_state),
        (Remembering, laws.batch_equals_loop),
    ],
)
def test_a_law_notices(codec, law):
    broken = codec()
    with pytest.raises(AssertionError):
        law(laws.Case(broken.spec, broken))


@pytest.mark.parametrize("milliseconds", [-40, -20, 0, 7, 20, 40])
def test_the_envelope_delay_is_read_to_a_millisecond(milliseconds):
    reference = syllables()
    late = reference.advanced(-milliseconds * EVALUATION_RATE // 1000).fitted(len(reference))
    assert envelope_delay(reference, late) == pytest.approx(milliseconds / 1000, abs=1e-3)


def test_damage_changes_the_bitstream_and_keeps_it_a_valid_container():
    codec = G722Codec()
    whole = codec.encode(voice(4_000, 16_000))
    variants = dict(damaged(whole))
    assert len(variants) > 20
    for name, variant in variants.items():
        assert variant != whole, name
        assert type(variant).from_bytes(variant.to_bytes()) == variant


def test_a_codec_refuses_what_it_cannot_code():
    codec = G722Codec()
    with pytest.raises(CodecError, match="16000 Hz"):
        codec.encode(voice(100, 8_000))
    with pytest.raises(CodecError, match="empty"):
        codec.encode(Audio(np.zeros(0, np.float32), 16_000))
