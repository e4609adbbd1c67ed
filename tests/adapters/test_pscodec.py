"""PSCodec: what is its own beside the laws of all neural codecs."""

import math
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import torch

from codecbench.adapters.pscodec import PscodecCodec
from codecbench.audio import Audio, write_audio
from codecbench.bits import pack
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError, UserError
from codecbench.registry import codec_of

from .codec_signals import voice
from .neural_fixtures import spec_text
from .neural_specs import TINY

ROWS = {row.label: row for row in TINY if row.codec == "pscodec"}
RECIPES = sorted(path.name for path in PscodecCodec.folder.glob("*.toml"))
RATE = 8_000


@pytest.fixture(scope="module")
def codec():
    """Random weights with both prompts and cascaded attention."""
    return codec_of(spec_text(ROWS["attention"]))


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("paper")])
def test_full_size_recipes_have_the_inferred_frame_rates_and_hifi_codec_s_backbone(name):
    recipe = tomllib.loads((PscodecCodec.folder / name).read_text(encoding="utf-8"))
    config = PscodecCodec.network_config().model_validate(recipe["model"])
    assert (config.sample_rate, config.hop_length, config.delay_samples) == (24_000, 320, 0)
    assert config.quantizer.groups == 2
    bits = 10 * config.quantizer.groups * config.sample_rate / config.hop_length
    assert [bits * layers / 1000 for layers in (1, 2, 4)] == [1.5, 3.0, 6.0]
    with torch.device("meta"):
        network = PscodecCodec.build_network(config)
    encoder, decoder = hifi_codec_s_sizes()
    assert sum(part.numel() for part in network.encoder.parameters()) == encoder
    assert sum(part.numel() for part in network.decoder.parameters()) == decoder


def hifi_codec_s_sizes():
    """Count the weights of HiFi-Codec's encoder and decoder from its published shapes."""

    def conv(inputs, outputs, kernel):
        return inputs * outputs * kernel + outputs

    def blocks(channels):
        return sum(6 * conv(channels, channels, kernel) for kernel in (3, 7, 11))

    widths, kernels = (32, 64, 128, 256, 512), (4, 8, 11, 16)
    stages = list(zip(widths, widths[1:], kernels, strict=False))
    encoder = conv(1, 32, 7) + conv(512, 512, 3)
    encoder += sum(conv(a, b, k) + blocks(b) + 3 * 2 * b for a, b, k in stages)
    decoder = conv(512, 512, 7) + conv(32, 1, 7)
    decoder += sum(conv(b, a, k) + blocks(a) for a, b, k in stages)
    return encoder, decoder


@pytest.mark.parametrize("name", RECIPES)
def test_prompts_of_every_recipe_with_both_cost_512_bits(name):
    recipe = tomllib.loads((PscodecCodec.folder / name).read_text(encoding="utf-8"))
    config = PscodecCodec.network_config().model_validate(recipe["model"])
    assert sum(config.voiceprint.widths) == sum(config.mel_prompt.widths) == 256
    assert {"base": "weighted", "drl-ict": "weighted", "casan": "cascaded_attention"}[
        recipe["variant"]
    ] == config.fusion.kind


def test_the_prompt_is_sent_once_and_counted(codec):
    bitstream = codec.encode(voice(3 * RATE, RATE))
    bits = sum(codec.side_widths)
    assert [packet.bits for packet in bitstream.side_information] == [bits]
    assert bitstream.bits == bitstream.main_bits + bits
    # Voiceprint: 2 layers in 2 groups of 5 bits. Mel prompt: 4 layers of 8 bits for 3 vectors.
    assert codec.side_widths == (5,) * 4 + (8,) * 12


def test_another_prompt_changes_the_voice_and_no_packet(codec):
    bitstream = codec.encode(voice(2 * RATE, RATE))
    noise = np.random.default_rng(0).uniform(-1, 1, 2 * RATE).astype(np.float32)
    other = codec.prompt_of(Audio(noise, RATE))
    assert other != bitstream.side_information
    swapped = codec.with_prompt(bitstream, other)
    assert swapped.packets == bitstream.packets
    decoded = codec.decode(bitstream).samples
    assert not np.array_equal(codec.decode(swapped).samples, decoded)
    assert np.array_equal(
        codec.decode(codec.with_prompt(swapped, bitstream.side_information)).samples, decoded
    )


