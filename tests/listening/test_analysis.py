"""Answers read, refused and analysed, against numbers worked out by hand or by scipy."""

import copy
import json
import random

import pytest
from scipy import stats

from codecbench.cli.main import main
from codecbench.errors import UserError
from codecbench.listening.abx import discriminations, holm
from codecbench.listening.answers import read_all, read_answers
from codecbench.listening.mushra import Screening, qualities, screened
from codecbench.listening.tables import analysis_of

CODECS = {"opus:kbps=6": "opus:kbps=6", "codec2:bps=1200": "codec2"}
HEAD = {"format": 1, "test": "t1", "run": {"name": "r", "identity": "i"}, "codecs": CODECS,
        "anchor": "lowpass:hz=3500", "seed": "1", "started": "2025-01-01T00:00:00Z",
        "finished": "2025-01-01T01:00:00Z"}  # fmt: skip


def item(number):
    return {"corpus": "c", "split": "s", "utterance": f"u{number}"}


def abx(listener, correct):
    """Make answers; `correct` gives right and all trials of each codec."""
    trials = []
    for codec, (right, total) in correct.items():
        for number in range(total):
            x = "ab"[number % 2]
            answer = x if number < right else {"a": "b", "b": "a"}[x]
            trials.append({"item": item(number), "seconds": 3.5, "codec": codec, "a": "reference",
                           "b": codec, "x": x, "answer": answer, "plays": {"a": 1}})  # fmt: skip
    return {**HEAD, "kind": "abx", "listener": listener, "trials": trials}


def mushra(listener, *scores):
    """Make answers; scores are of reference, opus, codec2 and anchor."""
    names = ["reference", *CODECS, "anchor"]
    trials = []
    for number, row in enumerate(scores):
        ratings = [{"condition": name, "shown": "A", "score": score, "plays": 2}
                   for name, score in zip(names, row, strict=True)]  # fmt: skip
        random.Random(number).shuffle(ratings)
        trials.append({"item": item(number), "seconds": 9, "ratings": ratings})
    return {**HEAD, "kind": "mushra", "listener": listener, "trials": trials}


@pytest.fixture
def write(tmp_path):
    def call(*documents):
        paths = []
        for number, document in enumerate(documents):
            path = tmp_path / f"answers{number}.json"
            text = document if isinstance(document, str) else json.dumps(document)
            path.write_text(text)
            paths.append(path)
        return paths

    return call


def test_abx_counts_intervals_and_tests(write):
    paths = write(abx("anna", {"opus:kbps=6": (9, 10), "codec2:bps=1200": (5, 10)}),
                  abx("ben", {"opus:kbps=6": (8, 10), "codec2:bps=1200": (4, 10)}))  # fmt: skip
    found = discriminations(read_all(paths)["abx"])
    opus, codec2 = found[:2]
    assert (opus.correct, opus.trials, opus.listeners, opus.listener) == (17, 20, 2, None)
    # P(at least 17 of 20) = (1140 + 190 + 20 + 1) / 2**20.
    assert opus.p == pytest.approx(1351 / 2**20)
    # Clopper-Pearson through its beta quantiles.
    assert opus.low == pytest.approx(stats.beta.ppf(0.025, 17, 4))
    assert opus.high == pytest.approx(stats.beta.ppf(0.975, 18, 3))
    assert opus.adjusted == pytest.approx(2 * opus.p)
    assert codec2.p > 0.5
    assert [one.listener for one in found] == [None, None, "anna", "anna", "ben", "ben"]


def test_holm_is_monotone_and_at_most_one():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_screening_bounds_are_those_of_the_recommendation():
    assert Screening("a", 3, 20).passed
    assert not Screening("a", 4, 20).passed
    assert Screening("a", 0, 1).passed
    assert not Screening("a", 1, 6).passed


def test_listeners_who_miss_the_reference_are_left_out(write):
    good = mushra("anna", (100, 80, 40, 20), (90, 70, 50, 30))
    other = mushra("ben", (95, 60, 30, 10), (99, 50, 40, 20))
    deaf = mushra("carl", (89, 100, 100, 100), (100, 100, 100, 100))
    answers = read_all(write(good, other, deaf))["mushra"]
    assert [(one.missed, one.passed) for one in screened(answers)] == [
        (0, True), (0, True), (1, False),
    ]  # fmt: skip
    rated = {one.condition: one.interval for one in qualities(answers[:2])}
    opus = rated["opus:kbps=6"]
    assert opus.value == 65
    assert (opus.speakers, opus.method) == (2, "speaker t")
    # t over the listeners' means 75 and 55, one degree of freedom; cut to the scale.
    assert (opus.low, opus.high) == (0, 100)
    found = analysis_of({"mushra": answers})
    assert any("carl is left out" in note for note in found.notes)
    record = next(one for one in found.records if one["condition"] == "opus:kbps=6")
    assert (record["value"], record["listeners"], record["n"]) == (65, 2, 4)


def test_the_interval_is_over_listeners_not_ratings(write):
    rows = [mushra(f"l{n}", *[(100, 50 + n, 40, 10)] * 6) for n in range(5)]
    rated = {one.condition: one.interval for one in qualities(read_all(write(*rows))["mushra"])}
    opus = rated["opus:kbps=6"]
    half = stats.t.ppf(0.975, 4) * stats.sem([50, 51, 52, 53, 54])
    assert (opus.low, opus.high) == pytest.approx((52 - half, 52 + half))


