"""Texts made comparable, and errors counted; the published error rates of four systems."""

import csv

import pytest

from codecbench.metrics.text import character_errors, normalised, word_errors

from .conformance_rows import rows

ROWS = rows(["wer"])


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Mr. Smith's colour, twenty-one!", "en", "mister smith is color 21"),
        ("  HELLO   world ", "en", "hello world"),
        ("Ça va, où ?", "fr", "ça va où"),
        ("今天，天气 很好。ＯＫ！", "zh", "今天天气很好ok"),
        ("廣州市 房地產", "zh", "廣州市房地產"),
        ("...", "en", ""),
        ("。、！", "zh", ""),
    ],
)
def test_normalisation(text, language, expected):
    assert normalised(text, language, "auto") == expected


def test_no_normalisation_keeps_all_but_runs_of_spaces():
    assert normalised(" Hello,   World ", "en", "none") == "Hello, World"


def test_word_errors():
    assert word_errors("a b c d", "a x d e") == (3, 4)
    assert word_errors("a b", "") == (2, 2)
    assert word_errors("a", "a b c d") == (3, 1)


def test_character_errors_count_spaces_between_words():
    assert character_errors("ab cd", "abcd") == (1, 5)
    assert character_errors("今天天气", "今天气") == (1, 4)


def _texts(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return dict(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_conformance(row, conformance_root):
    folder = conformance_root / row.folder
    references, hypotheses = _texts(folder / row.ref), _texts(folder / row.deg)
    assert references.keys() == hypotheses.keys()
    counts = [
        word_errors(*(normalised(texts[key], "en", "none") for texts in (references, hypotheses)))
        for key in references
    ]
    errors, words = map(sum, zip(*counts, strict=True))
    assert errors / words == pytest.approx(row.expected, abs=row.tolerance)


def test_conformance_rows_are_there(conformance_root):
    assert len(ROWS) >= 2
