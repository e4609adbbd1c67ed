"""Files that would run code, fill the memory or are damaged: refused in one line."""

import contextlib
import io
import json
import math
import os
import pickle
import zipfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.weights import read_header, read_tensors, write_weights
from codecbench.errors import UserError

STATE = {"weight": torch.arange(12.0).reshape(3, 4), "bias": torch.ones(3)}


class Command:
    """Unpickling it runs a shell command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class State(dict):
    """A state dict that runs a shell command while its items are set."""

    def __reduce__(self):
        return State, (), Command(self["command"])


def raw(command, path):
    path.write_bytes(pickle.dumps(Command(command)))


def raw_old_protocol(command, path):
    path.write_bytes(pickle.dumps(Command(command), protocol=0))


def archive(command, path):
    torch.save(Command(command), path)


def nested(command, path):
    torch.save({**STATE, "epoch": {"hook": [Command(command)]}}, path)


def legacy(command, path):
    torch.save({**STATE, "hook": Command(command)}, path, _use_new_zipfile_serialization=False)


def legacy_first_pickle(command, path):
    """The legacy format begins with a magic number, which is a pickle as well."""
    path.write_bytes(pickle.dumps(Command(command)) + pickle.dumps(STATE))


def patched_archive(command, path):
    """An honest archive whose ``data.pkl`` was exchanged."""
    honest = io.BytesIO()
    torch.save(STATE, honest)
    with zipfile.ZipFile(honest) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                data = pickle.dumps(Command(command), protocol=2)
            target.writestr(name, data)


def subclass(command, path):
    torch.save(State(command=command, **STATE), path)


def evaluated(command, path):
    """`builtins.eval` by hand-written opcodes."""
    code = f"__import__('os').system({command!r})"
    path.write_bytes(b"cbuiltins\neval\n(V" + code.encode() + b"\ntR.")


def torch_loader(command, path):
    """A pickle in a pickle, through the function with which torch pickles storages."""
    inner = io.BytesIO()
    torch.save(Command(command), inner)
    path.write_bytes(
        b"\x80\x02ctorch.storage\n_load_from_bytes\nB"
        + len(inner.getvalue()).to_bytes(4, "little")
        + inner.getvalue()
        + b"\x85R."
    )


GUISES = [
    raw,
    raw_old_protocol,
    archive,
    nested,
    legacy,
    legacy_first_pickle,
    patched_archive,
    subclass,
    evaluated,
    torch_loader,
]


@pytest.mark.parametrize("guise", GUISES, ids=lambda guise: guise.__name__)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl", ".ckpt", ".safetensors"])
def test_no_pickle_runs_code(guise, suffix, tmp_path):
    proof, path = tmp_path / "proof", tmp_path / f"weights{suffix}"
    guise(f"touch {proof}", path)
    with pytest.raises(UserError) as refused:
        read_tensors(path)
    assert not proof.exists()
    said = str(refused.value)
    assert "\n" not in said
    assert str(path) in said
    if suffix == ".safetensors":
        assert "is not a safetensors file" in said
        with pytest.raises(UserError, match="is not a safetensors file"):
            read_header(path)
        assert not proof.exists()
    else:
        newer = guise in (raw, legacy_first_pickle)  # instructions that torch never reads
        assert ("holds more than tensors" if newer else "wants to run code") in said
        assert said.endswith("and was not loaded; ask its author for a .safetensors file")


def test_the_hostile_files_are_hostile(tmp_path):
    """Without protection they do run: else the test above could not fail."""
    for guise in GUISES:
        proof, path = tmp_path / f"proof-{guise.__name__}", tmp_path / "weights.pt"
        guise(f"touch {proof}", path)
        load = pickle.loads if guise in (raw, raw_old_protocol, evaluated, torch_loader) else None
        try:
            if load:
                load(path.read_bytes())
            else:
                torch.load(path, weights_only=False)
        except Exception:  # noqa: BLE001 - the command has run, nothing useful came back
            pass
        assert proof.exists(), guise.__name__


def test_the_environment_cannot_switch_protection_off(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    archive(f"touch {tmp_path / 'proof'}", tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"wants to run code \(\w+\.system\)"):
        read_tensors(tmp_path / "x.pt")
    assert not (tmp_path / "proof").exists()


def test_torchscript_is_refused_quietly(tmp_path, recwarn):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "x.pt")
    recwarn.clear()
    with pytest.raises(UserError, match="cannot be read as weights"):
        read_tensors(tmp_path / "x.pt")
    assert not recwarn.list


def honest_files(folder):
    from safetensors.torch import save_file

    save_file(STATE, folder / "x.safetensors")
    torch.save(STATE, folder / "x.pt")
    torch.save(STATE, folder / "x.pth", _use_new_zipfile_serialization=False)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return {
        path.name: path.read_bytes() for path in honest_files(tmp_path_factory.mktemp("honest"))
    }


@pytest.mark.parametrize("name", ["x.safetensors", "x.pt", "x.pth"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_truncated_files(honest, tmp_path, name, kept):
    data, path = honest[name], tmp_path / name
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(UserError) as refused:
        read_tensors(path)
    assert "\n" not in str(refused.value)


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_damaged_files_are_read_or_refused(honest, tmp_path_factory, data):
    name = data.draw(st.sampled_from(sorted(honest)))
    content = bytearray(honest[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(content)
    with contextlib.suppress(UserError):
        tensors = read_tensors(path)
        assert sum(tensor.numel() for tensor in tensors.values()) < 10_000


def safetensors_of(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


HUGE = {"dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [0, 1 << 42]}


@pytest.mark.parametrize(
    "content",
    [
        safetensors_of({"x": HUGE}, b"\0" * 16),
        safetensors_of({"x": {**HUGE, "data_offsets": [0, 16]}}, b"\0" * 16),
        safetensors_of({"x": {**HUGE, "shape": [1 << 62, 1 << 62]}}, b"\0" * 16),
        (1 << 62).to_bytes(8, "little") + b"{}",
        safetensors_of(b"[]"),
        safetensors_of(b"{" * 1000),
        safetensors_of({}),
        b"",
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_safetensors_that_claim_more_than_they_hold(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a safetensors file, or is damaged|holds no tensors"):
        read_tensors(path)


@pytest.mark.parametrize("tensor", [{"shape": "ab"}, {"shape": 3}, {}, 3, None])
def test_headers_of_nonsense(tensor, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_of({"x": tensor}))
    with pytest.raises(UserError, match="is not a safetensors file, or is damaged"):
        read_header(path)


def test_metadata_that_is_no_table_of_texts(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_of({"__metadata__": {"codec": 3}}))
    with pytest.raises(UserError, match="metadata is not a table of texts"):
        read_header(path)


@pytest.mark.parametrize("key", ["codec", "variant", "config", "training"])
def test_metadata_that_nobody_can_write(key, tmp_path):
    """A lone surrogate is valid in JSON and in no encoding."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_of(b'{"__metadata__": {"%s": "\\ud800"}}' % key.encode()))
    with pytest.raises(UserError, match="metadata is not a table of texts"):
        read_header(path)


