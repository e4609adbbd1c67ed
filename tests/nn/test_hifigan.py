"""The causal HiFi-GAN generator."""

import pydantic
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.adapters.nn.hifigan import HifiganConfig, HifiganGenerator

from .signals import split, streamed

DILATIONS = (1, 3, 5)


@st.composite
def configs(draw):
    """Small generators of both kinds."""
    count = draw(st.integers(1, 3))
    strides = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=2)))
    return HifiganConfig(
        channels=12 * 2 ** len(strides),
        strides=strides,
        kernel_size=draw(st.integers(1, 7)),
        kernel_sizes=tuple(draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))),
        dilations=tuple(
            tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))) for _ in range(count)
        ),
        groups=draw(st.sampled_from([1, 2, 3])),
        undilated=draw(st.booleans()),
        bias=draw(st.booleans()),
    )


@settings(max_examples=25, deadline=None)
@given(configs(), st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_chunks_give_what_the_whole_gives(config, sizes):
    torch.manual_seed(0)
    generator = HifiganGenerator(4, config).double()
    x = torch.randn(2, 4, sum(sizes), dtype=torch.float64)
    with torch.no_grad():
        waves = generator(x)
        assert waves.shape == (2, 1, sum(sizes) * config.hop_length)
        found = streamed(generator, split(x, sizes))
    torch.testing.assert_close(found, waves, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("config", "millions"),
    [
        ({"kernel_sizes": (3, 7, 11), "dilations": (DILATIONS,) * 3}, 12_932_610),
        ({"kernel_sizes": (11,), "groups": 3}, 19_461_090),
        ({"kernel_sizes": (3,), "groups": 3}, 6_927_330),
    ],
    ids=["v0", "v1", "v2"],
)
def test_audiodec_s_vocoders_have_the_published_numbers_of_parameters(config, millions):
    """Theirs count one length for each of their weight vectors besides."""
    with torch.device("meta"):
        generator = HifiganGenerator(64, HifiganConfig(**config))
    kinds = (torch.nn.Conv1d, torch.nn.ConvTranspose1d)
    lengths = sum(len(part.weight) for part in generator.modules() if isinstance(part, kinds))
    assert sum(part.numel() for part in generator.parameters()) + lengths == millions


def test_the_input_is_scaled_by_the_statistics():
    generator = HifiganGenerator(4, HifiganConfig(channels=8, strides=(2,), kernel_sizes=(3,)))
    x = torch.randn(1, 4, 3)
    with torch.no_grad():
        plain = generator(x)
        generator.layers[0].mean.fill_(0.5)
        generator.layers[0].scale.fill_(3.0)
        torch.testing.assert_close(generator(3.0 * x + 0.5), plain)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kernel_sizes": (3, 5)}, "2 kernel sizes need as many lists of dilations"),
        ({"channels": 24}, "24 channels cannot be halved 4 times"),
        (
            {"groups": 3, "kernel_sizes": (3, 5), "dilations": ((1,), (1,))},
            "256 channels cannot be split in 3 groups",
        ),
    ],
)
def test_generators_that_cannot_be_are_refused(values, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        HifiganConfig(**values)
