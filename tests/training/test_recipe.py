"""Recipes: what they refuse, and how; those that ship can be read."""

import re
import tomllib
from pathlib import Path

import pytest

import codecbench.adapters
from codecbench import registry
from codecbench.adapters.training.objective import check_losses
from codecbench.adapters.training.recipe import StageConfig, read_recipe, validated
from codecbench.adapters.training.trainer import train
from codecbench.errors import UserError

from .tiny import TinyCodec, refused

SHIPPED = sorted(Path(codecbench.adapters.__path__[0]).glob("*/*.toml"))
OWN_LOSSES = {"pscodec": ["disentanglement"]}


def refusal(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError) as error:
        read_recipe(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("crop_seconds", "crop_second", "unknown key data.crop_second .did you mean crop_seconds"),
        (
            "warmup_steps = 1",
            "warmup = 1",
            "unknown key stages.0.warmup .did you mean warmup_steps",
        ),
        ("steps = 3", "steps = 0", "stages.0.steps: Input should be greater than or equal to 1"),
        ("warmup_steps = 1", "warmup_steps = 9", "stages.0: warmup_steps must not exceed the 3"),
        ('name = "coding"', 'name = "analysis"', "stages: every stage needs a name of its own"),
        ("reserved_speakers = 2", "", "data.reserved_speakers: selection needs at least one"),
        ("[ema]", "[emma]", "unknown key emma .did you mean ema"),
        ("seed = 7", "seed = ", "not valid TOML"),
        ("[-6.0, 6.0]", "[6.0, -6.0]", "data.gain_db: the first value must not be above"),
        ("decay = 0.9\n", "decay = 1.0\n", "ema.decay: Input should be less than 1"),
    ],
)
def test_refused_in_one_line_that_names_the_key(recipe, old, new, message):

    assert re.search(message, refusal(recipe(), old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("strides = [2]", "strides = [0]", "model: seanet.strides.0: .* than or equal to 1"),
        ("strides = [2]", "strides = [2, 3]", "seanet: 2 strides need 3 encoder and decoder"),
        ("kernel_size = 16", "kernel_size = 4", "a kernel_size of 4 does not cover a first_stride"),
        ("latent_channels = 6", "latent_channels = 0", "seanet.latent_channels: .* equal to 1"),
        ("dilations = [1]", "dilations = [0]", "seanet.dilations.0: .* greater than or equal"),
        ("channels = [8, 12]", "channels = [8, -1]", "seanet.encoder_channels.1: .* equal to 1"),
        ("codebooks = 3", "codebooks = 0", "quantizer.codebooks: .* greater than or equal to 1"),
        ("codebooks = 3", "groups = 4", "6 latent channels cannot be split in 4 groups"),
        ("codebooks = 3", "codebook_channels = 0", "quantizer.codebook_channels: .* equal to 1"),
        ("codebook_size = 8", "codebook_size = 1099511627776", "codebook_size: .* less than"),
        ("_rate = 8000", "_rate = 0", "model: sample_rate: .* greater than or equal to 1000"),
        ("_rate = 8000", "_rate = -8000", "model: sample_rate: .* greater than or equal to 1000"),
        ("seconds = 0.25", "seconds = 1e-5", "crop_seconds: a crop holds no frame; .* 0.002 s"),
        ("strides = [2]", "strides = [65536]", "strides make a hop of 524288; at most 65536"),
        (
            "residual_kernel_size = 3\ndilations = [1]",
            "residual_kernel_size = 65536\ndilations = [65536]",
            "residual kernels reach over 4294901760 samples",
        ),
        (
            "encoder_channels = [8, 12]",
            "encoder_channels = [65536, 65536]",
            "model: the network would have .* parameters; at most",
        ),
        ("seconds = 0.25", "seconds = 1e308", "data.crop_seconds: .* less than or equal to 600"),
        ("[-6.0, 6.0]", "[nan, 0.0]", "data.gain_db.0: .* finite number"),
        ("[-6.0, 6.0]", "[-inf, 0.0]", "data.gain_db.0: .* finite number"),
        ("level_rms = 0.1", "level_rms = 1e308", "data.level_rms: .* less than or equal to 1"),
        ("periods = [2, 3]", "periods = [0]", "multi_period.periods.0: .* equal to 1"),
        ("channels = 2\n", "channels = 1000000000000\n", "multi_period.channels: .* 65536"),
        ("windows = [128, 256]", "windows = [128, 1000000000]", "mel.windows.1: .* 65536"),
        ("windows = [128, 256]", "windows = [128, 8192]", "'log_mel' needs crops of at least 4097"),
        ("bins = [8, 16]", "bins = [8, 1000000000]", "losses.mel.bins.1: .* 4096"),
        ("learning_rate = 1e-3", "learning_rate = 1e308", "learning_rate: .* less than or equal"),
        ('schedule = "cosine"', 'train = ["nose"]', "coding: no part is called 'nose'"),
        (
            'schedule = "cosine"',
            'train = ["quantizer"]',
            "coding: nothing learns by gradient in .'quantizer'",
        ),
        ("seed = 7", 'seed = 7\ninitial_weights = "a\\u0000b"', "no file can have this name"),
        ("seed = 7", 'seed = 7\ninitial_weights = ""', "initial_weights: .* at least 1 character"),
        (
            "seed = 7",
            'seed = 7\ninitial_parts = ["encoder"]',
            "initial_parts: needs initial_weights",
        ),
        ("polarity_flip", 'noise_targets = "clean"\npolarity_flip', "selection: judges clean"),
        ("dead_below = 0.2", "dead_below = 63", "coding: codebooks.dead_below = 63 .* come 62.5 "),
        ('variant = "test"', 'variant = "final"', "variant: tiny has test, not 'final'"),
    ],
)
def test_networks_that_cannot_be_are_refused_in_one_line(recipe, old, new, message):
    path = recipe()
    said = refused(path, TinyCodec, old, new, message)
    assert said.startswith((f"{path}", "stage ", repr(str(path.parent))[:-1]))


