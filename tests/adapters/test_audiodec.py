"""AudioDec: the authors' layout, and their numbers."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from codecbench import Audio, load_codec
from codecbench.adapters.audiodec import AudioDecCodec, official
from codecbench.adapters.audiodec.network import AudioDecNetworkConfig
from codecbench.adapters.audiodec.official import OfficialModel
from codecbench.adapters.nn.discriminators import build_discriminators
from codecbench.adapters.training.recipe import read_recipe
from codecbench.corpora.base import Archive
from codecbench.corpora.demo import Demo
from codecbench.errors import UserError
from codecbench.registry import codec_of

from ..data.server import serving
from .audiodec_layout import (
    AUTOENCODER,
    VOCODER,
    autoencoder_shapes,
    drawn,
    filled,
    vocoder_shapes,
    write_folder,
)
from .codec_signals import voice

LIMIT = 5e-5
"""Largest difference from the authors' outputs, in standard deviations of these."""
MARGIN = 2e-5
"""Codes are equal where the second best entry is further by this part."""


def error(found, wanted):
    """Return the largest difference in standard deviations."""
    found, wanted = torch.tensor(np.asarray(found)).squeeze(), wanted.squeeze()
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.std())


@pytest.fixture(scope="session")
def full_model(parity_root, tmp_path_factory):
    """The full LibriTTS model: two folders with drawn weights, and what the authors' code made."""
    source, folder = parity_root / "audiodec_libritts_v1", tmp_path_factory.mktemp("official")
    meta = json.loads((source / "meta.json").read_text())
    shapes = json.loads((source / "state_dict.json").read_text())
    for part in ("autoencoder", "vocoder"):
        affine, gain = meta["weights"]["affine"][part], meta["weights"]["gain"][part]
        tensors = {}
        for name, entry in shapes[part].items():
            factor, offset = affine.get(name, [1.0, 0.0])
            tensors[name] = factor * drawn(name, entry["shape"], gain) + offset
        write_folder(folder / part, meta[part]["generator_params"], tensors, meta["sample_rate"])
    return folder, load_file(source / "io.safetensors")


@pytest.fixture(scope="session")
def small(parity_root, tmp_path_factory):
    """A small model of the authors, with random weights of theirs."""
    source, folder = parity_root / "audiodec_sym_hop300", tmp_path_factory.mktemp("small")
    config = json.loads((source / "config.json").read_text())
    for part, key in (("autoencoder", "generator_params"), ("vocoder", "vocoder_params")):
        stored = load_file(source / f"{part}.safetensors")
        tensors = {name.removeprefix("generator."): value for name, value in stored.items()}
        write_folder(folder / part, config[key], tensors, config["sample_rate"])
    return folder, source


def codes_agree(found, wanted, margins=None):
    different = torch.from_numpy(found).squeeze() != wanted.squeeze()
    assert not (different if margins is None else different & (margins > MARGIN)).any()


def test_the_full_model_gives_the_authors_numbers(full_model):
    folder, expected = full_model
    codec = load_codec(f"audiodec:weights={folder / 'autoencoder'}")
    waves = expected["wave_in"][0].numpy()
    with torch.no_grad():
        latents = codec.network.encode(torch.from_numpy(waves.copy()))
    assert error(latents, expected["latent"]) < LIMIT
    tokens = codec.tokenize(waves)
    codes_agree(tokens.codes, expected["codes"], expected["codes.margin"])
    assert error(codec.detokenize(tokens), expected["wave_out"]) < LIMIT
    with_vocoder = load_codec(
        f"audiodec:weights={folder / 'autoencoder'},vocoder={folder / 'vocoder'}"
    )
    assert error(with_vocoder.detokenize(tokens), expected["vocoder_wave_out"]) < LIMIT
    codes_agree(with_vocoder.tokenize(waves).codes, expected["codes"], expected["codes.margin"])


