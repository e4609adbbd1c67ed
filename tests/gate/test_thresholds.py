"""Thresholds: how they are read, when they are broken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.gate.thresholds import Threshold, parse_threshold
from codecbench.metric import Column
from codecbench.statistics.paired import paired_difference

SPEAKERS = np.arange(12)


def difference(mean, spread):
    noise = np.tile([1.0, -1.0], 6)
    return paired_difference(mean + spread * noise, np.zeros(12), SPEAKERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pesq_wb<-0.02", Threshold("pesq_wb", "<", -0.02)),
        (" wer > .5 ", Threshold("wer", ">", 0.5)),
        ("kbps>1%", Threshold("kbps", ">", 1.0, relative=True)),
        ("stoi<0", Threshold("stoi", "<", 0.0)),
        ("wer (wer:asr=whisper-tiny)>2.", Threshold("wer (wer:asr=whisper-tiny)", ">", 2.0)),
    ],
)
def test_read(text, expected):
    assert parse_threshold(text) == expected
    assert parse_threshold(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "pesq", "pesq<", "<-1", "pesq=3", "pesq<x", "pesq<-1%%", "pesq<nan", "pesq<-inf",
             "pesq<-1e999", "kbps>1e999%"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_an_example(text):
    with pytest.raises(UserError, match="write column, < or >, and a difference"):
        parse_threshold(text)


@pytest.mark.parametrize("text", ["pesq<0.02", "wer>-1", "kbps>-1%"])
def test_thresholds_that_fail_equal_codecs_are_refused(text):
    with pytest.raises(UserError, match="as good as the base"):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "better", "meant"),
    [
        ("m>0.01", "higher", "m<-0.01"),
        ("m>2%", "higher", "m<-2%"),
        ("m<-0.5", "lower", "m>0.5"),
        ("m<0", "lower", "m>0"),
    ],
)
def test_thresholds_that_fail_an_improvement_are_refused(text, better, meant):
    column = Column("m", "M", "", better)
    with pytest.raises(UserError, match=f"{better} m is better.; write {meant}$"):
        parse_threshold(text).require_direction(column)
    parse_threshold(meant).require_direction(column)


@pytest.mark.parametrize("text", ["m>0.01", "m<-0.01"])
def test_columns_without_a_direction_take_either_side(text):
    parse_threshold(text).require_direction(Column("m", "M", "", None))


@given(amount=st.floats(-1e6, 0, allow_subnormal=False), relative=st.booleans())
def test_written_and_read_again(amount, relative):
    threshold = parse_threshold(str(Threshold("lsd", "<", amount, relative)))
    assert threshold.amount == pytest.approx(amount, rel=1e-4)
    assert threshold.relative == relative


@pytest.mark.parametrize(
    ("text", "mean", "spread", "broken"),
    [
        ("m<-0.1", -0.2, 0.05, True),
        ("m<-0.1", -0.2, 2.0, False),  # beyond, but no more than chance
        ("m<-0.1", -0.05, 0.001, False),  # certain, but within
        ("m<-0.1", 0.2, 0.001, False),
        ("m>0.1", 0.2, 0.05, True),
        ("m>0.1", -0.2, 0.05, False),
        ("m<0", -0.001, 0.0001, True),
        ("m<0", 0.0, 0.0, False),
        ("m>10%", 0.2, 0.001, False),  # of a base of 4
        ("m>4%", 0.2, 0.001, True),
    ],
)
def test_broken_beyond_the_limit_and_beyond_chance(text, mean, spread, broken):
    assert parse_threshold(text).is_broken_by(difference(mean, spread), base=4.0) == broken


def test_relative_limits_do_not_depend_on_the_sign_of_the_base():
    assert parse_threshold("si_sdr<-10%").limit(-5.0) == -0.5


def test_one_utterance_breaks_nothing():
    single = paired_difference([0.0], [9.0], ["s"])
    threshold = parse_threshold("m<-1")
    assert not threshold.is_broken_by(single, 9.0)
    assert threshold.reaches_beyond(single, 9.0)
