"""Trainings of a tiny codec, whole, interrupted and refused."""

import importlib.util
import json
import math
import os
import shutil
import signal

import filelock
import pytest
import safetensors
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from codecbench.adapters.audiodec.network import AudioDecNetwork, AudioDecNetworkConfig
from codecbench.adapters.nn.network import Reconstruction, SeanetNetwork
from codecbench.adapters.nn.weights import COUNTS, read_header
from codecbench.adapters.soundstream.network import SoundStreamConfig, SoundStreamNetwork
from codecbench.adapters.training import checkpoint, stage_training, stopping
from codecbench.adapters.training.selection import Selection
from codecbench.adapters.training.trainer import train
from codecbench.errors import UserError

from .tiny import MODEL, STAGES, TinyCodec, recipe_text

STEPS = 6


def options(folder, **others):
    return {"out": folder, "threads": 1, **others}


def saved(folder, name="last.pt"):
    return torch.load(folder / name, weights_only=True)


def flat(value, path=""):
    """Yield every value inside nested tables and lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from flat(inner, f"{path}/{index}")
    else:
        yield path, value


def assert_same(one, other):
    """Compare two checkpoints bit for bit; only the clock may differ."""
    one, other = dict(flat(one)), dict(flat(other))
    assert one.keys() == other.keys()
    for path, value in one.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, other[path]), path
        elif not path.endswith("/seconds"):
            assert value == other[path], path


@pytest.fixture(scope="module")
def whole(speech, tmp_path_factory):
    """A training that was not interrupted: its folder and its recipe."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "tiny.toml"
    path.write_text(recipe_text(speech))
    train(path, TinyCodec, options(folder / "out"))
    return folder / "out", path


def stop_after(monkeypatch, steps):
    left = iter([False] * (steps - 1) + [True])
    monkeypatch.setattr(stopping.StopRequest, "is_due", lambda self, step: next(left))


@pytest.mark.parametrize("steps", [1, 2, 4, 5])
def test_a_stopped_training_ends_as_one_in_one_go(whole, tmp_path, monkeypatch, steps):
    folder, recipe = whole
    with monkeypatch.context() as patch:
        stop_after(patch, steps)
        train(recipe, TinyCodec, options(tmp_path))
    progress = saved(tmp_path)["progress"]
    assert 3 * progress["stage"] + progress["step"] == steps
    train(recipe, TinyCodec, options(tmp_path))
    assert_same(saved(folder), saved(tmp_path))
    weights = load_file(folder / "weights.safetensors"), load_file(tmp_path / "weights.safetensors")
    assert_same(*weights)


def test_stopped_at_the_end_of_a_stage_it_goes_on_with_the_next(whole, tmp_path, monkeypatch):
    folder, recipe = whole
    learn = stage_training.StageTraining.learn
    with monkeypatch.context() as patch:
        patch.setattr(
            stage_training.StageTraining,
            "learn",
            lambda self, *rest: _killed() if self.index else learn(self, *rest),
        )
        with pytest.raises(RuntimeError, match="killed"):
            train(recipe, TinyCodec, options(tmp_path))
    progress = saved(tmp_path)["progress"]
    assert (progress["stage"], progress["step"]) == (1, 0)
    train(recipe, TinyCodec, options(tmp_path))
    assert_same(saved(folder), saved(tmp_path))


def _killed():
    raise RuntimeError("killed")


def test_a_killed_training_ends_as_one_in_one_go(whole, tmp_path, monkeypatch):
    """It dies in the middle of a step, after the network has moved."""
    folder, recipe = whole
    with monkeypatch.context() as patch:
        patch.setattr(
            stage_training.StageTraining, "_teach_discriminators", lambda self, *rest: _killed()
        )
        with pytest.raises(RuntimeError, match="killed"):
            train(recipe, TinyCodec, options(tmp_path))
    train(recipe, TinyCodec, options(tmp_path))
    assert_same(saved(folder), saved(tmp_path))