def with_mid_anchor(document, *scores):
    """Add the mid anchor's ratings, one an item."""
    document = {**document, "mid_anchor": "lowpass:hz=7000"}
    for trial, score in zip(document["trials"], scores, strict=True):
        trial["ratings"].append(
            {"condition": "mid-anchor", "shown": "E", "score": score, "plays": 1}
        )
    return document


def test_listeners_who_miss_the_mid_anchor_are_left_out(write):
    row = (100, 80, 40, 20)
    rated = {"anna": (90, 80), "ben": (70, 60), "carl": (91, 50), "dora": (90, 40), "eve": (60, 50)}
    answers = read_all(
        write(*[with_mid_anchor(mushra(name, row, row), *m) for name, m in rated.items()])
    )["mushra"]
    carl = next(one for one in screened(answers) if one.listener == "carl")
    assert (carl.anchor_missed, carl.anchor_items, carl.passed) == (1, 2, False)
    assert [one.listener for one in screened(answers) if one.passed] == [
        "anna",
        "ben",
        "dora",
        "eve",
    ]
    # Of four listeners, one is not more than 25 %; of three he is, and the item judges nobody.
    assert not screened(answers[:4])[2].passed
    few = screened(answers[:3])[2]
    assert (few.anchor_missed, few.anchor_items, few.passed) == (0, 1, True)
    found = analysis_of({"mushra": answers})
    assert any("carl is left out: " in note and "anchor in 1 of 2" in note for note in found.notes)
    record = next(one for one in found.records if one["condition"] == "mid-anchor")
    assert record["label"] == "mid anchor (lowpass:hz=7000)"
    assert record["value"] == pytest.approx((90 + 80 + 70 + 60 + 90 + 40 + 60 + 50) / 8)


def test_a_test_without_mid_anchor_says_so(write):
    found = analysis_of(read_all(write(GOOD)))
    assert any("no mid anchor" in note for note in found.notes)
    assert "mid-anchor" not in {one["condition"] for one in found.records}


def test_nobody_left_is_an_error(write):
    answers = read_all(write(mushra("anna", (10, 80, 40, 20))))
    with pytest.raises(UserError, match="no listener passes"):
        analysis_of(answers)


def changed(document, *keys, to):
    document = copy.deepcopy(document)
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    return document


GOOD = mushra("anna", (100, 80, 40, 20))
HEARD = abx("anna", {"opus:kbps=6": (1, 2)})


@pytest.mark.parametrize(
    "bad",
    [
        "not json", "[]", "{}", '{"kind": "abx"}',
        changed(GOOD, "trials", 0, "ratings", 0, "score", to=101),
        changed(GOOD, "trials", 0, "ratings", 0, "condition", to="other"),
        changed(GOOD, "trials", to=[]),
        changed(GOOD, "trials", to=GOOD["trials"] * 2),
        changed(GOOD, "format", to=2),
        changed(GOOD, "mid_anchor", to="lowpass:hz=7000"),
        changed(GOOD, "more", to=2),
        changed(HEARD, "trials", 0, "a", to="opus:kbps=6"),
        changed(HEARD, "trials", 0, "x", to="c"),
        changed(HEARD, "codecs", to={}),
    ],
)  # fmt: skip
def test_what_no_page_saved_is_refused_in_one_line(write, bad, capsys):
    (path,) = write(bad)
    with pytest.raises(UserError, match="does not hold the answers"):
        read_answers(path)
    with pytest.raises(SystemExit) as ended:
        main(["listen", "analyse", str(path)])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert ": :" not in err


def test_tests_and_listeners_are_not_mixed(write, tmp_path):
    with pytest.raises(UserError, match="another test"):
        read_all(write(GOOD, changed({**HEARD, "listener": "b"}, "test", to="t2")))
    for key, other in (
        ("mid_anchor", "lowpass:hz=7000"),
        ("anchor", "lowpass:hz=2000"),
        ("run", {"name": "r", "identity": "another"}),
    ):
        with pytest.raises(UserError, match="another test"):
            read_all(write(GOOD, changed({**HEARD, "listener": "b"}, key, to=other)))
    with pytest.raises(UserError, match="both anna's answers"):
        read_all(write(GOOD, GOOD))
    assert set(read_all(write(GOOD, HEARD))) == {"abx", "mushra"}
    with pytest.raises(UserError, match="cannot be read"):
        read_answers(tmp_path / "none.json")


@pytest.mark.parametrize("kind", ["rich", "markdown", "csv", "json"])
def test_every_format_holds_both_kinds(write, kind, capsys):
    paths = write(GOOD, HEARD)
    with pytest.raises(SystemExit) as ended:
        main(["listen", "analyse", *map(str, paths), "--format", kind])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "codec2" in out
    assert "reference" in out
    if kind in ("csv", "json"):
        assert "speaker" not in out, "intervals are over listeners"
    if kind == "csv":
        assert len({line.count(",") for line in out.splitlines()}) == 1


def test_names_of_listeners_cannot_drive_a_terminal(write, capsys):
    (path,) = write(changed(GOOD, "listener", to="\x1b[31m[bold]x"))
    with pytest.raises(SystemExit):
        main(["listen", "analyse", str(path)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x" in out