@pytest.mark.parametrize("decoder", ["wave_out", "vocoder_wave_out"])
def test_streams_give_the_authors_numbers(full_model, decoder):
    """Chunk by chunk behind the authors' warm-up with silence."""
    folder, expected = full_model
    vocoder = f",vocoder={folder / 'vocoder'}" if decoder.startswith("vocoder") else ""
    codec = load_codec(f"audiodec:weights={folder / 'autoencoder'},warm_up=on{vocoder}")
    network, hop = codec.network, codec.hop_length
    encoder, decoder_state = network.encoder_state(1), network.decoder_state(1)
    latents, codes, waves, start = [], [], [], 0
    for frames in expected["stream.chunk_frames"].tolist():
        chunk = expected["wave_in"][..., start * hop : (start + frames) * hop]
        with torch.no_grad():
            latent, encoder = network.encoder.step(chunk, encoder)
            code = network.quantizer.encode(latent)
            wave, decoder_state = network.decoder.step(
                network.quantizer.decode(code), decoder_state
            )
        latents.append(latent)
        codes.append(code)
        waves.append(wave)
        start += frames
    assert error(torch.cat(latents, -1), expected["stream.latent"]) < LIMIT
    offsets = 1024 * torch.arange(8)[:, None]
    wanted = expected["stream.codes_offset"] - offsets
    codes_agree(torch.cat(codes, -1).numpy(), wanted, expected["stream.codes.margin"])
    assert error(torch.cat(waves, -1), expected[f"stream.{decoder}"]) < LIMIT
    # The streams of the codec itself, whose chunks are others.
    audio = Audio(expected["wave_in"].numpy().ravel().copy(), 24_000)
    stream, received = codec.encoder_stream(), codec.decoder_stream()
    packets = [*stream.push(audio.samples[:777]), *stream.push(audio.samples[777:])]
    packets += stream.finish()
    decoded = np.concatenate([received.push(packet) for packet in packets])
    assert error(decoded, expected[f"stream.{decoder}"]) < LIMIT


def test_the_warm_up_leaves_what_the_authors_leave(full_model):
    folder, expected = full_model
    codec = load_codec(f"audiodec:weights={folder / 'autoencoder'},warm_up=on")
    latents = codec.network._after_silence(1)[1]
    wanted = expected["stream.initial_quantized_last8"][0].T
    assert error(latents[0, :, -8:], wanted) < LIMIT


def test_a_small_model_gives_the_authors_numbers(small):
    folder, source = small
    codec = load_codec(f"audiodec:weights={folder / 'autoencoder'}")
    expected = load_file(source / "autoencoder_io.safetensors")
    tokens = codec.tokenize(expected["input"][0].numpy())
    codes_agree(tokens.codes, expected["indices"])
    assert error(codec.detokenize(tokens), expected["output"]) < LIMIT
    with_vocoder = load_codec(
        f"audiodec:weights={folder / 'autoencoder'},vocoder={folder / 'vocoder'}"
    )
    vocoder = load_file(source / "vocoder_io.safetensors")
    with torch.no_grad():
        waves = with_vocoder.network.decode(vocoder["input"])
    assert error(waves, vocoder["output"]) < LIMIT


# -- the layout, with small weights of our own -------------------------------------------------


@pytest.fixture
def autoencoder(tmp_path):
    return write_folder(tmp_path / "ae", AUTOENCODER, filled(autoencoder_shapes()))


@pytest.fixture
def vocoder(tmp_path):
    return write_folder(tmp_path / "voc", VOCODER, filled(vocoder_shapes()))


def changed(folder, **params):
    """Change a folder's configuration; None takes a key out."""
    path = folder / "config.yml"
    config = yaml.safe_load(path.read_text())
    for key, value in params.items():
        table = config if key == "sampling_rate" else config["generator_params"]
        table[key] = value
        if value is None:
            del table[key]
    path.write_text(yaml.safe_dump(config))


def refused(spec, message):
    with pytest.raises(UserError, match=message) as told:
        load_codec(spec).setup()
    assert "\n" not in str(told.value)


def test_both_decoders_of_small_folders(autoencoder, vocoder):
    plain = load_codec(f"audiodec:weights={autoencoder}")
    audio = voice(997, 8000)
    assert plain.card.nominal_kbps == 2 * 4 * 800 / 1000
    assert len(plain.decode(plain.encode(audio))) == 997
    other = load_codec(f"audiodec:weights={autoencoder},vocoder={vocoder}")
    assert other.encode(audio).packets == plain.encode(audio).packets
    assert other.card.weights_sha256 != plain.card.weights_sha256
    assert not np.allclose(
        other.decode(plain.encode(audio)).samples, plain.decode(plain.encode(audio)).samples
    )


def test_weight_normalization_of_an_autoencoder_is_multiplied_out(tmp_path):
    shapes = autoencoder_shapes()
    plain = filled(shapes)
    normed = {}
    for name, value in plain.items():
        if name.endswith(".weight"):
            normed[f"{name}_v"] = 3.0 * value
            normed[f"{name}_g"] = value.flatten(1).norm(dim=1).view(-1, 1, 1)
        else:
            normed[name] = value
    params = {**AUTOENCODER, "codec": "activate_audiodec"}
    codecs = [
        load_codec(f"audiodec:weights={write_folder(tmp_path / label, params, tensors)}")
        for label, tensors in (("plain", plain), ("normed", normed))
    ]
    audio = voice(500, 8000)
    waves = [codec.decode(codec.encode(audio)).samples for codec in codecs]
    np.testing.assert_allclose(waves[0], waves[1], atol=1e-5 * np.abs(waves[0]).max())
    assert np.abs(waves[0]).max() <= 1.0


