"""Texts made comparable before errors are counted, and the counting of errors."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable
from typing import Literal

Normalizer = Literal["auto", "none"]

SPACELESS = frozenset({"bo", "ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages (ISO 639-1, and yue) whose writing does not separate words."""

_HAS_NO_SOUND = "CMPSZ"
"""Unicode categories left out of spaceless texts: control, marks, punctuation, symbols, spaces."""

AUTO_RULES = """Both texts are normalised alike. English: Whisper's EnglishTextNormalizer (lower
    case, spelling, contractions, numbers in digits). Languages written without spaces, Mandarin
    among them: NFKC, lower case, everything but letters and digits left out; numbers stay as they
    are written, and traditional characters are not turned into simplified ones. Other languages:
    Whisper's BasicTextNormalizer."""

NO_RULES = """Texts are compared as they are, but for runs of spaces."""


def normalised(text: str, language: str, normalizer: Normalizer) -> str:
    """Return a text as it is compared.

    Parameters
    ----------
    text : str
    language : str
        ISO 639-1.
    normalizer : {"auto", "none"}

    Returns
    -------
    str
        Words separated by single spaces; no spaces at all in spaceless languages.
    """
    if normalizer == "none":
        clean = text
    elif language in SPACELESS:
        clean = _sounding(text)
    else:
        clean = _whisper_normalizer(language == "en")(text)
        # Whisper's normaliser leaves a lone full stop of "...", which is no word.
        clean = clean if any(map(str.isalnum, clean)) else ""
    return ("" if language in SPACELESS else " ").join(clean.split())


def _sounding(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in _HAS_NO_SOUND)


@functools.cache
def _whisper_normalizer(english: bool) -> Callable[[str], str]:
    from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

    normalizer: Callable[[str], str] = EnglishTextNormalizer() if english else BasicTextNormalizer()
    return normalizer


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Count substituted, deleted and inserted words against the words of the reference.

    Parameters
    ----------
    reference : str
        At least one word.
    hypothesis : str

    Returns
    -------
    errors, words : int
    """
    import jiwer

    result = jiwer.process_words(reference, hypothesis)
    errors = result.substitutions + result.deletions + result.insertions
    return errors, result.hits + result.substitutions + result.deletions


def character_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Count wrong characters, spaces between words among them; see `word_errors`."""
    import jiwer

    result = jiwer.process_characters(reference, hypothesis)
    errors = result.substitutions + result.deletions + result.insertions
    return errors, result.hits + result.substitutions + result.deletions
