"""Streams of neural codecs: packets on time, losses concealed, nonsense refused."""

import numpy as np
import pytest
import torch

from codecbench.adapters.nn.streams import FADE
from codecbench.adapters.nn.weights import write_weights
from codecbench.adapters.soundstream.network import SoundStreamConfig, SoundStreamNetwork
from codecbench.audio import Audio
from codecbench.bits import pack
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError, UserError
from codecbench.registry import load_codec

HOP, DELAY, SIZE = 12, 3, 20
MODEL = {
    "sample_rate": 8_000,
    "seanet": {
        "strides": (2, 2),
        "encoder_channels": (4, 4, 5),
        "decoder_channels": (4, 4, 5),
        "latent_channels": 4,
        "first_stride": 3,
        "kernel_size": 6,
        "mdct_start": True,
    },
    "quantizer": {"codebooks": 2, "codebook_size": SIZE},
}


def codec_of(folder, model):
    config = SoundStreamConfig.model_validate(model)
    torch.manual_seed(0)
    path = folder / "random.safetensors"
    metadata = {"codec": "soundstream", "variant": "", "config": config.model_dump_json()}
    write_weights(path, SoundStreamNetwork(config), metadata)
    return load_codec(f"soundstream:weights={path}")


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    return codec_of(tmp_path_factory.mktemp("weights"), MODEL)


@pytest.fixture(scope="module")
def audio():
    samples = 0.3 * np.random.default_rng(0).standard_normal(10 * HOP)
    return Audio(samples.astype(np.float32), 8_000)


def test_packets_come_as_soon_as_their_samples_are_there(codec, audio):
    stream = codec.encoder_stream()
    counts = [len(stream.push(audio.samples[n : n + 1])) for n in range(3 * HOP)]
    assert counts == ([0] * (HOP - 1) + [1]) * 3


@pytest.mark.parametrize(
    ("samples", "packets"), [(1, 1), (HOP - DELAY, 1), (HOP - DELAY + 1, 2), (HOP, 2), (25, 3)]
)
def test_the_end_brings_the_last_sample_through_the_delay(codec, audio, samples, packets):
    stream = codec.encoder_stream()
    sent = stream.push(audio.samples[:samples]) + stream.finish()
    assert len(sent) == packets == len(codec.encode(audio.fitted(samples)).packets)
    assert stream.finish() == []


def test_nothing_pushed_sends_nothing(codec):
    assert codec.encoder_stream().push(np.zeros(0, np.float32)) == []


def test_streams_share_nothing(codec, audio):
    one, other = codec.encoder_stream(), codec.encoder_stream()
    packets = []
    for start in range(0, len(audio), HOP):
        packets += one.push(audio.samples[start : start + HOP])
        other.push(-audio.samples[start : start + HOP])
    assert tuple(packets + one.finish()) == codec.encode(audio).packets


def test_every_packet_gives_one_hop(codec, audio):
    stream = codec.decoder_stream()
    assert {len(stream.push(packet)) for packet in codec.encode(audio).packets} == {HOP}


def test_lost_packets_repeat_and_fade_the_last_latents(codec, audio):
    first = codec.encode(audio).packets[0]
    stream = codec.decoder_stream()
    waves = [stream.push(packet) for packet in (first, None, None)]
    codes = torch.from_numpy(codec.tokens([codec.encode(audio)]).codes[:, :, :1])
    network = codec.network
    with torch.inference_mode():
        latents = network.quantizer.decode(codes)
        faded = torch.cat([latents, FADE * latents, FADE**2 * latents], dim=-1)
        expected = network.decode(faded)[0]
    np.testing.assert_allclose(np.concatenate(waves), expected.numpy(), atol=1e-6)


def test_long_losses_fade_towards_what_silence_gives(codec, audio):
    stream = codec.decoder_stream()
    stream.push(codec.encode(audio).packets[0])
    late = [stream.push(None) for _ in range(100)][-1]
    silent = codec.decoder_stream()
    quiet = [silent.push(None) for _ in range(100)][-1]
    np.testing.assert_allclose(late, quiet, atol=1e-6)


def test_before_the_first_packet_there_are_no_latents(codec):
    with torch.inference_mode():
        expected = codec.network.decode(torch.zeros(1, 4, 1))[0]
    np.testing.assert_allclose(codec.decoder_stream().push(None), expected.numpy(), atol=1e-6)


def test_a_loss_is_over_when_its_receptive_field_is(codec, audio):
    bitstream = codec.encode(audio.fitted(100 * HOP))
    whole = codec.decode_with_losses(bitstream, ()).samples
    decoded = codec.decode_with_losses(bitstream, (5,)).samples
    differs = np.flatnonzero(np.abs(decoded - whole) > 1e-5 * np.abs(whole).max())
    assert differs[0] >= 5 * HOP
    assert differs[-1] < 80 * HOP


def test_a_packet_of_another_size_is_refused(codec):
    with pytest.raises(BitstreamError, match="a packet has 8 bits where 10 are due"):
        codec.decoder_stream().push(Packet.whole(b"\x00"))


def test_a_code_beyond_its_codebook_is_refused(codec):
    packet = Packet(pack([0, SIZE], (5, 5)), 10)
    with pytest.raises(BitstreamError, match="outside its codebook"):
        codec.decoder_stream().push(packet)


def test_a_refused_packet_leaves_the_stream_as_it_was(codec, audio):
    first, second = codec.encode(audio).packets[:2]
    stream, plain = codec.decoder_stream(), codec.decoder_stream()
    stream.push(first)
    with pytest.raises(BitstreamError):
        stream.push(Packet.whole(b"\x00"))
    plain.push(first)
    assert np.array_equal(stream.push(second), plain.push(second))


def test_a_codec_that_looks_ahead_does_not_stream(tmp_path):
    seanet = {**MODEL["seanet"], "causal": False}
    codec = codec_of(tmp_path, {**MODEL, "seanet": seanet})
    with pytest.raises(UserError, match="looks ahead"):
        codec.encoder_stream()
    with pytest.raises(UserError, match="looks ahead"):
        codec.decoder_stream()
