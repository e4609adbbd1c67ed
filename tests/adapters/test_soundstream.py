"""SoundStream: what is its own beside the laws of all neural codecs."""

import tomllib

import pytest

from codecbench.adapters.soundstream import SoundStreamCodec
from codecbench.errors import UnavailableError, UserError
from codecbench.registry import codec_of

from .neural_fixtures import spec_text
from .neural_specs import TINY

WITHOUT_SWITCH = next(row for row in TINY if row.id == "soundstream-plain")


def test_the_paper_s_recipe_is_the_paper_s_network():
    recipe = tomllib.loads((SoundStreamCodec.folder / "paper.toml").read_text(encoding="utf-8"))
    config = SoundStreamCodec.network_config().model_validate(recipe["model"])
    assert (config.sample_rate, config.hop_length, config.delay_samples) == (24_000, 320, 0)
    frame_rate = config.sample_rate / config.hop_length
    assert config.quantizer.codebooks * 10 * frame_rate == 18_000
    network = SoundStreamCodec.build_network(config)
    parts = [*network.encoder.parameters(), *network.decoder.parameters()]
    assert sum(part.numel() for part in parts) == pytest.approx(8.4e6, abs=5e4)


def test_denoising_needs_weights_with_the_switch():
    codec = codec_of(spec_text(WITHOUT_SWITCH) + ",denoise=on")
    with pytest.raises(UserError, match="without a denoising switch; leave out denoise=on"):
        codec.check_available()


def test_no_official_weights_are_made_up():
    with pytest.raises(UnavailableError, match="soundstream"):
        codec_of("soundstream:weights=official").check_available()


def test_a_rate_that_is_none_of_its_rates_is_refused_with_the_rates():
    codec = codec_of(spec_text(WITHOUT_SWITCH) + ",kbps=5.3")
    with pytest.raises(UserError, match=r"kbps=5.3 is no rate of it; it has 5, 10, 15"):
        codec.check_available()


def test_the_bundled_weights_are_small_and_reach_the_paper_s_bits_a_sample():
    codec = codec_of("soundstream:entropy=on")
    codec.check_available()
    assert codec.weights_file.path.stat().st_size <= 4_000_000
    assert codec.rates[-1] == pytest.approx(18 * 16 / 24)
