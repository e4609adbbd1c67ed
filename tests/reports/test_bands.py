"""Rate bands: who is compared with whom."""

import math
from bisect import bisect_left

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.reports.bands import all_bands, band_labels, band_of, parse_bands
from codecbench.reports.layout import blocks_of
from codecbench.reports.table import leaderboard

from .frames import COLUMNS, frame, row, speech

EDGES = st.lists(st.integers(1, 10**6), min_size=1, max_size=8, unique=True).map(
    lambda numbers: tuple(number / 1000 for number in sorted(numbers))
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def at_rates(rates, qualities, **options):
    """Give each codec a rate in kbit/s."""
    rows = []
    for one in speech(qualities, speakers=8, **options):
        if one["metric"] == "kbps":
            one["numerator"] = rates[one["codec"]] * one["denominator"]
            one["value"] = rates[one["codec"]]
        rows.append(one)
    return rows


RATES = {"a": 1.0, "b": 1.5, "c": 4.0, "d": 4.5}
QUALITIES = {"a": 2.0, "b": 2.4, "c": 3.0, "d": 3.4}


@patient
@given(EDGES, st.floats(0, 2000, allow_nan=False))
def test_a_rate_lies_between_the_edges_of_its_band(edges, rate):
    labels = band_labels(edges)
    place = labels.index(band_of(rate, edges))
    assert len(labels) == len(set(labels)) == len(edges) + 1
    low = -math.inf if place == 0 else edges[place - 1]
    high = math.inf if place == len(edges) else edges[place]
    assert low < rate <= high


@patient
@given(EDGES, st.lists(st.floats(0, 2000, allow_nan=False), min_size=2))
def test_bands_rise_with_the_rate(edges, rates):
    order = all_bands(edges)
    places = [order.index(band_of(rate, edges)) for rate in sorted(rates)]
    assert places == sorted(places)


@patient
@given(EDGES)
def test_edges_are_read_as_written(edges):
    text = ",".join(map(repr, edges))
    assert parse_bands(text) == edges
    assert [band_of(edge, edges) for edge in edges] == band_labels(edges)[:-1]
    assert bisect_left(edges, edges[0]) == 0


@pytest.mark.parametrize("text", ["", "fast", "3,1.5", "1,1", "0,3", "-1", "1,inf", "nan", "1,,2"])
def test_wrong_edges_are_one_line(text):
    with pytest.raises(UserError, match=r"such as 1\.5,3,6") as error:
        parse_bands(text)
    assert "\n" not in str(error.value)


def test_best_and_second_are_those_of_their_band():
    rows = at_rates(RATES, QUALITIES)
    whole = leaderboard(frame(rows), COLUMNS)
    assert [whole.cell(codec, "pesq_wb").mark for codec in "abcd"] == [None, None, "second", "best"]
    banded = leaderboard(frame(rows), COLUMNS, bands=(1.5, 3))
    assert banded.keys == ("corpus", "band")
    assert list(banded.groups()) == [("c", "≤ 1.5 kbit/s"), ("c", "> 3 kbit/s")]
    assert [banded.cell(codec, "pesq_wb").mark for codec in "abcd"] == [None, "best", None, "best"]
    assert [block.title for block in blocks_of(banded)] == [
        "corpus c, ≤ 1.5 kbit/s",
        "corpus c, > 3 kbit/s",
    ]


def test_a_failure_in_another_band_takes_no_utterance_away():
    rows = at_rates(RATES, QUALITIES)
    lost = [one for one in rows if not (one["codec"] == "d" and one["utterance"] == "u0-0")]
    banded = leaderboard(frame(lost), COLUMNS, bands=(3,))
    assert banded.cell("a", "pesq_wb").n == 32
    assert banded.cell("c", "pesq_wb").n == 31


def test_a_band_is_that_of_the_corpus():
    slow = at_rates({"a": 1.0}, {"a": 2.0})
    fast = at_rates({"a": 6.0}, {"a": 2.0}, corpus="d")
    banded = leaderboard(frame([*slow, *fast]), COLUMNS, bands=(3,))
    assert list(banded.groups()) == [("c", "≤ 3 kbit/s"), ("d", "> 3 kbit/s")]
    together = leaderboard(frame([*slow, *fast]), COLUMNS, by=("codec",), bands=(3,))
    assert list(together.groups()) == [("> 3 kbit/s",)]  # 3.5 of both


def test_the_reference_and_codecs_without_a_rate_have_bands_of_their_own():
    rows = [*at_rates({"a": 1.0}, {"a": 2.0}), row("reference", "pesq_wb", 4.6, "u0-0")]
    rows += [row("b", "pesq_wb", 2.0, "u0-0")]
    banded = leaderboard(frame(rows), COLUMNS, bands=(3,))
    assert [group[-1] for group in banded.groups()] == ["uncoded", "≤ 3 kbit/s", "rate unknown"]


def test_bands_need_the_counted_rate():
    rows = [one for one in at_rates(RATES, QUALITIES) if one["metric"] != "kbps"]
    with pytest.raises(UserError, match="need the counted rate, column kbps"):
        leaderboard(frame(rows), COLUMNS, bands=(3,))


def test_the_rate_need_not_be_shown():
    shown = leaderboard(frame(at_rates(RATES, QUALITIES)), COLUMNS, ["pesq_wb"], bands=(3,))
    assert list(shown.columns) == ["pesq_wb"]
    assert len(shown.groups()) == 2
    assert any("bands: by counted bits over seconds" in note for note in shown.notes)