def test_a_codec_without_variants_takes_no_name_of_one(recipe, monkeypatch):
    monkeypatch.setattr(TinyCodec, "variants", ("",))
    path = recipe()
    with pytest.raises(UserError, match="variant: tiny has none: leave it out, not 'test'"):
        train(path, TinyCodec, {"out": path.parent / "out"})


def test_an_adversarial_stage_needs_discriminators(recipe):
    path = recipe()
    text = path.read_text()
    start = text.index("[discriminators")
    path.write_text(text[:start] + text[text.index("[ema]") :])
    with pytest.raises(UserError, match=r"coding is adversarial; add .discriminators"):
        read_recipe(path)


def test_data_and_seed_are_replaced_and_count_as_another_recipe(recipe):
    path = recipe()
    plain = read_recipe(path)
    other = read_recipe(path, ("demo",), 8)
    assert (other.recipe.data.corpora, other.recipe.seed) == (("demo",), 8)
    assert plain.fingerprint == read_recipe(path).fingerprint
    assert plain.sha256 == other.sha256
    fingerprints = {plain.fingerprint, other.fingerprint, read_recipe(path, (), 8).fingerprint}
    assert len(fingerprints) == 3


def test_unknown_losses_are_refused_with_the_known_ones(recipe):
    path = recipe()
    path.write_text(path.read_text().replace("waveform_sdr = 0.1", "waveform_snr = 0.1"))
    with pytest.raises(UserError, match=r"'waveform_snr' .*waveform_sdr.*commitment.*own_term"):
        check_losses(read_recipe(path).recipe, ["own_term"])


def test_a_loss_of_the_quantizer_needs_the_quantizer(recipe):
    path = recipe()
    path.write_text(path.read_text().replace("waveform_sdr = 0.1", "commitment = 0.1"))
    with pytest.raises(UserError, match="analysis: loss commitment needs quantize"):
        check_losses(read_recipe(path).recipe, [])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_recipes_can_be_read(path):
    recipe = read_recipe(path).recipe
    codec = registry.component_class(registry.CODECS, recipe.codec)
    validated(codec.network_config(), recipe.model, str(path))
    assert recipe.variant in codec.variants
    check_losses(recipe, OWN_LOSSES.get(recipe.codec, []))


def test_there_are_shipped_recipes():
    assert SHIPPED
    assert all("codec" in tomllib.loads(path.read_text()) for path in SHIPPED)


def stage(**keys):
    return StageConfig(name="a", steps=100, batch_size=1, losses={"mel": 1.0}, **keys)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_learning_rates_rise_and_fall(schedule):
    config = stage(learning_rate=1e-2, final_learning_rate=1e-4, warmup_steps=9, schedule=schedule)
    rates = [1e-2 * config.rate_factor(step) for step in range(100)]
    assert rates[:9] == sorted(rates[:9])
    assert rates[0] <= 1.01e-3
    if schedule == "constant":
        assert set(rates[9:]) == {1e-2}
    else:
        assert rates[9:] == sorted(rates[9:], reverse=True)
        assert 1e-4 <= rates[-1] < 3e-4
