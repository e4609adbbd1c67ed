"""Every neural codec obeys every law."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.latency import measured_latency, network_latency
from codecbench.adapters.nn.network import parameter_count
from codecbench.adapters.nn.neural_codec import NeuralCodec
from codecbench.adapters.soundstream import SoundStreamCodec
from codecbench.registry import CODECS, component_class, names

from .codec_laws import LAWS, law_name
from .neural_laws import (
    NEURAL_LAWS,
    REPLACED,
    NeuralCase,
    check_latency,
    check_losses,
    check_stream,
    some_phases,
)
from .neural_margins import MARGIN, codes_differ_only_at_margins
from .neural_specs import PARAMETERS, STREAMING, TINY, bundled

ALL_LAWS = [law for law in LAWS if law not in REPLACED] + list(NEURAL_LAWS)
PLAIN = TINY[0]


@pytest.fixture(scope="module", params=[*TINY, *bundled()], ids=lambda row: row.id)
def case(request):
    return NeuralCase.of_row(request.param)


@pytest.mark.parametrize("law", ALL_LAWS, ids=law_name)
def test_law(case, law):
    law(case)


def test_every_neural_codec_has_a_row():
    neural = {n for n in names(CODECS) if issubclass(component_class(CODECS, n), NeuralCodec)}
    assert neural == {row.codec for row in TINY}


@pytest.mark.parametrize("row", TINY, ids=lambda row: row.id)
def test_rows_that_stream_are_those_of_causal_networks(row):
    assert row.streams == NeuralCase.of_row(row).card.causal


@pytest.mark.parametrize("row", STREAMING, ids=lambda row: row.id)
@settings(max_examples=10, deadline=None)
@given(samples=st.integers(1, 300), sizes=st.lists(st.integers(0, 90), max_size=12))
def test_any_chunks_give_the_same_stream(row, samples, sizes):
    case = NeuralCase.of_row(row)
    check_stream(case, case.voice(samples, seed=3), sizes)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_losses_are_survived(data):
    case = NeuralCase.of_row(STREAMING[1])
    bitstream = case.codec.encode(case.voice(400))
    check_losses(case, bitstream, data.draw(st.sets(st.integers(0, len(bitstream.packets) - 1))))


def test_denoising_changes_what_is_sent():
    asked = NeuralCase.of_row(TINY[1])
    audio = asked.voice()
    plain = asked.at(denoise=False)
    assert "denoise=on" in asked.codec.spec
    assert plain.encode(audio).packets != asked.codec.encode(audio).packets


class Hasty(SoundStreamCodec):
    """Declares half the latency that it has."""

    @property
    def card(self):
        true = super().card
        return replace(true, algorithmic_latency_ms=true.algorithmic_latency_ms / 2)


class Secretive(SoundStreamCodec):
    """Causal, yet declares none."""

    @property
    def card(self):
        return replace(super().card, algorithmic_latency_ms=None)


@pytest.mark.parametrize(("codec", "complaint"), [(Hasty, "card says"), (Secretive, "knows")])
def test_a_wrong_latency_on_the_card_is_noticed(codec, complaint):
    true = NeuralCase.of_row(PLAIN)
    wrong = NeuralCase(true.spec, codec(true.codec.config))
    with pytest.raises(AssertionError, match=complaint):
        check_latency(wrong, {"network": network_latency(true.codec.network)})


def _framed(hop, look_ahead):
    """A system whose hops each depend on themselves and on samples after them."""

    def system(waves):
        frames = waves.shape[1] // hop
        padded = np.pad(waves, ((0, 0), (0, look_ahead)))
        means = [padded[:, k * hop : (k + 1) * hop + look_ahead].mean(1) for k in range(frames)]
        return np.repeat(np.stack(means, 1), hop, axis=1)

    return system


@pytest.mark.parametrize("look_ahead", [0, 1, 5, 100, 700])
def test_a_known_latency_is_measured(look_ahead):
    assert measured_latency(_framed(16, look_ahead), 16) == 16 + look_ahead


def test_a_system_that_needs_everything_has_no_end():
    assert measured_latency(lambda waves: waves - waves.mean(1, keepdims=True), 8) == np.inf


def test_a_system_that_ignores_its_input_has_no_latency():
    with pytest.raises(ValueError, match="does not depend"):
        measured_latency(np.ones_like, 8)


def _quantized(case, frames=40):
    latents = case.offline(case.voice(frames * case.hop))
    return latents, case.codec.network.quantizer.encode(latents[None])[0].numpy()


def test_a_code_of_a_farther_codeword_is_noticed():
    case = NeuralCase.of_row(PLAIN)
    quantizer = case.codec.network.quantizer
    latents, codes = _quantized(case)
    other = codes.copy()
    other[1, 17] = (other[1, 17] + 1) % 1024
    with pytest.raises(AssertionError, match="layer 1, group 0, frame 17"):
        codes_differ_only_at_margins(quantizer, latents, codes, other)


@pytest.mark.parametrize(("part", "is_allowed"), [(0.1, True), (10_000.0, False)])
def test_a_code_at_the_margin_may_differ(part, is_allowed):
    case = NeuralCase.of_row(PLAIN)
    quantizer = case.codec.network.quantizer
    latents, codes = _quantized(case)
    entries = quantizer.codebooks[0].entries.double()
    # On the line between two neighbours, so that one is nearer by a known part of the distance.
    first = int(codes[0, 20])
    squares = (entries - entries[first]).square().sum(-1)
    second = int(squares.argsort()[1])
    shift = part * MARGIN / 8
    latents = torch.tensor(latents.numpy())
    latents[:, 20] = (0.5 + shift) * entries[first] + (0.5 - shift) * entries[second]
    codes[:, 20] = quantizer.encode(latents[None])[0, :, 20].numpy()
    other = codes.copy()
    other[0, 20] = second if codes[0, 20] == first else first
    other[1:, 20] = 0
    if is_allowed:
        codes_differ_only_at_margins(quantizer, latents, codes, other)
    else:
        with pytest.raises(AssertionError, match="frame 20"):
            codes_differ_only_at_margins(quantizer, latents, codes, other)


def _paper(encoder=32, decoder=32, codebooks=24):
    def doubling(first):
        return tuple(first * 2**block for block in range(5))

    shape = {
        "encoder_channels": doubling(encoder),
        "decoder_channels": doubling(decoder),
        "latent_channels": 256,
        "residual_kernel_size": 3,
    }
    config = SoundStreamCodec.network_config().model_validate(
        {"sample_rate": 24_000, "seanet": shape, "quantizer": {"codebooks": codebooks}}
    )
    return config, SoundStreamCodec.build_network


@pytest.mark.parametrize(("channels", "millions"), PARAMETERS.items())
def test_the_paper_s_networks_have_the_paper_s_sizes(channels, millions):
    config, build = _paper(*channels)
    with torch.device("meta"):
        network = build(config)
    codebooks = 24 * 1024 * 256
    assert parameter_count(network) - codebooks == pytest.approx(1e6 * millions, abs=6e4)


def test_the_paper_s_network_is_causal_and_needs_one_frame():
    config, build = _paper(codebooks=1)
    network = build(config).eval()
    assert (config.hop_length, config.delay_samples, config.causal) == (320, 0, True)
    with torch.inference_mode():
        assert network.encode(torch.zeros(1, 641)).shape == (1, 256, 3)
        assert network.decode(torch.zeros(1, 256, 3)).shape == (1, 960)
    assert network_latency(network, phases=(0, 319)) == 320
    assert len(some_phases(320)) == 16