@pytest.mark.parametrize(
    "shape", [["a"], [-1], [1.5], [True], [[2]], [10**300], [10**3000] * 2, [1] * 9]
)
def test_shapes_of_nonsense(shape, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_of({"x": {"dtype": "F32", "shape": shape}}))
    with pytest.raises(UserError, match="is not a safetensors file, or is damaged"):
        read_header(path)


SMALL_MODEL = {
    "sample_rate": 8000,
    "seanet": {
        "strides": [4],
        "encoder_channels": [4, 4],
        "decoder_channels": [4, 4],
        "latent_channels": 4,
    },
    "quantizer": {"codebooks": 2, "codebook_size": 4},
}


def claimed(path, **changes):
    """Write weights of a small SoundStream whose metadata claims another network."""
    from codecbench.adapters.soundstream.codec import SoundStreamCodec, SoundStreamCodecConfig

    config = SoundStreamCodec.network_config().model_validate(SMALL_MODEL)
    model = json.loads(config.model_dump_json())
    for key, value in changes.items():
        *tables, last = key.split("__")
        table = model
        for name in tables:
            table = table[name]
        table[last] = value
    metadata = {"codec": "soundstream", "variant": "", "config": json.dumps(model)}
    write_weights(path, SoundStreamCodec.build_network(config), metadata)
    return SoundStreamCodec(SoundStreamCodecConfig(weights=str(path)))


