"""SVCODEC: what is its own beside the laws of all neural codecs."""

import tomllib

import pytest

from codecbench.adapters.svcodec import SvcodecCodec
from codecbench.errors import UnavailableError, UserError
from codecbench.registry import codec_of

from .neural_fixtures import spec_text
from .neural_specs import TINY

FINAL = next(row for row in TINY if row.id == "svcodec-plain")
RECIPES = sorted(path.name for path in SvcodecCodec.folder.glob("*.toml"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_the_authors_frame_and_rates(name):
    recipe = tomllib.loads((SvcodecCodec.folder / name).read_text(encoding="utf-8"))
    config = SvcodecCodec.network_config().model_validate(recipe["model"])
    assert (config.sample_rate, config.hop_length) == (8_000, 160)
    assert len(config.seanet.strides) == 4
    assert config.causal
    assert (config.quantizer.codebooks, config.quantizer.codebook_size) == (8, 1024)


def test_official_weights_are_refused_with_the_reason():
    with pytest.raises(UnavailableError, match="file-sharing service"):
        codec_of("svcodec:weights=official").check_available()


def test_weights_of_another_variant_are_refused():
    codec = codec_of(spec_text(FINAL) + ",variant=v1")
    with pytest.raises(UserError, match="holds variant 'final' of svcodec, not 'v1'"):
        codec.check_available()


@pytest.mark.parametrize("entropy", ["off", "on"])
@pytest.mark.parametrize("variant", ["final", "v1", "v2"])
def test_each_variant_has_small_weights_of_its_own_with_a_card(variant, entropy):
    codec = codec_of(f"svcodec:variant={variant},entropy={entropy}")
    codec.check_available()
    path = codec.weights_file.path
    assert path.parent == SvcodecCodec.folder / "weights"
    assert path.stem == {"final": "nano"}.get(variant, f"nano-{variant}")
    assert path.stat().st_size <= 4_000_000
    assert path.with_suffix(".md").read_text(encoding="utf-8").startswith("# Weights of svcodec")