def test_a_prompt_file_holds_for_all_utterances_and_at_any_rate(codec, tmp_path):
    speaker = voice(2 * 16_000, 16_000, seed=3)
    write_audio(tmp_path / "speaker.wav", speaker, "FLOAT")
    given = codec_of(f"{spec_text(ROWS['attention'])},prompt={tmp_path / 'speaker.wav'}")
    given.check_available()
    expected = codec.prompt_of(speaker)
    audios = [voice(RATE, RATE, seed) for seed in range(2)]
    for plain, bitstream in zip(
        codec.encode_batch(audios), given.encode_batch(audios), strict=True
    ):
        assert bitstream.packets == plain.packets
        assert bitstream.side_information == expected != plain.side_information
    assert given.names_outside_sources


def test_results_belong_to_what_the_prompt_file_holds(tmp_path):
    path = tmp_path / "speaker.wav"
    found = set()
    for seed in range(2):
        write_audio(path, voice(RATE, RATE, seed), "FLOAT")
        found.add(codec_of(f"{spec_text(ROWS['attention'])},prompt={path}").identity)
    assert len(found) == 2


def test_a_prompt_file_that_is_none_is_refused_before_the_run(tmp_path):
    given = codec_of(f"{spec_text(ROWS['attention'])},prompt={tmp_path / 'nobody.wav'}")
    with pytest.raises(UserError, match=r"nobody\.wav: no such file"):
        given.check_available()


def test_latency_is_the_utterance_s_unless_the_prompt_was_sent_before(codec, tmp_path):
    assert codec.card.algorithmic_latency_ms == math.inf
    write_audio(tmp_path / "speaker.wav", voice(RATE, RATE), "FLOAT")
    given = codec_of(f"{spec_text(ROWS['attention'])},prompt={tmp_path / 'speaker.wav'}")
    assert given.card.algorithmic_latency_ms == codec.streaming_latency_ms < 100
    assert any(f"latency {codec.streaming_latency_ms:g} ms" in one for one in codec.card.notes)
    assert codec_of(spec_text(ROWS["weighted"])).streaming_latency_ms == math.inf
    alone = codec_of(spec_text(ROWS["without-prompts"]))
    assert alone.card.algorithmic_latency_ms == alone.streaming_latency_ms < math.inf


def test_the_card_tells_the_share_of_the_prompts_and_who_knows_the_speaker(codec):
    bits, notes = sum(codec.side_widths), " / ".join(codec.card.notes)
    main = 1000 * codec.card.nominal_kbps
    shares = ", ".join(f"{100 * bits / (bits + main * seconds):.1f}" for seconds in (2, 5, 15))
    assert f"{bits} bits of prompts" in notes
    assert f"{shares} % of the nominal rate at 2, 5, 15 s" in notes
    assert "GE2E: similarity by the same encoder flatters it" in notes
    alone = codec_of(spec_text(ROWS["without-prompts"]))
    assert not any("prompt" in note or "GE2E" in note for note in alone.card.notes)
    assert alone.encode(voice(RATE, RATE)).side_information == ()


def test_entropy_coding_leaves_the_prompt_alone():
    plain = codec_of("pscodec:kbps=1")
    coded = codec_of("pscodec:kbps=1,entropy=on")
    audio = voice(16_000, 16_000)
    sent, small = plain.encode(audio), coded.encode(audio)
    assert small.side_information == sent.side_information
    assert np.array_equal(coded.decode(small).samples, plain.decode(sent).samples)
    lower = codec_of("pscodec:kbps=2").at_lower_rate(codec_of("pscodec:kbps=2").encode(audio), 1)
    assert lower == sent


def test_each_signal_of_a_batch_is_decoded_with_its_own_prompt(codec):
    audio = voice(RATE, RATE)
    noise = np.random.default_rng(0).uniform(-1, 1, RATE).astype(np.float32)
    sent = codec.encode(audio)
    batch = [sent, codec.with_prompt(sent, codec.prompt_of(Audio(noise, RATE))), sent]
    decoded = [one.samples for one in codec.decode_batch(batch)]
    for bitstream, samples in zip(batch, decoded, strict=True):
        assert codec.decode(bitstream).samples == pytest.approx(samples, abs=1e-6)
    assert not np.allclose(decoded[0], decoded[1], rtol=0, atol=1e-6)


