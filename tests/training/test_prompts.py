"""Training with prompts: their crops, their codebooks, PSCodec's stages."""

import numpy as np
import pytest
import torch

from codecbench.adapters.nn.weights import read_tensors
from codecbench.adapters.pscodec import PscodecCodec
from codecbench.adapters.training.crops import BatchMaker, Crops
from codecbench.adapters.training.recipe import DataConfig, SideCodebookConfig
from codecbench.adapters.training.start import start_with_principal_components
from codecbench.adapters.training.trainer import train
from codecbench.errors import UserError
from codecbench.registry import codec_of

from .test_crops import RATE, VOICES, Given, hertz_of
from .test_start import coloured_noise, linear
from .tiny import TinyCodec, recipe_text, refused

MODEL = """
[model]
sample_rate = 8000
[model.backbone]
first_stride = 8
mdct_start = true
linear_path = true
zero_start = true
norm = "none"
strides = [2]
stride_kernels = [2]
encoder_channels = [8, 12]
decoder_channels = [8, 12]
latent_channels = 6
kernel_sizes = [3, 5]
dilations = [[1], [1]]
output_activation = "none"
[model.quantizer]
codebooks = 2
groups = 2
codebook_size = 8
[model.voiceprint]
channels = 4
quantizer = { codebooks = 1, groups = 2, codebook_size = 4 }
[model.mel_prompt]
channels = 6
window = 128
hop_length = 64
bins = 10
vectors = 2
quantizer = { codebooks = 1, codebook_size = 4 }
"""

STAGES = """
[[stages]]
name = "base"
steps = 2
batch_size = 4
start = "principal_components"
codebooks = { decay = 0.9, dead_below = 0.2, balanced = true, kmeans_batches = 3 }
side_codebooks = { memory = 10.0, dead_below = 0.1, kmeans_batches = 3 }
losses = { log_mel = 1.0, commitment = 0.5 }

[[stages]]
name = "disentangled"
steps = 40
batch_size = 4
learning_rate = 1e-2
codebooks = { decay = 0.9, dead_below = 0.2, balanced = true }
losses = { disentanglement = 1.0 }
"""