def test_time_is_up(whole, tmp_path):
    _, recipe = whole
    train(recipe, TinyCodec, options(tmp_path, max_minutes=1e-9))
    assert saved(tmp_path)["progress"]["step"] == 1
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_signal_lets_the_step_end_and_saves(whole, tmp_path, monkeypatch):
    _, recipe = whole
    learn = stage_training.StageTraining.learn

    def interrupted(self, step, batch):
        os.kill(os.getpid(), signal.SIGTERM)
        return learn(self, step, batch)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(stage_training.StageTraining, "learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, TinyCodec, options(tmp_path))
    assert saved(tmp_path)["progress"]["step"] == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_finished_training_is_left_as_it_is(whole):
    folder, recipe = whole
    before = saved(folder)
    train(recipe, TinyCodec, options(folder))
    assert_same(before, saved(folder))


def test_another_recipe_is_refused_and_fresh_starts_over(whole, tmp_path, monkeypatch):
    _, recipe = whole
    changed = tmp_path / "changed.toml"
    changed.write_text(recipe.read_text() + "\n# changed\n")
    stop_after(monkeypatch, 1)
    train(recipe, TinyCodec, options(tmp_path))
    with pytest.raises(UserError, match=r"the recipe changed since .* --fresh starts over"):
        train(changed, TinyCodec, options(tmp_path))
    stop_after(monkeypatch, 2)
    train(changed, TinyCodec, options(tmp_path, fresh=True))
    assert saved(tmp_path)["progress"]["step"] == 2
    assert (tmp_path / "recipe.toml").read_text() == changed.read_text()


def test_other_data_is_refused(speech, tmp_path, monkeypatch):
    copy = shutil.copytree(speech, tmp_path / "speech")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(recipe_text(copy))
    stop_after(monkeypatch, 1)
    train(recipe, TinyCodec, options(tmp_path / "out"))
    (copy / "s0" / "u0.wav").unlink()
    with pytest.raises(UserError, match="the data changed since"):
        train(recipe, TinyCodec, options(tmp_path / "out"))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04damaged"])
def test_damaged_checkpoints_are_refused(tmp_path, content):
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match="--fresh starts over"):
        checkpoint.load(path, checkpoint.Origin("", ""))


def test_a_loss_that_is_not_finite_stops_training_by_name(whole, tmp_path, monkeypatch):
    _, recipe = whole
    stop_after(monkeypatch, 4)
    train(recipe, TinyCodec, options(tmp_path))
    before = saved(tmp_path)
    monkeypatch.setattr(
        stage_training.Objective,
        "terms",
        lambda self, stage, result, *rest: {
            name: result.waves.square().sum() * (math.nan if name == "log_mel" else 1)
            for name in stage.weights
        },
    )
    with pytest.raises(UserError, match="step 2 of stage coding: loss log_mel is nan"):
        train(recipe, TinyCodec, options(tmp_path))
    assert_same(before, saved(tmp_path))


