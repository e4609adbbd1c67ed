"""Colours follow from names alone, and can be told apart without colour."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecbench.figures.style import (
    BLACK,
    DASHES,
    MARKERS,
    PALETTE,
    SLOTS,
    Style,
    slot_of,
    style_of,
    styles_of,
)
from codecbench.registry import CODECS, names
from codecbench.spec import Spec

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_codecs_of_this_package_have_styles_of_their_own():
    bundled = names(CODECS)
    assert len({slot_of(name) for name in bundled}) == len(bundled)
    assert len({style_of(name) for name in bundled}) == len(bundled)
    compared = ["opus", "pscodec", "soundstream", "svcodec", "audiodec", "codec2", "amr-nb", "lc3"]
    assert len({style_of(name).color for name in compared}) == len(compared)
    levels = ["reference", "identity", "lowpass"]
    assert len({style_of(name).dashes for name in levels}) == len(levels)


def test_styles_are_those_that_were_published():
    """A figure of next year must not recolour a codec."""
    assert style_of("opus") == Style("#e69f00", "solid", "s")
    assert style_of("pscodec") == Style("#56b4e9", "solid", "v")


@patient
@given(NAMES, st.lists(NAMES, max_size=8))
def test_a_color_does_not_depend_on_the_company(name, others):
    alone = styles_of([name])[name]
    assert alone == style_of(name)
    assert styles_of([*others, name])[name] == alone


@patient
@given(NAMES, st.lists(st.integers(1, 64), min_size=1, max_size=10, unique=True))
def test_all_rates_of_a_family_look_alike(name, rates):
    specs = [f"{name}:kbps={rate}" for rate in rates]
    assert set(styles_of(specs).values()) == {style_of(name)}


@patient
@given(st.integers(2, len(DASHES)))
def test_families_of_a_codec_share_its_color_and_differ_otherwise(count):
    specs = [f"pscodec:variant=v{place},kbps=1" for place in range(count)]
    styles = list(styles_of(specs).values())
    assert {style.color for style in styles} == {style_of("pscodec").color}
    assert len({style.dashes for style in styles}) == count
    assert len({style.marker for style in styles}) == count


def of_slot(slot):
    name = next(name for name in map("c{}".format, itertools.count()) if slot_of(name) == slot)
    return style_of(name)


def test_two_slots_differ_in_grey():
    """Either the lightness differs by far, or dashes do, and markers always where dashes do not."""
    styles = [of_slot(slot) for slot in range(SLOTS)]
    for one, other in itertools.combinations(styles, 2):
        lightness = abs(one.luminance ** (1 / 3) - other.luminance ** (1 / 3))
        assert lightness > 0.03 or one.dashes != other.dashes or one.marker != other.marker


def test_every_color_stands_out_from_white_paper():
    assert BLACK.luminance == 0
    assert style_of("reference") == BLACK
    for slot in range(len(PALETTE)):
        assert of_slot(slot).luminance < 0.5
    assert len(set(PALETTE)) == len(PALETTE)
    assert len(set(MARKERS)) == len(MARKERS)


@pytest.mark.parametrize("spec", [Spec("opus", (("kbps", "12"),))])
def test_specs_and_names_agree(spec):
    assert styles_of([str(spec)])[str(spec)] == style_of("opus")
