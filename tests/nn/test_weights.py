"""Weights files: written, described, read and put into a network."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from codecbench.adapters.nn.weights import (
    FORMAT,
    WeightsFile,
    add_tensors,
    check_format,
    load_into,
    read_header,
    read_tensors,
    write_weights,
)
from codecbench.errors import UserError

TRAINING = {"steps": 3, "speakers": {"librispeech": ["19", "26"], "vctk": ["p225"]}}
METADATA = {
    "codec": "tiny",
    "variant": "",
    "config": json.dumps({"channels": 4}),
    "training": json.dumps(TRAINING),
}


class Tiny(nn.Module):
    def __init__(self, channels=4):
        super().__init__()
        self.conv = nn.Conv1d(1, channels, 3)
        self.norm = nn.BatchNorm1d(channels)
        self.register_buffer("entries", torch.randn(8, channels))
        self.register_buffer("usage", torch.ones(8), persistent=False)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Tiny()


@pytest.fixture
def path(tmp_path, network):
    path = tmp_path / "nano.safetensors"
    write_weights(path, network, METADATA)
    return path


class TestWriting:
    def test_what_is_written_is_read(self, network, path):
        tensors = read_tensors(path)
        state = network.state_dict()
        assert tensors.keys() == state.keys()
        assert all(torch.equal(tensors[name], state[name]) for name in state)
        assert "usage" not in tensors, "only training needs it"

    def test_half_is_rounded_once_and_read_as_float32(self, network, tmp_path):
        path = tmp_path / "half.safetensors"
        write_weights(path, network, METADATA, "float16")
        tensors, state = read_tensors(path), network.state_dict()
        assert tensors["entries"].dtype == torch.float32
        assert torch.equal(tensors["entries"], state["entries"].half().float())
        assert tensors["norm.num_batches_tracked"].dtype == torch.int64

    def test_integers_are_within_half_a_step_of_each_rows_own_scale(self, network, tmp_path):
        path = tmp_path / "int8.safetensors"
        network.entries[1] *= 1e-3
        network.entries[2] = 0
        write_weights(path, network, METADATA, "int8")
        tensors, state = read_tensors(path), network.state_dict()
        assert tensors.keys() == state.keys()
        for name, tensor in state.items():
            found = tensors[name]
            assert found.dtype == (torch.float32 if tensor.is_floating_point() else tensor.dtype)
            if tensor.is_floating_point() and tensor.ndim > 1:
                steps = tensor.abs().flatten(1).amax(1) / 127
                errors = (found - tensor).abs().flatten(1).amax(1)
                assert (errors <= 0.501 * steps).all()
                assert (errors > 0).any()
        load_into(network, tensors, "test")
        values = sum(t.numel() for t in state.values())
        assert read_header(path).parameters == values, "scales are no parameters"

    def test_integers_that_were_read_are_written_as_the_same_integers(self, tmp_path):
        """So that weights that stay frozen in a second training stay the same in its file."""
        layer = nn.Linear(37, 4000)
        files = [tmp_path / f"{index}.safetensors" for index in range(2)]
        for path in files:
            write_weights(path, layer, METADATA, "int8")
            layer.load_state_dict(read_tensors(path))
        assert files[0].read_bytes() == files[1].read_bytes()

    def test_a_scale_that_fits_nothing_is_refused(self, network, tmp_path):
        path = tmp_path / "int8.safetensors"
        write_weights(path, network, METADATA, "int8")
        add_tensors(path, {"entries.int8_scale": torch.ones(3)})
        with pytest.raises(UserError, match="scale of 'entries' fits no integers"):
            read_tensors(path)

    def test_equal_content_gives_equal_bytes(self, network, tmp_path):
        # Ten keys: an order by chance would be met with probability 1 in 3.6 million.
        metadata = {**METADATA, **{f"note{index}": str(index) for index in range(6)}}
        files = [tmp_path / f"{index}.safetensors" for index in range(3)]
        orders = (metadata, dict(reversed(metadata.items())), metadata)
        for file, ordered in zip(files, orders, strict=True):
            write_weights(file, network, ordered)
        assert len({file.read_bytes() for file in files}) == 1

    def test_safetensors_itself_reads_it(self, path):
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            assert file.metadata() == {**METADATA, "format": FORMAT}
        length = int.from_bytes(path.read_bytes()[:8], "little")
        assert length % 8 == 0, "tensors must be aligned"

    def test_tied_weights_are_written_twice(self, tmp_path):
        tied = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
        tied["b"].weight = tied["a"].weight
        write_weights(tmp_path / "x.safetensors", tied, METADATA)
        tensors = read_tensors(tmp_path / "x.safetensors")
        assert torch.equal(tensors["a.weight"], tensors["b.weight"])

    @pytest.mark.parametrize(
        ("value", "precision", "reason"),
        [
            (float("nan"), "float32", "not finite"),
            (float("nan"), "int8", "not finite"),
            (float("inf"), "float16", "not finite"),
            (70_000.0, "float16", "beyond float16"),
        ],
    )
    def test_unfit_values_are_refused_and_nothing_is_written(
        self, network, tmp_path, value, precision, reason
    ):
        network.entries[3, 1] = value
        with pytest.raises(UserError, match=f"entries holds values that are {reason}"):
            write_weights(tmp_path / "x.safetensors", network, METADATA, precision)
        assert not list(tmp_path.iterdir())

    def test_a_failed_write_keeps_the_old_file(self, network, path, monkeypatch):
        before = path.read_bytes()
        monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "")))
        network.entries[0, 0] += 1
        with pytest.raises(OSError, match="28"):
            write_weights(path, network, METADATA)
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    def test_metadata_without_codec_is_a_mistake_of_the_caller(self, network, tmp_path):
        with pytest.raises(ValueError, match="a codec and a config"):
            write_weights(tmp_path / "x.safetensors", network, {"codec": "tiny"})


class TestHeader:
    def test_it_says_what_was_written(self, network, path):
        header = read_header(path)
        assert (header.codec, header.variant, header.config) == ("tiny", "", {"channels": 4})
        assert header.training == TRAINING
        assert header.training_speakers == {
            ("librispeech", "19"),
            ("librispeech", "26"),
            ("vctk", "p225"),
        }
        assert header.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert header.parameters == sum(t.numel() for t in network.state_dict().values())
        check_format(header, "tiny")

    def test_the_checksum_follows_the_file(self, network, path):
        first = read_header(path).sha256
        network.entries[0, 0] += 1
        write_weights(path, network, METADATA)
        assert read_header(path).sha256 != first

    def test_no_tensor_and_no_torch_is_needed(self, path):
        code = (
            "import sys; from pathlib import Path;"
            "from codecbench.adapters.nn.weights import read_header;"
            "print(read_header(Path(sys.argv[1])).codec, 'torch' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["tiny", "False"]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"codec": "other"}, "holds weights of 'other', not of 'tiny'"),
            ({"format": "codecbench-weights-2"}, "format 'codecbench-weights-2', this version"),
        ],
    )
    def test_other_codecs_and_formats_are_refused(self, path, change, message):
        header = read_header(path)
        other = WeightsFile(path, header.sha256, {**header.metadata, **change})
        with pytest.raises(UserError, match=message):
            check_format(other, "tiny")

    def test_files_of_others_are_refused(self, tmp_path):
        from safetensors.torch import save_file

        save_file({"x": torch.ones(2)}, tmp_path / "x.safetensors")
        torch.save({"x": torch.ones(2)}, tmp_path / "x.pt")
        for name in ("x.safetensors", "x.pt"):
            header = read_header(tmp_path / name)
            assert (header.metadata, header.codec, header.training) == ({}, "", {})
            with pytest.raises(UserError, match="was not written by codecbench"):
                check_format(header, "tiny")
            with pytest.raises(UserError, match="do not say their network's configuration"):
                _ = header.config

    @pytest.mark.parametrize(
        ("metadata", "what", "message"),
        [
            ({"config": "{"}, "config", "'config' is not a JSON object"),
            ({"config": "[" * 100_000}, "config", "'config' is not a JSON object"),
            ({"config": "[1]"}, "config", "'config' is not a JSON object"),
            ({"training": '"x"'}, "training_speakers", "'training' is not a JSON object"),
            ({"training": '{"speakers": ["a"]}'}, "training_speakers", "must map each corpus"),
            ({"training": '{"speakers": {"a": "bc"}}'}, "training_speakers", "must map"),
            ({"training": '{"speakers": {"a": [1]}}'}, "training_speakers", "must map"),
        ],
    )
    def test_malformed_metadata(self, tmp_path, metadata, what, message):
        with pytest.raises(UserError, match=message):
            getattr(WeightsFile(tmp_path, "", metadata), what)

    def test_missing_and_misnamed_files(self, tmp_path):
        with pytest.raises(UserError, match="no such weights file"):
            read_header(tmp_path / "x.safetensors")
        with pytest.raises(UserError, match="is not a file"):
            read_header(tmp_path)


class TestLoading:
    def test_a_network_takes_what_another_wrote(self, network, path):
        torch.manual_seed(1)
        other = Tiny()
        load_into(other, read_tensors(path), "tiny")
        state = other.state_dict()
        assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.pop("conv.bias"), "tiny: conv.bias is missing"),
            (lambda t: t.update(extra=torch.ones(1)), "its network has no 'extra'"),
            (
                lambda t: t.update({"conv.weight": torch.ones(4, 1, 5)}),
                r"conv.weight has the shape \(4, 1, 5\), needed is \(4, 1, 3\)",
            ),
            (
                lambda t: t.update({"conv.bias": torch.ones(4, dtype=torch.int64)}),
                "conv.bias has the type torch.int64, needed is torch.float32",
            ),
            (
                lambda t: t["entries"].fill_(float("nan")),
                "entries holds values that are not finite",
            ),
        ],
    )
    def test_what_does_not_fit_is_named_and_nothing_changes(self, path, change, message):
        tensors, other = read_tensors(path), Tiny()
        change(tensors)
        before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
        with pytest.raises(UserError, match=message):
            load_into(other, tensors, "tiny")
        assert all(torch.equal(before[name], t) for name, t in other.state_dict().items())


class TestPickles:
    """Honest files of `torch.save`; hostile ones are in test_hostile_weights.py."""

    @pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
    @pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".ckpt"])
    def test_a_state_dict(self, network, tmp_path, suffix, zipped):
        file = tmp_path / f"x{suffix}"
        torch.save(network.state_dict(), file, _use_new_zipfile_serialization=zipped)
        tensors, state = read_tensors(file), network.state_dict()
        assert tensors.keys() == state.keys()
        assert all(torch.equal(tensors[name], state[name]) for name in state)

    def test_a_checkpoint_with_tables_and_other_values(self, network, tmp_path):
        half = {name: t.half() for name, t in network.state_dict().items()}
        torch.save(
            {"epoch": 3, "generator": half, "optimizer": {"state": {0: {"m": torch.ones(2)}}}},
            tmp_path / "x.ckpt",
        )
        tensors = read_tensors(tmp_path / "x.ckpt")
        assert list(tensors)[: len(half)] == [f"generator.{name}" for name in half]
        assert "optimizer.state.0.m" in tensors
        assert len(tensors) == len(half) + 1
        assert tensors["generator.entries"].dtype == torch.float32


@pytest.mark.parametrize("name", ["x.safetensors", "x.pt", "x.ckpt"])
def test_no_such_file(tmp_path, name):
    with pytest.raises(UserError, match="no such weights file"):
        read_tensors(tmp_path / name)


def test_other_suffixes_are_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"x")
    with pytest.raises(UserError, match=r"must end in one of .safetensors, .pt"):
        read_tensors(tmp_path / "x.onnx")


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_metadata_of_any_text_comes_back(tmp_path_factory, data):
    text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
    extra = data.draw(st.dictionaries(text, text, max_size=4))
    metadata = {**extra, **METADATA}
    path = tmp_path_factory.mktemp("any") / "x.safetensors"
    write_weights(path, nn.Linear(2, 2), metadata)
    assert read_header(path).metadata == {**metadata, "format": FORMAT}
    assert read_tensors(path).keys() == {"weight", "bias"}