def test_the_latest_checkpoint_is_used_unless_another_is_named(autoencoder):
    first = load_codec(f"audiodec:weights={autoencoder}").card.weights_sha256
    tensors = {name: 0.9 * value for name, value in filled(autoencoder_shapes()).items()}
    write_folder(autoencoder, AUTOENCODER, tensors, steps=1000)
    assert load_codec(f"audiodec:weights={autoencoder}").card.weights_sha256 != first
    assert load_codec(f"audiodec:weights={autoencoder},steps=100").card.weights_sha256 == first
    refused(f"audiodec:weights={autoencoder},steps=7", "checkpoints of 100, 1000 steps, not of 7")


def test_statistics_come_from_the_checkpoint_or_from_their_file(autoencoder, vocoder):
    spec = f"audiodec:weights={autoencoder},vocoder={vocoder}"
    latents = torch.randn(1, 8, 4, generator=torch.Generator().manual_seed(0))
    plain = load_codec(spec).network.decode(latents)
    mean, scale = torch.full((8,), 0.5), torch.full((8,), 2.0)
    changed(vocoder, stats="stats/of_speech.npy")
    refused(spec, "statistics stats/of_speech.npy are missing; put of_speech.npy into the folder")
    np.save(vocoder / "of_speech.npy", np.ones((2, 3), np.float32))
    refused(spec, r"has the shape \(2, 3\), needed is \(2, 8\)")
    np.save(vocoder / "of_speech.npy", np.stack([mean, scale]))
    from_file = load_codec(spec).network.decode(latents)
    assert not torch.allclose(from_file, plain)
    with torch.no_grad():
        by_hand = load_codec(spec).network.decoder.layers[1:]
        x = (latents - 0.5) / 2.0
        for layer in by_hand:
            x = layer(x)
    torch.testing.assert_close(from_file, x[:, 0])
    tensors = {**filled(vocoder_shapes()), "mean": 3 * mean, "scale": scale}
    write_folder(vocoder, {**VOCODER, "stats": "stats/of_speech.npy"}, tensors)
    assert not torch.allclose(load_codec(spec).network.decode(latents), from_file)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"mode": "noncausal"}, "generator_params: mode = noncausal is not supported"),
        ({"codec": "other"}, "codec must be one of audiodec, activate_audiodec"),
        ({"enc_strides": [2, 4]}, "dec_strides must be enc_strides in reverse"),
        ({"enc_strides": "x"}, "enc_strides must be a list of whole numbers"),
        ({"code_dim": None}, "code_dim is missing"),
        ({"codebook_num": 0}, "not a configuration of audiodec: quantizer.codebooks"),
        ({"codebook_num": 3}, "quantizer.codebooks.2.entries is missing"),
        ({"codebook_num": 1}, r"its network has 'quantizer.codebook.layers.1.embed', which is un"),
        ({"codebook_size": 32}, r"entries has the shape \(16, 8\), needed is \(32, 8\)"),
        ({"sampling_rate": "fast"}, "sampling_rate must be a whole number"),
        (
            {"encode_channels": 8},
            r"do not fit audiodec: encoder.layers.0.conv.weight has",
        ),
    ],
)
def test_folders_that_are_not_understood_are_refused_in_one_line(autoencoder, params, message):
    changed(autoencoder, **params)
    refused(f"audiodec:weights={autoencoder}", message)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"in_channels": 9}, "the vocoder takes 9 channels, the autoencoder gives 8"),
        ({"sampling_rate": 16000}, "the vocoder is for 16000 Hz, the autoencoder for 8000 Hz"),
        ({"upsample_kernel_sizes": [9, 4]}, "upsample_kernel_sizes must be twice upsample_scales"),
        ({"nonlinear_activation": "ReLU"}, "nonlinear_activation = ReLU is not supported"),
        ({"resblock_dilations": [[1], [3]]}, "1 kernel sizes need as many lists of dilations"),
        ({"groups": 2}, "do not fit audiodec: decoder.layers.4.layers.1.branches.0"),
        (
            {"upsample_scales": [5, 4], "upsample_kernel_sizes": [10, 8]},
            "a hop of 20 samples is not the encoder's, 10",
        ),
    ],
)
def test_vocoders_that_do_not_fit_are_refused_in_one_line(autoencoder, vocoder, params, message):
    changed(vocoder, **params)
    refused(f"audiodec:weights={autoencoder},vocoder={vocoder}", message)


