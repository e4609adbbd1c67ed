"""What the shell offers where a name is expected: registered names, read when Tab is pressed."""

from __future__ import annotations


def codecs(incomplete: str) -> list[str]:
    """Offer the codecs whose name begins as typed."""
    from ..registry import CODECS, names

    return _beginning(names(CODECS), incomplete)


def corpora(incomplete: str) -> list[str]:
    """Offer the corpora whose name begins as typed."""
    from ..registry import CORPORA, names

    return _beginning(names(CORPORA), incomplete)


def metrics(incomplete: str) -> list[str]:
    """Offer metrics and columns for the last of the names between commas."""
    from ..registry import METRICS, column_owners, names

    before, comma, last = incomplete.rpartition(",")
    found = _beginning([*names(METRICS), *column_owners()], last)
    return [f"{before}{comma}{name}" for name in found]


def anything(incomplete: str) -> list[str]:
    """Offer codecs, corpora, metrics and columns."""
    found = [*codecs(incomplete), *corpora(incomplete)]
    return found if "," in incomplete else [*found, *metrics(incomplete)]


def _beginning(names: list[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
