"""``entropy=on`` of a neural codec: one counted packet an utterance, the same audio."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from codecbench import protocol
from codecbench.adapters.nn.codebook_learning import CodebookLearner
from codecbench.adapters.nn.entropy import count_codes
from codecbench.adapters.nn.weights import COUNTS, add_tensors, read_header, write_weights
from codecbench.adapters.soundstream import SoundStreamCodec
from codecbench.audio import Audio
from codecbench.bitstream import Bitstream
from codecbench.errors import BitstreamError, UserError
from codecbench.registry import codec_of, load_codec

from ..adapters.codec_damage import damaged

MODEL = {
    "sample_rate": 8000,
    "seanet": {
        "strides": (4, 8),
        "encoder_channels": (4, 6, 8),
        "decoder_channels": (4, 6, 8),
        "latent_channels": 8,
    },
    "quantizer": {"codebooks": 3, "codebook_size": 100, "groups": 2},
}
"""Hop 32, 250 frames/s, 6 codes of 7 bits a frame: 3.5, 7 and 10.5 kbit/s."""


def sound(seconds=1.0, seed=0):
    time = np.arange(int(8000 * seconds)) / 8000
    hiss = np.random.default_rng(seed).standard_normal(len(time))
    return Audio(0.2 * np.sin(2 * np.pi * (300 + 500 * time) * time) + 0.02 * hiss, 8000)


@pytest.fixture(scope="module")
def network():
    config = SoundStreamCodec.network_config().model_validate(MODEL)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = SoundStreamCodec.build_network(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        latents = made.encode(torch.from_numpy(sound(8.0).samples.copy())[None])
        CodebookLearner(made.quantizer).start(made.quantizer, latents, 1, generator)
    return made


def written(path, network, counts, precision="float32"):
    metadata = {
        "codec": "soundstream",
        "variant": "",
        "config": network.config.model_dump_json(),
        "training": json.dumps({}),
    }
    write_weights(path, network, metadata, precision)
    if counts is not None:
        add_tensors(path, {COUNTS: counts})
    return path


@pytest.fixture(scope="module")
def counts(network):
    speech = [torch.from_numpy(sound(4.0, seed).samples.copy())[None] for seed in range(3)]
    return count_codes(network, speech)


@pytest.fixture(scope="module")
def weights(tmp_path_factory, network, counts):
    path = tmp_path_factory.mktemp("weights") / "counted.safetensors"
    return written(path, network, counts)


@pytest.fixture(scope="module")
def plain(weights):
    return load_codec(f"soundstream:weights={weights}")


@pytest.fixture(scope="module")
def coded(weights):
    return load_codec(f"soundstream:weights={weights},entropy=on")


def test_codes_are_counted_codebook_by_codebook(network, counts, plain):
    assert counts.dtype == torch.int32
    assert counts.shape == (6, 100)
    expected = np.zeros((6, 100), np.int64)
    for seed in range(3):
        tokens = plain.tokenize(sound(4.0, seed).samples[None])
        for row, codes in zip(expected, tokens.codes[0], strict=True):
            row += np.bincount(codes, minlength=100)
    np.testing.assert_array_equal(counts.numpy(), expected)


def test_counts_are_added_and_replaced_and_all_else_stays(tmp_path, network, counts):
    path = written(tmp_path / "half.safetensors", network, None, "float16")
    tensors, metadata = load_file(path), read_header(path).metadata
    for given in (counts + 1, counts):
        add_tensors(path, {COUNTS: given})
    found = load_file(path)
    assert torch.equal(found.pop(COUNTS), counts)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype == torch.float16
        assert torch.equal(found[name], tensor)
    assert read_header(path).metadata == metadata


def test_the_audio_is_that_of_plain_codes_for_fewer_bits(plain, coded):
    reference = sound(2.0, seed=9)
    one = protocol.decode(plain, protocol.encode(plain, reference), reference)
    other = protocol.decode(coded, protocol.encode(coded, reference), reference)
    np.testing.assert_array_equal(other.raw.samples, one.raw.samples)
    np.testing.assert_array_equal(other.tokens.codes, one.tokens.codes)
    assert len(other.bitstream.packets) == 1
    assert 0 < other.main_bits < one.main_bits
    assert other.main_bits == other.bitstream.packets[0].bits
    assert 8 * len(other.bitstream.packets[0].data) - other.main_bits < 8


def test_a_batch_equals_its_items_at_any_length(coded):
    audios = [sound(seconds, 4).fitted(n) for seconds, n in ((1, 1), (1, 31), (1, 33), (1, 7999))]
    together = coded.encode_batch(audios)
    assert together == [coded.encode(audio) for audio in audios]
    alone = [coded.decode(item) for item in together]
    for one, many in zip(alone, coded.decode_batch(together), strict=True):
        np.testing.assert_allclose(many.samples, one.samples, atol=1e-5)


def test_the_card_and_the_spec_say_it(plain, coded):
    assert "entropy=on" in coded.spec
    assert "entropy=off" in plain.spec
    assert coded.identity != plain.identity
    assert coded.card.algorithmic_latency_ms == math.inf
    assert plain.card.algorithmic_latency_ms < 5
    assert any("one packet" in note for note in coded.card.notes)


def test_streams_and_losses_are_refused(coded):
    bitstream = coded.encode(sound())
    for attempt in (
        coded.encoder_stream,
        coded.decoder_stream,
        lambda: coded.decode_with_losses(bitstream, [0]),
    ):
        with pytest.raises(UserError, match="neither stream nor lose packets"):
            attempt()


@pytest.mark.parametrize("kbps", [3.5, 7])
def test_lower_rates_are_coded_again_from_the_same_codes(weights, coded, kbps):
    audio = sound(1.0, seed=5)
    lower = coded.at_lower_rate(coded.encode(audio), kbps)
    direct = load_codec(f"soundstream:{kbps},weights={weights},entropy=on")
    assert lower == direct.encode(audio)
    assert lower.bits < coded.encode(audio).bits


def test_weights_without_or_with_wrong_counts_are_refused(tmp_path, network, counts):
    wrong = {
        "none": (None, "has none: leave entropy=on out"),
        "few": (counts[:5], "6 x 100"),
        "real": (counts.float(), "6 x 100"),
        "negative": (counts - 1000, "6 x 100"),
    }
    for name, (given, message) in wrong.items():
        path = written(tmp_path / f"{name}.safetensors", network, given)
        load_codec(f"soundstream:weights={path}").encode(sound(0.1))
        with pytest.raises(UserError, match=message):
            codec_of(f"soundstream:weights={path},entropy=on").check_available()


def test_damage_gives_other_audio_or_an_error(coded):
    bitstream = coded.encode(sound(0.5, seed=6))
    refused = set()
    for name, wrong in damaged(bitstream):
        try:
            audio = coded.decode(Bitstream.from_bytes(wrong.to_bytes()))
        except BitstreamError:
            refused.add(name)
        else:
            assert np.isfinite(audio.samples).all()
    assert refused >= {
        "none", "doubled", "all-empty", "bit-short", "half-packet", "byte-long", "one-sample",
        "an-hour-of-samples", "other-rate",
    }  # fmt: skip