def test_a_vocoder_that_is_not_there(autoencoder):
    refused(f"audiodec:weights={autoencoder},vocoder=x/none", "vocoder=x/none: there is no such")


def test_folders_that_are_none(tmp_path, autoencoder):
    (tmp_path / "empty").mkdir()
    refused(f"audiodec:weights={tmp_path / 'empty'}", "holds no config.yml")
    refused(f"audiodec:weights={tmp_path / 'none'}", "there is no such file")
    for path in autoencoder.glob("*.pkl"):
        path.unlink()
    refused(f"audiodec:weights={autoencoder}", r"holds no checkpoint-\*steps.pkl")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "is no table of keys and values"),
        ("{", "is no YAML that could be read"),
        ("!!python/object/apply:os.getcwd []", "is no YAML that could be read"),
        ("a: 1", "generator_params: there is no such table"),
    ],
)
def test_configurations_that_are_none(autoencoder, text, message):
    (autoencoder / "config.yml").write_text(text)
    refused(f"audiodec:weights={autoencoder}", message)


def test_a_checkpoint_of_something_else(autoencoder):
    torch.save({"model": {"other": torch.ones(3)}}, autoencoder / "checkpoint-100steps.pkl")
    refused(f"audiodec:weights={autoencoder}", "is no checkpoint of AudioDec: it has no model.gen")


def test_the_authors_weights_are_named_as_such(autoencoder):
    codec = codec_of(f"audiodec:weights={autoencoder}")
    assert codec.names_outside_sources
    assert codec.card.algorithmic_latency_ms == pytest.approx(1000 / 8000)


# -- the authors' release ------------------------------------------------------------------------


LIBRITTS, VCTK = "symAD_libritts_24000_hop300", "symAD_vctk_48000_hop300"
UNIVERSAL = "symADuniv_vctk_48000_hop300"
RELEASE = {
    "libritts_v1": (f"autoencoder/{LIBRITTS}", 500, f"AudioDec_v1_{LIBRITTS}_clean", 500),
    "libritts_sym": (f"autoencoder/{LIBRITTS}", 1000, None, None),
    "vctk_v1": (f"autoencoder/{VCTK}", 200, f"AudioDec_v1_{VCTK}_clean", 500),
    "vctk_sym": (f"autoencoder/{VCTK}", 700, None, None),
    "vctk_v0": (f"autoencoder/{VCTK}", 200, f"AudioDec_v0_{VCTK}_clean", 500),
    "vctk_v2": (f"autoencoder/{VCTK}", 200, f"AudioDec_v2_{VCTK}_clean", 500),
    "vctk_denoise": (f"denoise/{VCTK}", 200, f"AudioDec_v1_{VCTK}_clean", 500),
    "vctk_univ": (f"autoencoder/{UNIVERSAL}", 500, f"AudioDec_v3_{UNIVERSAL}_clean", 500),
    "vctk_univ_sym": (f"autoencoder/{UNIVERSAL}", 1000, None, None),
}
"""What the authors' README says of each model: folders, and thousands of steps."""