@pytest.fixture
def recipe(speech, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(
        f"""
codec = "pscodec"
variant = "drl-ict"
{MODEL}
[data]
corpora = ["folder:{speech}"]
crop_seconds = 0.25
prompt_seconds = 0.4
[losses.mel]
windows = [128]
bins = [8]
{STAGES}
[log]
every = 1
"""
    )
    return path


def maker(**config):
    speech = Crops(Given(VOICES, [RATE] * len(VOICES)), 400, RATE)
    return BatchMaker(speech, None, DataConfig(**config), 0, 0)


def test_prompts_are_other_excerpts_of_the_same_recording_at_its_speed_and_level():
    batch = maker(prompt_seconds=0.1, level_rms=0.1, speeds=(0.8, 1.25), polarity_flip=True)(
        0, 0, 40
    )
    assert batch.prompts.shape == (40, round(0.1 * RATE))
    for crop, prompt in zip(batch.inputs.numpy(), batch.prompts.numpy(), strict=True):
        assert hertz_of(prompt) == pytest.approx(hertz_of(crop), abs=25)
        assert np.sqrt(np.mean(prompt**2)) == pytest.approx(0.1, rel=0.1)
    assert batch.conditions.keys() == {"prompts"}
    assert maker()(0, 0, 2).conditions == {}


def test_crops_are_those_of_a_training_without_prompts():
    """Weights that were trained before there were prompts can be trained again."""
    batch = maker(speeds=(0.9, 1.1), gain_db=(-6, 6), polarity_flip=True)(0, 3, 4)
    assert batch.prompts is None
    recorded = [[0.0019961, 0.0058776], [-0.0071931, 0.0021503], [-0.0000952, -0.0056033]]
    assert batch.inputs[:3, :200:100].numpy() == pytest.approx(np.array(recorded), abs=2e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("prompt_seconds = 0.4", "prompt_seconds = 0.0", "prompt_seconds: .* greater than 0"),
        (
            "prompt_seconds = 0.4",
            'prompt_seconds = 0.4\nsynthetic_noise = ["pink"]',
            "prompt_seconds: crops with noise get no prompts",
        ),
        (
            "dead_below = 0.1, kmeans",
            "dead_below = 1.0, kmeans",
            "side_codebooks.dead_below: .* less",
        ),
        (
            "groups = 2, codebook_size = 4",
            "groups = 2, codebook_size = 64",
            "base: 12 vectors cannot start codebooks of 64 of the voiceprint",
        ),
        ("groups = 2, codebook_size", "groups = 3, codebook_size", "4 channels .* 3 groups"),
        ("encoder_channels = [8, 12]", "encoder_channels = [8]", "1 strides need 2 encoder"),
        (
            "[model.backbone]",
            '[model.fusion]\nkind = "cascaded_attention"\n[model.backbone]',
            "4 heads",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(recipe, old, new, message):
    refused(recipe, PscodecCodec, old, new, message)


def test_a_recipe_can_leave_a_prompt_encoder_out(recipe):
    text, start = recipe.read_text(), "[model]\nsample_rate = 8000\n"
    text = text.replace(start, f"{start}voiceprint = false\nmel_prompt = false\n")
    for table in ("voiceprint", "mel_prompt"):
        head, _, tail = text.partition(f"[model.{table}]")
        text = head + tail[tail.index("\n[") + 1 :]
    text = text.replace("disentanglement", "log_mel")
    recipe.write_text(text)
    out = train(recipe, PscodecCodec, {"out": recipe.parent / "out", "max_minutes": 1e-9})
    assert out.is_dir()
    recipe.write_text(text.replace("{ log_mel = 1.0 }", "{ disentanglement = 1.0 }"))
    with pytest.raises(UserError, match="no loss is called 'disentanglement'"):
        train(recipe, PscodecCodec, {"out": recipe.parent / "other"})


@pytest.mark.parametrize(
    ("even", "decay", "dead_below"), [(0.25, 0.9875, 0.0125), (0.03125, 0.9984375, 0.0015625)]
)
def test_codebooks_of_prompts_remember_as_many_uses_however_rare_these_are(even, decay, dead_below):
    found = SideCodebookConfig().at(even)
    assert (found.decay, found.dead_below) == pytest.approx((decay, dead_below))
    assert SideCodebookConfig().at(100.0).decay == 0.0


def test_networks_without_prompts_take_none(speech, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_text(speech).replace("[data]", "[data]\nprompt_seconds = 0.2"))
    with pytest.raises(UserError, match="prompt_seconds: this network hears no prompts"):
        train(path, TinyCodec, {"out": tmp_path / "out"})


def test_disentangling_lowers_the_similarity_and_the_weights_code(recipe, capsys):
    out = train(recipe, PscodecCodec, {"out": recipe.parent / "out"})
    values = _logged(out, "loss/disentanglement")
    assert len(values) == 40
    assert np.mean(values[-5:]) < np.mean(values[:5]) - 0.02
    tensors = read_tensors(out / "weights.safetensors")
    assert tensors["voiceprint.quantizer.codebooks.0.entries"].any()
    assert not any("lstm" in name for name in tensors), "the speaker encoder is not ours to store"
    codec = codec_of(f"pscodec:variant=drl-ict,weights={out / 'weights.safetensors'}")
    codec.check_available()
    from ..adapters.codec_signals import voice

    assert codec.decode(codec.encode(voice(4000, 8000))).is_finite


def _logged(out, name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "logs"))
    events.Reload()
    return [one.value for one in events.Scalars(name)]


def test_a_stopped_training_goes_on_with_the_codebooks_of_prompts(recipe):
    whole = train(recipe, PscodecCodec, {"out": recipe.parent / "whole"})
    parts, calls = recipe.parent / "parts", 0
    while not (parts / "weights.safetensors").exists():
        train(recipe, PscodecCodec, {"out": parts, "max_minutes": 1e-9})
        calls += 1
    assert calls > 2
    expected = read_tensors(whole / "weights.safetensors")
    found = read_tensors(parts / "weights.safetensors")
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_components_are_dealt_to_groups_so_that_their_powers_are_about_equal():
    encoder, decoder = linear(True, keep=4)
    waves = coloured_noise(8, 3200)
    start_with_principal_components(encoder, decoder, waves, keep_outer=False, groups=2)
    latents = encoder(waves[:, None])
    power = latents.square().mean(dim=(0, 2))
    order = power.argsort(descending=True).tolist()
    assert {frozenset((order[0], order[3])), frozenset((order[1], order[2]))} == {
        frozenset((0, 1)),
        frozenset((2, 3)),
    }
    plain_encoder, plain_decoder = linear(True, keep=4)
    start_with_principal_components(plain_encoder, plain_decoder, waves, keep_outer=False)
    assert torch.allclose(
        plain_decoder(plain_encoder(waves[:, None])), decoder(encoder(waves[:, None])), atol=1e-5
    )