def test_a_given_prompt_leaves_the_rest_of_the_card_alone(tmp_path):
    write_audio(tmp_path / "speaker.wav", voice(RATE, RATE), "FLOAT")
    plain = codec_of("pscodec")
    given = codec_of(f"pscodec:prompt={tmp_path / 'speaker.wav'}")
    assert given.card.title == plain.card.title
    assert given.card.notes[0] == plain.card.notes[0]
    assert given.card.notes[0].startswith("nano: a small network")


def test_entropy_coding_needs_the_whole_utterance_whatever_was_sent_before():
    card = codec_of("pscodec:entropy=on").card
    assert card.algorithmic_latency_ms == math.inf
    assert not any("sent before" in note for note in card.notes)


def test_samples_that_are_no_numbers_make_no_prompt(tmp_path):
    import soundfile

    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=r"prompt: .*NaN or infinite samples"):
        codec_of(f"{spec_text(ROWS['attention'])},prompt={path}").check_available()


@pytest.mark.parametrize(
    "side",
    [(), (Packet.whole(b"\0"),), 2 * (Packet(bytes(15), 116),)],
    ids=["none", "short", "two"],
)
def test_missing_or_foreign_prompts_are_refused(codec, side):
    bitstream = replace(codec.encode(voice(RATE, RATE)), side_information=side)
    with pytest.raises(BitstreamError, match=r"side information of .* 116 bits are due"):
        codec.decode(bitstream)
    tokens = codec.tokens([codec.encode(voice(RATE, RATE))])
    for sides in ((side,), ()):
        with pytest.raises(BitstreamError, match="116 bits are due"):
            codec.detokenize(replace(tokens, side_information=sides))


def test_a_prompt_s_code_beyond_its_codebook_is_refused(codec):
    widths = codec.side_widths
    beyond = Packet(pack([20] + [0] * (len(widths) - 1), widths), sum(widths))
    bitstream = codec.with_prompt(codec.encode(voice(RATE, RATE)), (beyond,))
    with pytest.raises(BitstreamError, match="prompt's code lies outside"):
        codec.decode(bitstream)


@pytest.mark.parametrize("samples", [1, 7, 400, RATE])
def test_where_nobody_speaks_there_is_a_prompt_all_the_same(codec, samples):
    silence = Audio(np.zeros(samples, np.float32), RATE)
    bitstream = codec.encode(silence)
    assert bitstream.side_information == codec.encode(silence).side_information
    assert codec.decode(bitstream).is_finite


def test_weights_of_another_variant_are_refused():
    codec = codec_of(spec_text(ROWS["attention"]).replace("casan", "base"))
    with pytest.raises(UserError, match="holds variant 'casan' of pscodec, not 'base'"):
        codec.check_available()


def test_a_speaker_encoder_of_another_size_is_refused():
    row = ROWS["attention"]
    voiceprint = {**row.model["voiceprint"], "dimension": 192}
    other = replace(row, label="192", model={**row.model, "voiceprint": voiceprint})
    with pytest.raises(UserError, match=r"ge2e gives 256 numbers .* dimension = 192"):
        codec_of(spec_text(other)).encode(voice(RATE, RATE))


def test_an_unknown_speaker_encoder_is_refused():
    row = ROWS["attention"]
    voiceprint = {**row.model["voiceprint"], "encoder": "nobody"}
    other = replace(row, label="nobody", model={**row.model, "voiceprint": voiceprint})
    with pytest.raises(UserError, match=r"no speaker encoder nobody .known: ge2e, wavlm"):
        codec_of(spec_text(other)).check_available()


@pytest.mark.parametrize("variant", PscodecCodec.variants)
def test_each_variant_has_small_weights_of_its_own_with_a_card(variant):
    codec = codec_of(f"pscodec:variant={variant}")
    codec.check_available()
    path = codec.weights_file.path
    assert path.parent == PscodecCodec.folder / "weights"
    assert path.stem == f"nano-{variant}"
    assert path.stat().st_size <= 4_400_000
    assert path.with_suffix(".md").read_text(encoding="utf-8").startswith("# Weights of pscodec")
    assert codec.rates == (1.0, 2.0, 3.0, 4.0)
    assert sum(codec.side_widths) == 512
