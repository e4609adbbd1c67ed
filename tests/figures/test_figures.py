"""Figures: what they show, and that they are the files they claim to be."""

import math

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codecbench.audio import Audio
from codecbench.errors import UserError
from codecbench.figures.canvas import drawing, require_figure_path, save
from codecbench.figures.codebooks import concentration
from codecbench.figures.rates import curves_of, draw_rates
from codecbench.figures.scatter import draw_scatter
from codecbench.figures.spectrograms import level_db
from codecbench.figures.style import style_of
from codecbench.figures.violin import draw_violins
from codecbench.reports.families import by_family
from codecbench.reports.labels import short_labels

from ..reports.frames import row, speech
from .results import COLUMNS, Written

RATES = {"lc3:kbps=16": 16.0, "lc3:kbps=32": 32.0, "opus:kbps=12": 12.0, "identity": 256.0}
HOSTILE = 'opus:kbps=12,label="$\\frac{1}$ % # _"'
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rows_of(qualities, rates=RATES, corpora=("c", "d")):
    for corpus in corpora:
        for one in speech(qualities, corpus=corpus):
            if one["metric"] == "kbps":
                one["numerator"] = rates[one["codec"]] * one["denominator"]
            yield one


@pytest.fixture
def results():
    rows = [*rows_of(dict(zip(RATES, (2.0, 3.0, 2.5, 4.5), strict=True)))]
    rows += [row("reference", "pesq_wb", 4.6, "u0-0")]
    return Written(rows, {"identity": {"anchor": True}})


def test_a_family_is_one_line_through_its_rates(results):
    table = results.table(["kbps", "pesq_wb"])
    curves = curves_of(table.groups()["c",], "pesq_wb", results.order, ["identity"])
    assert [curve.label for curve in curves] == ["lc3", "opus"]
    assert [rate for rate, _ in curves[0].points] == pytest.approx([16, 32])
    values = [cell.value for _, cell in curves[0].points]
    assert values == [table.cell(f"lc3:kbps={rate}", "pesq_wb", "c").value for rate in (16, 32)]


def test_rates_have_a_panel_a_corpus_and_each_codec_once_in_the_legend(results):
    with drawing():
        figure = draw_rates(results, ["pesq_wb"])
    assert [axes.get_title() for axes in figure.axes] == ["c", "d"]
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["lc3", "opus", "reference", "identity"]
    assert figure.axes[0].get_ylabel() == "PESQ-WB ↑ (MOS)"
    assert figure.axes[0].get_xscale() == "log"
    low, high = figure.axes[0].get_xlim()
    assert 10 < low < 12 < 32 < high < 60  # the anchor's 256 kbit/s are not on the axis
    colors = {line.get_color() for line in figure.axes[0].get_lines()}
    assert style_of("lc3").color in colors
    assert style_of("opus").color in colors


def test_scatter_counts_who_is_better(results):
    with drawing():
        figure = draw_scatter(results, ["pesq_wb"], ["lc3:kbps=16", "lc3:kbps=32"])
    (axes,) = figure.axes
    assert axes.get_title() == "PESQ-WB ↑ (MOS)\n48 of 48 better above the line"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("lc3:kbps=16", "lc3:kbps=32")
    assert axes.get_xlim() == axes.get_ylim()
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["c (24)", "d (24)"]


def test_scatter_of_a_pooled_metric_turns_the_count_around():
    rows = [
        row(codec, "wer", errors, f"u{i}", numerator=errors, denominator=100.0)
        for i in range(4)
        for codec, errors in (("a", 10.0 + i), ("b", 9.0 + i))
    ]
    with drawing():
        figure = draw_scatter(Written(rows), ["wer"], ["a", "b"])
    assert "4 of 4 better below the line" in figure.axes[0].get_title()


def test_violins_stand_on_their_codecs_lines(results):
    with drawing():
        figure = draw_violins(results, ["pesq_wb"], results.order)
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == by_family(results.order)
    assert (first.get_title(), second.get_title()) == ("c", "d")
    bodies = [one for one in first.collections if one.get_facecolor().size]
    assert len(bodies) == len(results.order)
    medians = [line.get_xdata()[0] for line in first.get_lines() if line.get_marker() == "o"]
    frame = results.frame(metrics=["pesq_wb"])
    mine = frame[(frame["codec"] == results.order[0]) & (frame["corpus"] == "c")]
    assert medians[0] == pytest.approx(mine["value"].median())


