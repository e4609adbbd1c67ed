"""G.722, G.726, MP3 and AAC: bits, delays at every rate, limits and headers."""

import io
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from codecbench.adapters.aac import AacCodec
from codecbench.adapters.mp3.codec import _FRAMES as MP3_RATES
from codecbench.audio import Audio
from codecbench.bits import unpack
from codecbench.errors import BitstreamError, UserError
from codecbench.protocol import estimate_delay
from codecbench.registry import codec_of

from .codec_signals import chirp, voice


def snr(spec, audio):
    codec = codec_of(spec)
    decoded = codec.decode(codec.encode(audio)).samples[codec.card.delay_samples :]
    error = decoded[: len(audio)] - audio.samples
    return 10 * np.log10(np.mean(audio.samples**2) / np.mean(error**2))


@pytest.mark.parametrize("spec", [f"mp3:kbps=64,rate={rate}" for rate in MP3_RATES])
def test_the_delay_of_mp3_is_the_same_at_every_rate(spec):
    assert _measured_delay(spec) == 1_105


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
def test_the_delay_of_aac_is_the_same_at_every_rate(rate):
    assert _measured_delay(f"aac:kbps=32,rate={rate}") == 1_024


def _measured_delay(spec):
    codec = codec_of(spec)
    reference = chirp(codec.card).resampled(codec.card.sample_rate)
    return estimate_delay(reference, codec.decode(codec.encode(reference)))


def test_each_bit_of_g726_is_worth_decibels():
    audio = voice(16_000, 8_000)
    ratios = [snr(f"g726:kbps={kbps}", audio) for kbps in (16, 24, 32, 40)]
    assert all(better > worse + 1 for worse, better in pairwise(ratios))
    assert ratios[2] > 18


@pytest.mark.parametrize(("kbps", "subtype"), [(24, "G723_24"), (32, "G721_32"), (40, "G723_40")])
def test_g726_is_as_good_as_another_implementation(kbps, subtype):
    """libsndfile has the older Recommendations G.721 and G.723, which G.726 replaces."""
    rng = np.random.default_rng(3)
    signal = lfilter([0.02], [1.0, -1.6, 0.8], rng.standard_normal(16_000)).astype(np.float32)
    audio = Audio(signal, 8_000)
    file = io.BytesIO()
    soundfile.write(file, audio.samples, 8_000, format="AU", subtype=subtype)
    theirs = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0][:16_000]
    error = theirs - audio.samples
    their_ratio = 10 * np.log10(np.mean(audio.samples**2) / np.mean(error**2))
    assert snr(f"g726:kbps={kbps}", audio) == pytest.approx(their_ratio, abs=1.0)


def test_the_last_packet_of_g726_ends_with_its_last_sample():
    codec = codec_of("g726:kbps=24")
    bitstream = codec.encode(voice(333, 8_000))
    assert [packet.bits for packet in bitstream.packets] == [480, 480, 39]
    assert len(codec.decode(bitstream)) == 333


def test_g722_is_transparent_enough():
    assert snr("g722", voice(16_000, 16_000)) > 15


def test_aac_sends_its_stream_header_once_and_counts_it():
    codec = AacCodec()
    bitstream = codec.encode(voice(16_000, 16_000))
    assert bitstream.side_bits == 40
    object_type, frequency_index, channels = unpack(bitstream.side_information[0].data, (5, 4, 4))
    assert (object_type, frequency_index, channels) == (2, 8, 1)
    assert b"Lavc" not in b"".join(packet.data for packet in bitstream.packets)
    lost = type(bitstream)(bitstream.codec, 16_000, 16_000, bitstream.packets)
    with pytest.raises(BitstreamError, match="0 packets of side information"):
        codec.decode(lost)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mp3:kbps=20", "kbps=20 does not exist at 16000 Hz"),
        ("mp3:kbps=8,rate=44100", "kbps=8 does not exist at 44100 Hz"),
        ("mp3:rate=12345", "must be one of"),
        ("aac:kbps=200", "kbps must be at most 96 at 16000 Hz"),
        ("aac:kbps=2", "kbps"),
        ("g726:kbps=20", "must be one of 16, 24, 32, 40"),
        ("g722:kbps=48", "unknown key 'kbps'"),
    ],
)
def test_rates_that_do_not_exist_are_refused(spec, message):
    with pytest.raises(UserError, match=message) as caught:
        codec_of(spec)
    assert "\n" not in str(caught.value)