def test_the_small_network_itself_is_loaded(tmp_path):
    assert claimed(tmp_path / "x.safetensors").network.hop_length == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate": 0},
        {"sample_rate": -1},
        {"seanet__strides": [0]},
        {"seanet__strides": [65536, 65536]},
        {"seanet__residual_kernel_size": 65536, "seanet__dilations": [65536]},
        {"companding": {"knee": math.inf}},
        {"companding": {"exponent": 1e-30}},
        {"seanet__first_stride": 9},
        {"seanet__dilations": [0]},
        {"seanet__latent_channels": 1 << 40},
        {"quantizer__codebook_size": 1 << 40},
        {"quantizer__codebooks": 1 << 40},
        {"quantizer__groups": 3},
        {"quantizer__codebook_channels": -1},
        {"companding": {"exponent": 0}},
    ],
    ids=str,
)
def test_headers_that_claim_impossible_networks(changes, tmp_path):
    codec = claimed(tmp_path / "x.safetensors", **changes)
    for ask in (lambda: codec.card, codec.check_available, codec.setup):
        with pytest.raises(UserError, match=r"not a configuration of soundstream: ") as refused:
            ask()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantizer__codebook_size": 1 << 20, "quantizer__codebooks": 200},
        {"seanet__encoder_channels": [60_000, 60_000]},
        {"seanet__latent_channels": 65_536, "quantizer__codebook_size": 1 << 20},
    ],
    ids=str,
)
def test_headers_that_claim_networks_of_terabytes(changes, tmp_path):
    """Refused by their shapes, before any memory is asked for."""
    codec = claimed(tmp_path / "x.safetensors", **changes)
    with pytest.raises(UserError, match=r"the weights do not fit soundstream: .* needed is"):
        codec.setup()


def test_a_compressed_archive_is_a_bomb(tmp_path):
    """torch reads deflated archives, too: a thousandth of its size on the disk."""
    plain = io.BytesIO()
    torch.save({"x": torch.zeros(1_000_000)}, plain)
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            out.writestr(name, source.read(name))
    with pytest.raises(UserError, match=r"\d+ bytes claim to hold 400\d+"):
        read_tensors(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_views_that_are_larger_than_their_storage(tmp_path, zipped):
    broadcast = torch.zeros(1, dtype=torch.float16).expand(1 << 40)
    path = tmp_path / "x.pt"
    torch.save({"x": broadcast}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match="bytes claim to hold tensors of 2199023255552 bytes"):
        read_tensors(path)


def test_tables_that_multiply(tmp_path):
    """Ten references to the same table, twelve times over: a trillion tensors of one."""
    table = {"x": torch.ones(1)}
    for _ in range(12):
        table = {str(index): table for index in range(10)}
    torch.save(table, tmp_path / "x.pt")
    with pytest.raises(UserError, match="nested too deeply or are too many"):
        read_tensors(tmp_path / "x.pt")


def test_tables_within_themselves(tmp_path):
    table = {"x": torch.ones(1)}
    table["table"] = table
    torch.save(table, tmp_path / "x.pt")
    with pytest.raises(UserError, match="nested too deeply"):
        read_tensors(tmp_path / "x.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}}, "two tensors have the name 'a.b'"),
        ({"x": torch.ones(4).to_sparse()}, "'x' is sparse, quantized or without values"),
        ({"x": torch.ones(4, device="meta")}, "'x' is sparse, quantized or without values"),
        ({"epoch": 3}, "holds no tensors"),
        ([torch.ones(3)], "holds no tensors"),
    ],
)
def test_content_that_is_no_table_of_plain_tensors(tmp_path, content, message):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(UserError, match=message):
        read_tensors(tmp_path / "x.pt")