def test_weights_and_card_say_what_they_are(whole):
    folder, recipe = whole
    with safetensors.safe_open(folder / "weights.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "codecbench-weights-1"
    assert (metadata["codec"], metadata["variant"]) == ("tiny", "test")
    config = TinyCodec.network_config().model_validate_json(metadata["config"])
    network = TinyCodec.build_network(config)
    tensors = load_file(folder / "weights.safetensors")
    counts = tensors.pop(COUNTS)
    assert counts.shape == (3, 8)
    assert len(set(counts.sum(dim=1).tolist())) == 1  # the frames of the training speech
    network.load_state_dict(tensors)
    training = json.loads(metadata["training"])
    assert training["recipe"] == recipe.name
    speakers = set(training["speakers"]["folder"]), set(training["selection_speakers"]["folder"])
    assert set.union(*speakers) == {f"s{n}" for n in range(5)}
    assert not set.intersection(*speakers)
    assert training["losses"]["analysis"] == {"waveform_sdr": 0.1, "log_mel": 0.1}
    assert set(training["figures"]) == {"1", "3"}
    card = (folder / "card.md").read_text()
    assert training["recipe_sha256"] in card
    for speaker in speakers[0]:
        assert speaker in card


def test_best_weights_are_those_of_the_best_judgement(speech, tmp_path, monkeypatch):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(recipe_text(speech).replace("every = 2\nutter", "every = 1\nutter"))
    values = iter([9.0, 9.0, 9.0, 1.0, 3.0, 2.0])  # those of the first stage do not quantize
    seen = []

    def judge(self, network, quantize):
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return type("", (), {"figures": {"3": {"si_sdr": next(values)}}})()

    monkeypatch.setattr(Selection, "judge", judge)
    train(recipe, TinyCodec, options(tmp_path / "out"))
    tensors = load_file(tmp_path / "out" / "weights.safetensors")
    assert tensors.pop(COUNTS).any()
    assert_same(seen[4], tensors)
    progress = saved(tmp_path / "out")["progress"]
    assert (progress["best"], progress["best_step"]) == (3.0, 5)
    assert saved(tmp_path / "out", "best.pt")["progress"]["step"] == 2


def test_training_lowers_the_loss_and_logs_it(recipe, tmp_path):
    stages = STAGES.replace("steps = 3", "steps = 25").replace("1e-3", "1e-2")
    train(recipe(stages=stages, extra=""), TinyCodec, options(tmp_path / "out"))
    events = EventAccumulator(str(tmp_path / "out" / "logs"))
    events.Reload()
    losses = [event.value for event in events.Scalars("loss/waveform_sdr")]
    assert sum(losses[-3:]) < sum(losses[:3])
    tags = events.Tags()["scalars"]
    assert {"codebooks/perplexity_1", "loss/discriminators", "optimizer/learning_rate"} <= set(tags)
    assert (tmp_path / "out" / "weights.safetensors").exists()


def test_training_goes_on_from_given_weights(whole, recipe, tmp_path):
    folder, _ = whole
    stages = STAGES[STAGES.index('[[stages]]\nname = "coding"') :]
    path = recipe(stages=stages.replace("learning_rate", "#"), extra="")
    first = f'initial_weights = "{folder / "weights.safetensors"}"\n'
    path.write_text(
        first + path.read_text().replace("batch_size = 4", "batch_size = 4\nlearning_rate = 1e-9")
    )
    train(path, TinyCodec, options(tmp_path / "out"))
    before, after = (load_file(f / "weights.safetensors") for f in (folder, tmp_path / "out"))
    for name in before:
        if "entries" not in name and name != COUNTS:
            assert torch.allclose(before[name], after[name], atol=1e-6), name


def test_weights_of_another_codec_are_no_start(whole, recipe):
    folder, _ = whole
    path = recipe()
    path.write_text(f'initial_weights = "{folder / "weights.safetensors"}"\n{path.read_text()}')

    class Other(TinyCodec):
        name = "other"

    path.write_text(path.read_text().replace('codec = "tiny"', 'codec = "other"'))
    with pytest.raises(UserError, match="holds weights of 'tiny', not of 'other'"):
        train(path, Other, options(None))


@pytest.mark.parametrize("key", ['noise = ["demo"]', 'synthetic_noise = ["pink"]'])
def test_noise_that_comes_back_needs_a_network_that_denoises(recipe, key):
    path = recipe()
    path.write_text(path.read_text().replace("polarity_flip", f"{key}\npolarity_flip"))
    message = r'data\.noise_targets: this network has no denoising switch; set "clean"'
    with pytest.raises(UserError, match=message):
        train(path, TinyCodec, options(None))


def test_a_network_without_a_switch_learns_to_denoise(recipe, tmp_path):
    path = recipe(extra="")
    keys = 'synthetic_noise = ["pink", "babble"]\nnoise_targets = "clean"\n'
    path.write_text(path.read_text().replace("polarity_flip", f"{keys}polarity_flip"))
    train(path, TinyCodec, options(tmp_path / "out"))
    said = read_header(tmp_path / "out" / "weights.safetensors").metadata["training"]
    assert json.loads(said)["noise"] == ["pink", "babble"]
    assert "| noise | `pink`; `babble` |" in (tmp_path / "out" / "card.md").read_text()


VOCODER = (
    MODEL
    + """
[model.vocoder]
channels = 12
stage_channels = [8]
strides = [2]
last_stride = 8
kernel_size = 7
kernel_sizes = [5]
dilations = [[1]]
"""
)


class TestSecondStage:
    """AudioDec's: encoder and quantizer of other weights stay, a vocoder learns."""

    class Codec(TinyCodec):
        network_config = classmethod(lambda cls: AudioDecNetworkConfig)
        build_network = classmethod(lambda cls, config: AudioDecNetwork(config))

    @pytest.fixture
    def second(self, whole, recipe):
        def write(parts='["encoder", "quantizer"]', start="code_statistics", model=VOCODER):
            path = recipe(stages=STAGES[STAGES.index('[[stages]]\nname = "coding"') :])
            text = path.read_text().replace(MODEL, model)
            text = text.replace(
                'name = "coding"', f'name = "coding"\nstart = "{start}"\ntrain = ["decoder"]'
            )
            weights = whole[0] / "weights.safetensors"
            path.write_text(f'initial_weights = "{weights}"\ninitial_parts = {parts}\n{text}')
            return path

        return write

    def test_the_vocoder_alone_learns_and_its_input_is_scaled(self, whole, second, tmp_path):
        train(second(), self.Codec, options(tmp_path / "out"))
        before = load_file(whole[0] / "weights.safetensors")
        after = load_file(tmp_path / "out" / "weights.safetensors")
        for name, tensor in before.items():
            if name.startswith(("encoder", "quantizer")):
                assert tensor.equal(after[name]), name
        scale = after["decoder.layers.0.scale"]
        assert (scale > 0).all()
        assert not scale.equal(torch.ones_like(scale))
        assert not after["decoder.layers.0.mean"].equal(torch.zeros_like(scale))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"parts": '["encoder"]'}, "code_statistics needs initial_weights, and initial_parts"),
            ({"parts": '["quantizer"]'}, r'initial_parts = \["encoder", "quantizer"\]'),
            ({"parts": '["encoder", "head", "quantizer"]'}, "no part is called 'head'"),
            (
                {"model": VOCODER.replace("[1]", "[2]", 1)},
                r"model.seanet is not that of .*weights.safetensors",
            ),
            ({"model": MODEL}, "start = code_statistics needs a vocoder as decoder"),
            ({"start": "symmetric_decoder", "model": MODEL}, "needs a vocoder as decoder"),
            ({"start": "symmetric_decoder"}, "other activations, dilations or paddings"),
        ],
    )
    def test_what_does_not_go_together_is_refused_at_once(self, second, change, message):
        with pytest.raises(UserError, match=message):
            train(second(**change), self.Codec, options(None))

    def test_parts_need_weights(self, recipe):
        path = recipe()
        path.write_text(f'initial_parts = ["encoder"]\n{path.read_text()}')
        with pytest.raises(UserError, match="initial_parts: needs initial_weights"):
            train(path, TinyCodec, options(None))


