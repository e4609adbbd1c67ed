"""Bjøntegaard deltas against the package `bjontegaard`, by hand, and under their own laws."""

import bjontegaard
import numpy as np
import pytest
import scipy.interpolate
from hypothesis import given, settings
from hypothesis import strategies as st

from codecbench.errors import UserError
from codecbench.statistics.bjontegaard import Curve, delta_metric, delta_rate
from codecbench.statistics.monotone import mean_between

# A curve of the README of the package `bjontegaard` (libx265, two presets; PSNR).
ANCHOR = [9487.76, 4593.60, 2486.44, 1358.24], [40.037, 38.615, 36.845, 34.851]
TESTED = [9787.80, 4469.00, 2451.52, 1356.24], [40.121, 38.651, 36.970, 34.987]


def one_utterance(name, rates, scores):
    rates, scores = np.array(rates)[:, None], np.array(scores)[:, None]
    return Curve(name, rates, np.ones(1), scores, np.ones_like(scores))


def both(anchor=ANCHOR, tested=TESTED):
    return one_utterance("old", *anchor), one_utterance("new", *tested)


def test_deltas_are_those_of_an_independent_implementation():
    rate = bjontegaard.bd_rate(*ANCHOR, *TESTED, method="pchip")
    metric = bjontegaard.bd_psnr(*ANCHOR, *TESTED, method="pchip")
    assert delta_rate(*both(), ["s"]).interval.value == pytest.approx(rate, rel=1e-9)
    assert delta_metric(*both(), ["s"]).interval.value == pytest.approx(metric, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_interpolation_is_that_of_scipy(data):
    points = data.draw(st.integers(2, 6))
    steps = data.draw(st.lists(st.floats(0.05, 4), min_size=points, max_size=points))
    y = data.draw(st.lists(st.floats(-5, 5), min_size=points, max_size=points))
    x = np.cumsum(steps)
    shares = sorted(data.draw(st.tuples(st.floats(0, 0.49), st.floats(0.51, 1))))
    low, high = x[0] + np.array(shares) * (x[-1] - x[0])
    expected = scipy.interpolate.PchipInterpolator(x, y).integrate(low, high) / (high - low)
    found = mean_between(x[None], np.array([y]), np.array([low]), np.array([high]))
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_rate_that_is_halved_everywhere_by_hand():
    tested = [rate / 2 for rate in ANCHOR[0]], ANCHOR[1]
    found = delta_rate(*both(tested=tested), ["s"])
    assert found.interval.value == pytest.approx(-50)
    assert (found.low, found.high) == (34.851, 40.037)
    assert found.share == 1


def test_a_metric_that_is_raised_everywhere_by_hand():
    tested = ANCHOR[0], [score + 0.25 for score in ANCHOR[1]]
    found = delta_metric(*both(tested=tested), ["s"])
    assert found.interval.value == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx((1358.24, 9487.76))


def test_metrics_that_fall_mirror_those_that_rise():
    rising = delta_rate(*both(), ["s"])
    mirrored = [(rates, [-score for score in scores]) for rates, scores in (ANCHOR, TESTED)]
    falling = delta_rate(*both(*mirrored), ["s"], better="lower")
    assert falling.interval.value == pytest.approx(rising.interval.value)
    assert falling.low == pytest.approx(-rising.high)


@pytest.mark.parametrize(
    ("tested", "delta", "message"),
    [
        (([1000.0], [36.0]), delta_rate, "new: one point is no curve"),
        (([1.0, 1.0], [36.0, 37.0]), delta_metric, "new: two points have the same rate"),
        (([1e3, 2e3], [36.0, 35.0]), delta_rate, "new: its metric does not get better .*36, 35"),
        (([1e3, 2e3], [50.0, 60.0]), delta_rate, "old and new share no values of the metric"),
        (([1e5, 2e5], [36.0, 37.0]), delta_metric, "old and new share no rates"),
    ],
)
def test_refused(tested, delta, message):
    with pytest.raises(UserError, match=message):
        delta(*both(tested=tested), ["s"])


def speech(rng, speakers, gain=0.0, utterances=3, points=4):
    """Return curves of two codecs whose true deltas are `gain` in the metric at any rate."""
    who = np.repeat(np.arange(speakers), utterances)
    seconds = rng.uniform(2, 8, len(who))
    voices = rng.normal(0, 0.2, speakers)[who] + rng.normal(0, 0.1, len(who))
    curves = []
    for name, more in (("old", 0.0), ("new", gain)):
        rates = 2.0 ** np.arange(points)[:, None] * rng.uniform(0.98, 1.02, len(who))
        likes = rng.normal(0, 0.05, speakers)[who]
        scores = 2 + 0.5 * np.log2(rates) + voices + likes + more
        curves.append(Curve(name, rates * seconds, seconds, scores, np.ones_like(scores)))
    return *curves, who


@pytest.mark.parametrize(
    ("speakers", "trials", "least"), [(5, 200, 0.91), (13, 200, 0.91), (40, 60, 0.87)]
)
def test_intervals_cover_the_truth_as_often_as_promised(speakers, trials, least):
    rng = np.random.default_rng(speakers)
    covered = np.zeros(2)
    for _ in range(trials):
        *curves, who = speech(rng, speakers, gain=0.1)
        metric = delta_metric(*curves, who).interval
        rate = delta_rate(*curves, who).interval
        covered += metric.low <= 0.1 <= metric.high, rate.low <= 100 * (2**-0.2 - 1) <= rate.high
    assert (covered / trials > least).all(), covered / trials
    assert (covered / trials < 0.995).all(), covered / trials


def test_no_interval_of_a_delta_rate_saves_more_than_all_bits():
    """Two speakers who disagree: t times the error is wide, but not beyond -100 %."""
    rates = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    scores = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    old = Curve("old", rates, np.ones(2), scores, np.ones_like(scores))
    new = Curve("new", rates, np.ones(2), scores + np.array([0.1, 0.9]), np.ones_like(scores))
    found = delta_rate(old, new, [0, 1]).interval
    assert -100 < found.low < found.value < found.high
    metric = delta_metric(old, new, [0, 1]).interval
    # On a curve that rises by 1 an octave, a gain in the metric is a saving in log rate.
    assert found.value == pytest.approx(100 * (2**-metric.value - 1), rel=0.05)


def test_two_points_are_a_straight_line_by_hand():
    """From (1, 1) to (4, 3) against (2, 1) to (8, 3): twice the rate everywhere."""
    old = one_utterance("old", [1.0, 4.0], [1.0, 3.0])
    new = one_utterance("new", [2.0, 8.0], [1.0, 3.0])
    assert delta_rate(old, new, ["s"]).interval.value == pytest.approx(100)
    assert delta_metric(old, new, ["s"]).interval.value == pytest.approx(-1)


def test_an_interval_that_the_speakers_do_not_carry_is_left_out():
    """Without the last speaker the old codec no longer gets better with rate."""
    rates = np.array([[1.0], [2.0]]) * np.ones(4)
    scores = np.array([[1.5, 1.6, 1.7, 1.0], [1.4, 1.5, 1.6, 3.0]])
    old = Curve("old", rates, np.ones(4), scores, np.ones_like(scores))
    new = Curve("new", rates, np.ones(4), scores + np.array([[0.0], [0.1]]), np.ones_like(scores))
    found = delta_rate(old, new, np.arange(4)).interval
    assert found.value < 0
    assert (found.low, found.high) == (None, None)


def test_speakers_and_points_may_stand_in_any_order():
    rng = np.random.default_rng(1)
    old, new, who = speech(rng, 6)
    shuffled = rng.permutation(len(who))
    mixed = [
        Curve(
            c.name,
            *(
                np.asarray(p)[::-1, shuffled] if np.ndim(p) > 1 else p[shuffled]
                for p in (c.bits, c.seconds, c.numerators, c.denominators)
            ),
        )
        for c in (old, new)
    ]
    one, other = delta_rate(old, new, who).interval, delta_rate(*mixed, who[shuffled]).interval
    assert (one.value, one.low) == pytest.approx((other.value, other.low))