@pytest.fixture
def release(tmp_path, monkeypatch):
    """A server whose archive has the layout of the release, with small networks in it."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    tree = tmp_path / "tree"
    autoencoder, vocoder = filled(autoencoder_shapes()), filled(vocoder_shapes())
    for index, (first, steps, second, later) in enumerate(RELEASE.values(), start=1):
        tensors = {name: index * value for name, value in autoencoder.items()}
        write_folder(tree / "exp" / first, AUTOENCODER, tensors, steps=steps * 1000)
        if second:
            tensors = {name: index * value for name, value in vocoder.items()}
            write_folder(tree / "exp/vocoder" / second, VOCODER, tensors, steps=later * 1000)
    packed = Path(shutil.make_archive(str(tmp_path / "exp"), "zip", tree))
    with serving() as site:
        site.files["/exp.zip"] = packed.read_bytes()
        monkeypatch.setattr(official, "ARCHIVE", Archive(f"{site.address}/exp.zip"))
        yield site


def test_every_model_of_the_release_is_found_by_name(release):
    audio = voice(300, 8000)
    assert set(RELEASE) == set(get_args(OfficialModel))
    for name, (first, steps, second, later) in RELEASE.items():
        codec = load_codec(f"audiodec:weights=official,model={name}")
        assert len(codec.decode(codec.encode(audio))) == 300
        found = codec.authors.autoencoder.checkpoint
        assert found.parts[-3:] == (*first.split("/"), f"checkpoint-{steps}000steps.pkl")
        assert (codec.authors.vocoder is None) == (second is None)
        if second:
            found = codec.authors.vocoder.checkpoint
            assert found.parts[-2:] == (second, f"checkpoint-{later}000steps.pkl")
        card = codec.card
        assert "CC-BY-NC" in card.licence
        assert card.title == f"AudioDec (official {name})"
        assert hashlib.sha256(found.read_bytes()).hexdigest() in card.notes[-1]
    assert len(release.requests) == 1


def test_another_archive_is_refused_in_one_line(release):
    release.files["/exp.zip"] = release.files["/exp.zip"][:100]
    refused("audiodec:weights=official,model=vctk_v1", "exp.zip")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("weights=official", r"weights=official needs model=libritts_v1\|libritts_sym\|vctk_v1"),
        ("weights=official,model=vctk_v9", "model"),
        ("model=vctk_v1", "model is for weights=official"),
        ("weights=official,model=vctk_v1,vocoder=nano", "whose model names its decoder"),
        ("weights=x.safetensors,vocoder=nano", "vocoder=nano goes with weights=nano"),
        ("steps=5", "steps is for weights=FOLDER of the authors"),
        ("weights=official,model=vctk_v1,steps=5", "steps is for weights=FOLDER of the authors"),
        ("weights=x/y,vocoder_steps=5", "vocoder_steps is for vocoder=FOLDER of the authors"),
        ("weights=x/none,steps=5", "steps goes with a folder of the authors as weights"),
        ("weights=x/none,vocoder=y", "vocoder goes with a folder of the authors as weights"),
        ("weights=~no-such-user/x", "cannot be read"),
        (f"weights=x/{'y' * 5000}", "cannot be read"),
        ("vocoder=folder", "vocoder=FOLDER needs weights=FOLDER of the authors"),
    ],
)
def test_keys_that_do_not_go_together(keys, message):
    refused(f"audiodec:{keys}", message)


# -- the weights that come with the package ------------------------------------------------------


def test_both_decoders_of_the_package_take_the_same_bits():
    plain, other = load_codec("audiodec"), load_codec("audiodec:vocoder=nano")
    utterance = Demo().utterances()[0].audio().resampled(16_000)
    sent = plain.encode(utterance)
    assert other.encode(utterance).packets == sent.packets
    tokens = plain.tokens([sent])
    waves = [codec.detokenize(tokens) for codec in (plain, other)]
    assert not np.allclose(*waves, atol=1e-3)
    assert other.card.weights_sha256 != plain.card.weights_sha256
    titles = [one.card.title for one in (plain, other, codec_of("audiodec:weights=nano-denoise"))]
    assert titles == ["AudioDec (nano)", "AudioDec (nano-vocoder)", "AudioDec (nano-denoise)"]


def test_the_denoiser_has_the_decoder_of_the_autoencoder():
    plain, other = (load_codec(f"audiodec{keys}") for keys in ("", ":weights=nano-denoise"))
    before, after = plain.network.state_dict(), other.network.state_dict()
    for name, tensor in before.items():
        assert tensor.equal(after[name]) != name.startswith("encoder"), name


@pytest.mark.parametrize("name", ["paper", "paper-vocoder", "paper-denoise"])
def test_the_papers_recipes_have_the_authors_sizes(name):
    """Counted in their checkpoints of LibriTTS, weight normalization aside."""
    recipe = read_recipe(AudioDecCodec.folder / f"{name}.toml").recipe
    with torch.device("meta"):
        network = AudioDecCodec.build_network(AudioDecNetworkConfig.model_validate(recipe.model))
        judges = recipe.discriminators and build_discriminators(recipe.discriminators, 24_000)
    sizes = {part: sum(p.numel() for p in module.parameters()) for part, module in
             network.named_children()}  # fmt: skip
    assert sizes["encoder"] == 3_806_368 + 98_304
    if name == "paper-vocoder":
        # Theirs has a length of each kernel besides.
        lengths = sum(len(p) for n, p in network.decoder.named_parameters() if n[-6:] == "weight")
        assert sizes["decoder"] + lengths == 19_461_090
    else:
        assert sizes["decoder"] == 4_035_264
    if judges is not None:
        outputs = judges(torch.empty(1, 1, 9600, device="meta"))
        widths = [tuple(feature.shape[1] for feature in one.features) for one in outputs]
        scales, periods = (128, 128, 256, 512, 1024, 1024, 1024), (32, 128, 512, 1024, 1024)
        assert widths == [scales] * 3 + [periods] * 5