def test_a_network_that_denoises_is_given_the_switch(speech, recipe, tmp_path, monkeypatch):
    class Denoiser(TinyCodec):
        network_config = classmethod(lambda cls: SoundStreamConfig)
        build_network = classmethod(lambda cls, config: SoundStreamNetwork(config))

    path = recipe()
    text = path.read_text().replace("polarity_flip", f'noise = ["folder:{speech}"]\npolarity_flip')
    path.write_text(text.replace("[model]", "[model]\ndenoising_switch = true"))
    asked = []
    forward = SoundStreamNetwork.set_denoising
    monkeypatch.setattr(
        SoundStreamNetwork,
        "set_denoising",
        lambda self, denoise: (asked.append(denoise), forward(self, denoise))[1],
    )
    train(path, Denoiser, options(tmp_path / "out"))
    assert sum(switch is not None for switch in asked) == STEPS
    assert (tmp_path / "out" / "weights.safetensors").exists()


def test_losses_of_the_networks_own_can_be_weighed(recipe, tmp_path):
    class Own(SeanetNetwork):
        def forward(self, *rest, **named):
            result = super().forward(*rest, **named)
            own = {"sparsity": lambda: result.latents.abs().mean()}
            return Reconstruction(result.waves, result.latents, result.quantized, own)

    class Codec(TinyCodec):
        build_network = classmethod(lambda cls, config: Own(config))

    stages = STAGES.replace("waveform_sdr = 0.1", "sparsity = 0.1")
    train(recipe(stages=stages), Codec, options(tmp_path / "out"))
    with pytest.raises(UserError, match="no loss is called 'sparsity'"):
        train(recipe(stages=stages), TinyCodec, options(tmp_path / "other"))


def test_too_few_frames_for_the_codebooks(recipe, tmp_path):
    path = recipe()
    text = path.read_text().replace("codebook_size = 8", "codebook_size = 4096")
    path.write_text(text.replace("dead_below = 0.2", "dead_below = 0.01"))
    with pytest.raises(UserError, match=r"cannot start codebooks of 4096; raise .*kmeans_batches"):
        train(path, TinyCodec, options(tmp_path / "out"))


def test_16_bit_precision(whole, tmp_path):
    _, recipe = whole
    train(recipe, TinyCodec, options(tmp_path, precision="bf16-mixed"))
    assert saved(tmp_path)["progress"]["stage"] == 2


def test_a_folder_is_trained_in_once_at_a_time(whole, tmp_path):
    _, recipe = whole
    with filelock.FileLock(tmp_path / "train.lock"), pytest.raises(UserError, match="at work in"):
        train(recipe, TinyCodec, options(tmp_path))


def test_missing_packages_are_named_with_the_remedy(whole, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "lightning" else find(name)
    )
    with pytest.raises(
        UserError, match=r"training needs lightning: pip install 'codecbench.train.'"
    ):
        train(whole[1], TinyCodec, options(None))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"devices": 0}, "devices: Input should be greater"),
        ({"max_minutes": 0}, "max_minutes: Input should be greater"),
        ({"minutes": 3}, "unknown key minutes .did you mean max_minutes"),
    ],
)
def test_options_are_checked(whole, wrong, message):
    with pytest.raises(UserError, match=message):
        train(whole[1], TinyCodec, options(None, **wrong))