def test_one_utterance_and_equal_scores_are_drawn():
    rows = [row("a", "pesq_wb", 3.0, f"u{i}") for i in range(3)] + [row("b", "pesq_wb", 2.0, "u0")]
    with drawing():
        figure = draw_violins(Written(rows), ["pesq_wb"], ["a", "b"])
        figure.draw_without_rendering()


@pytest.mark.parametrize("suffix", ["pdf", "png", "PDF"])
def test_files_are_what_they_claim_and_the_same_every_time(results, tmp_path, suffix):
    paths = [tmp_path / f"{place}.{suffix}" for place in range(2)]
    for path in paths:
        with drawing():
            save(draw_rates(results, ["pesq_wb"]), path)
    data = paths[0].read_bytes()
    assert data == paths[1].read_bytes()
    if suffix == "png":
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
    else:
        assert data.startswith(b"%PDF")
        assert b"/CIDFontType2" in data or b"/TrueType" in data
        assert b"/Type3" not in data
        assert b"/FontFile2" in data
        assert b"/Subtype /Image" not in data


def test_names_are_shown_as_they_are(tmp_path):
    rows = list(rows_of({HOSTILE: 3.0, "日本語": 2.0}, {HOSTILE: 12.0, "日本語": 4.0}))
    with drawing():
        figure = draw_violins(Written(rows), ["pesq_wb"], [HOSTILE])
        save(figure, tmp_path / "a.pdf")
    shown = figure.findobj(matplotlib.text.Text)
    assert short_labels([HOSTILE])[HOSTILE] in [text.get_text() for text in shown]
    assert not any(text.get_parse_math() for text in shown)


def test_the_users_settings_stay_as_they_are(results):
    before = dict(matplotlib.rcParams)
    matplotlib.rcParams["font.size"] = 30
    with drawing():
        figure = draw_rates(results, ["pesq_wb"])
    assert matplotlib.rcParams["font.size"] == 30
    assert figure.axes[0].xaxis.label.get_fontsize() == 8
    matplotlib.rcParams.update({"font.size": before["font.size"]})


@pytest.mark.parametrize("name", ["a.svg", "a", "pdf", "a.pdf.gz"])
def test_other_files_are_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"a figure is a \.pdf or a \.png file"):
        require_figure_path(tmp_path / name)


def test_what_is_missing_is_one_line(results):
    with pytest.raises(UserError, match="is the horizontal axis"):
        draw_rates(results, ["kbps"])
    columns = {name: column for name, column in COLUMNS.items() if name != "kbps"}
    with pytest.raises(UserError, match="counted rate, column kbps, is not in these results"):
        draw_rates(Written([row("a", "pesq_wb", 2.0, "u")], columns=columns), ["pesq_wb"])
    with pytest.raises(UserError, match="no codec in these results has both a counted rate and"):
        draw_rates(Written([row("a", "pesq_wb", 2.0, "u")]), ["pesq_wb"])
    with pytest.raises(UserError, match="is of two codecs, not 4"):
        draw_scatter(results, ["pesq_wb"], results.order)
    apart = [row("a", "pesq_wb", 2.0, "u1"), row("b", "pesq_wb", 2.0, "u2")]
    with pytest.raises(UserError, match="no utterance has a score of pesq_wb through both"):
        draw_scatter(Written(apart), ["pesq_wb"], ["a", "b"])
    failed = [row("a", "pesq_wb", math.nan, "u1", error="too short")]
    with pytest.raises(UserError, match="no utterance in these results has a score"):
        draw_violins(Written(failed), ["pesq_wb"], ["a"])


@patient
@given(arrays(np.int64, st.integers(1, 50), elements=st.integers(0, 1000)))
def test_concentration_rises_ever_more_slowly(counts):
    entries, codes = concentration(counts)
    assert (entries[0], entries[-1], codes[0]) == (0, 1, 0)
    assert codes[-1] == pytest.approx(1 if counts.any() else 0)
    steps = np.diff(codes)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()
    if counts.any():
        assert (codes - entries >= -1e-12).all()


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_sine_of_full_scale_has_its_level_at_its_frequency(rate):
    times = np.arange(rate) / rate
    sine = Audio(np.sin(2 * np.pi * 1000 * times).astype(np.float32), rate)
    levels = level_db(sine)
    assert levels.max() == pytest.approx(0, abs=0.1)
    frequencies = np.linspace(0, rate / 2, len(levels))
    assert frequencies[levels.mean(axis=1).argmax()] == pytest.approx(1000, abs=rate / 1000)
    with pytest.raises(UserError, match="too short for a spectrogram"):
        level_db(Audio(np.zeros(10, np.float32), rate))
