"""Which columns a request means, for whom, and which of them can never be had."""

from dataclasses import replace

import pytest

from codecbench.audio import Audio
from codecbench.corpora.base import Utterance
from codecbench.engine.plan import wanted
from codecbench.engine.selection import select_metrics
from codecbench.results.schema import REFERENCE

ENGLISH = Utterance.from_audio(Audio([0.1] * 160, 16000), transcript="a", language="en")
UNKNOWN = replace(ENGLISH, language=None)
SPHINX = [f"{column}:asr=pocketsphinx" for column in ("wer", "cer", "dwer")]


def test_the_reference_has_no_dwer():
    selection = select_metrics(SPHINX)
    spec = next(spec for spec in selection.metrics if spec.startswith("wer"))
    assert selection.columns(spec, ENGLISH, None) == ("wer", "cer", "dwer")
    assert selection.columns(spec, ENGLISH, None, reference=True) == ("wer", "cer")


def test_no_row_for_a_reference_without_scores():
    selection = select_metrics(SPHINX)
    assert REFERENCE in wanted(ENGLISH, {}, selection)
    untold = replace(ENGLISH, transcript=None)  # dwer alone is left
    assert REFERENCE not in wanted(untold, {}, selection)


def test_columns_that_apply_to_nothing_are_found():
    selection = select_metrics([*SPHINX, "stoi"])
    assert selection.never_applicable([UNKNOWN, UNKNOWN]) == ["cer", "dwer", "wer"]
    assert selection.never_applicable([UNKNOWN, ENGLISH]) == []
    untold = replace(ENGLISH, transcript=None)
    assert selection.never_applicable([UNKNOWN, untold]) == ["cer", "wer"]


def test_columns_of_two_definitions_carry_their_spec():
    selection = select_metrics(["wer:asr=pocketsphinx", "wer:asr=pocketsphinx,language=en"])
    found = selection.never_applicable([UNKNOWN])
    assert found == ["wer (wer:asr=pocketsphinx,normalizer=auto,beam=1)"]


def test_wide_band_never_applies_to_narrow_band_speech():
    selection = select_metrics(["pesq_wb", "pesq_nb"])
    assert selection.never_applicable([ENGLISH.at_rate(8000)]) == ["pesq_wb"]


def test_the_default_set_is_never_complained_of():
    assert select_metrics([]).never_applicable([UNKNOWN.at_rate(8000)]) == []


@pytest.mark.parametrize("cached", ["tiny.en", "small"])
def test_the_default_set_takes_the_model_at_hand(cached, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "whisper").mkdir()
    assert "wer" in select_metrics([]).left_out
    (tmp_path / "whisper" / f"{cached}.pt").touch()
    selection = select_metrics([])
    assert f"wer:asr=whisper-{cached},normalizer=auto,beam=1" in selection.metrics
