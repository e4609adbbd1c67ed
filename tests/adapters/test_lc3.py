"""LC3: sizes of frames, liblc3's own delay and bytes, alignment at every rate and frame."""

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.errors import BitstreamError, UserError
from codecbench.protocol import decode, encode, estimate_delay
from codecbench.registry import codec_of, load_codec

from .codec_signals import voice

lc3 = pytest.importorskip("lc3")

KINDS = [(rate, ms) for rate in (8_000, 16_000, 24_000, 32_000, 48_000) for ms in (7.5, 10)]


def load(kbps, frame_ms, rate):
    return load_codec(f"lc3:kbps={kbps},frame_ms={frame_ms},rate={rate}")


@pytest.mark.parametrize(
    ("kbps", "frame_ms", "size"),
    [(16, 10, 20), (24, 10, 30), (32, 10, 40), (33, 10, 41), (64, 10, 80), (320, 10, 400),
     (21.4, 7.5, 20), (24, 7.5, 22), (32, 7.5, 30), (64, 7.5, 60), (320, 7.5, 300)],
)  # fmt: skip
def test_main_bits_are_frames_of_whole_bytes(kbps, frame_ms, size):
    codec = load(kbps, frame_ms, 16_000)
    assert lc3.Encoder(round(1000 * frame_ms), 16_000).get_frame_bytes(round(1000 * kbps)) == size
    for samples in (1, 160, 161, 16_000):
        bitstream = codec.encode(voice(samples, 16_000))
        frames = -(-(samples + codec.card.delay_samples) // round(16 * frame_ms))
        assert [packet.bits for packet in bitstream.packets] == [8 * size] * frames
        assert bitstream.main_bits == frames * 8 * size


@pytest.mark.parametrize(("rate", "frame_ms"), KINDS)
def test_delay_is_that_of_liblc3_and_of_impulses(rate, frame_ms):
    codec = load(64, frame_ms, rate)
    coder = lc3.Encoder(round(1000 * frame_ms), rate)
    assert codec.card.delay_samples == coder.get_delay_samples()
    total = coder.get_frame_samples() + coder.get_delay_samples()
    assert codec.card.algorithmic_latency_ms == pytest.approx(1000 * total / rate)
    clicks = np.zeros(rate, np.float32)
    for at in (0.123_4, 0.456_7, 0.789_1):
        clicks[int(at * rate) : int(at * rate) + 3] = (0.25, 0.5, 0.25)
    reference = Audio(clicks, rate)
    assert estimate_delay(reference, decode(codec, encode(codec, reference), reference).audio) == 0


@pytest.mark.parametrize(("rate", "frame_ms"), KINDS)
def test_a_kept_coder_does_what_a_new_one_does(rate, frame_ms):
    codec = load(48, frame_ms, rate)
    for seed in range(2):
        audio = voice(rate // 4, rate, seed)
        bitstream = codec.encode(audio)
        encoder = lc3.Encoder(round(1000 * frame_ms), rate)
        decoder = lc3.Decoder(round(1000 * frame_ms), rate)
        size = encoder.get_frame_samples()
        padded = audio.fitted(size * len(bitstream.packets)).samples.reshape(-1, size)
        frames = [encoder.encode(x.tobytes(), len(bitstream.packets[0].data)) for x in padded]
        assert [packet.data for packet in bitstream.packets] == frames
        expected = np.concatenate([np.asarray(decoder.decode(frame)) for frame in frames])
        assert np.array_equal(codec.decode(bitstream).samples, expected.astype(np.float32))


def test_coders_are_made_once_a_process(monkeypatch):
    codec = load(32, 10, 16_000)
    codec.decode(codec.encode(voice(400, 16_000)))
    monkeypatch.setattr(lc3, "Encoder", None)
    monkeypatch.setattr(lc3, "Decoder", None)
    codec.decode(load(64, 10, 16_000).bitstream(voice(1, 16_000), [Packet(bytes(40), 320)] * 2))


@pytest.mark.parametrize(("rate", "frame_ms"), KINDS)
def test_streams_in_parallel_give_what_encode_and_decode_give(rate, frame_ms):
    codec = load(48, frame_ms, rate)
    audios = [voice(rate // 5 + seed, rate, seed) for seed in range(2)]
    streams = [codec.encoder_stream() for _ in audios]
    packets = [[], []]
    for start in range(0, rate // 5 + 1, 101):
        for stream, audio, sent in zip(streams, audios, packets, strict=True):
            sent += stream.push(audio.samples[start : start + 101])
    decoders = [codec.decoder_stream() for _ in audios]
    for stream, audio, sent in zip(streams, audios, packets, strict=True):
        sent += stream.finish()
        assert tuple(sent) == codec.encode(audio).packets
    together = [[decoder.push(packet) for decoder, packet in zip(decoders, pair, strict=True)]
                for pair in zip(*packets, strict=True)]  # fmt: skip
    for index, audio in enumerate(audios):
        streamed = np.concatenate([step[index] for step in together])
        assert np.array_equal(streamed, codec.decode(codec.encode(audio)).samples)


def test_lost_frames_are_concealed_by_speech_and_forgotten():
    codec = load(64, 10, 16_000)
    bitstream = codec.encode(voice(16_000, 16_000))
    whole = codec.decode(bitstream).samples
    torn = codec.decode_with_losses(bitstream, [50, 51]).samples
    assert len(torn) == len(whole)
    assert np.array_equal(torn[: 50 * 160], whole[: 50 * 160])
    gap = slice(50 * 160, 52 * 160)
    assert 0.3 < np.std(torn[gap]) / np.std(whole[gap]) < 2
    assert not np.array_equal(torn[gap], whole[gap])
    assert np.abs(torn[60 * 160 :] - whole[60 * 160 :]).max() < 0.01


def test_everything_lost_is_silence_of_the_right_length():
    codec = load(32, 10, 16_000)
    bitstream = codec.encode(voice(4_000, 16_000))
    nothing = codec.decode_with_losses(bitstream, range(len(bitstream.packets)))
    assert len(nothing) == len(codec.decode(bitstream))
    assert np.abs(nothing.samples).max() < 1e-3


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lc3:kbps=16,frame_ms=7.5", "kbps is 21.4 or more"),
        ("lc3:kbps=15", "kbps"),
        ("lc3:kbps=321", "kbps"),
        ("lc3:kbps=nan", "kbps"),
        ("lc3:frame_ms=5", "7.5 and 10 ms"),
        ("lc3:rate=44100", "24000"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(spec, message):
    with pytest.raises(UserError, match=message):
        codec_of(spec)


def test_frames_of_another_size_are_refused():
    bitstream = load(32, 10, 16_000).encode(voice(400, 16_000))
    with pytest.raises(BitstreamError, match="320 bits"):
        load(64, 10, 16_000).decode(bitstream)


def test_fewer_packets_than_samples_are_refused():
    bitstream = Bitstream("lc3", 2_000_000_000, 16_000, (Packet(bytes(40), 320),))
    with pytest.raises(BitstreamError, match="160 samples"):
        load(32, 10, 16_000).decode(bitstream)
