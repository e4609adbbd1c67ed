"""The list of a run's utterances with the hashes of their audio: written, read and replayed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from .corpora.base import Utterance
from .errors import AudioError, UserError
from .files import write_text_atomic


@dataclass(frozen=True)
class ListedUtterance:
    """A row of ``utterances.csv``.

    Parameters
    ----------
    corpus, split, id, speaker : str
        All but the id are empty in a plain list of ids.
    seconds : float or None
        Duration of the source audio.
    sample_rate : int or None
        Of the source audio, in Hz.
    sha256 : str or None
        `Audio.sha256` of the source audio; None if it could not be read.
    """

    corpus: str
    split: str
    id: str
    speaker: str
    seconds: float | None = None
    sample_rate: int | None = None
    sha256: str | None = None

    @classmethod
    def of(
        cls,
        utterance: Utterance,
        seconds: float | None = None,
        sample_rate: int | None = None,
        sha256: str | None = None,
    ) -> Self:
        """Make the row of an utterance whose audio is known already."""
        return cls(*utterance.key, utterance.speaker, seconds, sample_rate, sha256)

    @classmethod
    def reading(cls, utterance: Utterance) -> Self:
        """Make the row of an utterance by reading its audio."""
        try:
            audio = utterance.source_audio()
        except AudioError:
            return cls.of(utterance)
        return cls.of(utterance, audio.seconds, audio.sample_rate, audio.sha256())

    @property
    def label(self) -> str:
        """Corpus, split and id for messages, or the id alone."""
        return f"{self.corpus}/{self.split}/{self.id}" if self.corpus else self.id


COLUMNS = tuple(field.name for field in fields(ListedUtterance))


def write_list(path: Path, listed: Iterable[ListedUtterance]) -> None:
    """Write ``utterances.csv``: a header and one row an utterance, in the order given."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in listed:
        seconds = None if row.seconds is None else f"{row.seconds:.6f}"
        key = (row.corpus, row.split, row.id, row.speaker)
        writer.writerow([*key, seconds, row.sample_rate, row.sha256])
    write_text_atomic(path, table.getvalue())


def read_list(path: Path, missing_ok: bool = False) -> list[ListedUtterance]:
    """Read ``utterances.csv``, or a plain text file with one id a line (``#`` begins a comment).

    Parameters
    ----------
    path : Path
    missing_ok : bool
        Whether a missing file is an empty list.

    Raises
    ------
    UserError
        If the file cannot be read, a row is malformed, or an utterance occurs twice.
    """
    if missing_ok and not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UserError(f"{path}: cannot be read ({reason})") from error
    is_table = text.startswith("corpus,split,id")
    listed = _table(path, text) if is_table else _plain(text)
    if not listed:
        raise UserError(f"{path}: lists no utterances")
    labels: set[str] = set()
    for row in listed:
        if row.label in labels:
            raise UserError(f"{path}: {row.label} is listed twice")
        labels.add(row.label)
    return listed


def _plain(text: str) -> list[ListedUtterance]:
    lines = (line.strip() for line in text.splitlines())
    return [ListedUtterance("", "", line, "") for line in lines if line and line[0] != "#"]


def _table(path: Path, text: str) -> list[ListedUtterance]:
    reader = csv.DictReader(io.StringIO(text), restkey="", strict=True)
    listed = []
    try:
        for row in reader:
            listed.append(_row(row))
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}:{reader.line_num}: not a row of {', '.join(COLUMNS)} ({error})"
        ) from error
    return listed


def _row(row: dict[str, str]) -> ListedUtterance:
    if "" in row or None in row.values():
        raise ValueError("the number of columns differs from the header's")
    if not (row["corpus"] and row["split"] and row["id"]):
        raise ValueError("corpus, split or id is empty")
    return ListedUtterance(
        row["corpus"],
        row["split"],
        row["id"],
        row.get("speaker", ""),
        float(row["seconds"]) if row.get("seconds") else None,
        int(row["sample_rate"]) if row.get("sample_rate") else None,
        row.get("sha256") or None,
    )


def replay(
    path: Path, utterances: Sequence[Utterance], check_audio: bool = True
) -> list[Utterance]:
    """Pick exactly the listed utterances, in the list's order.

    Parameters
    ----------
    path : Path
        ``utterances.csv`` of a run, or a text file of ids.
    utterances : sequence of Utterance
        What the corpora offer.
    check_audio : bool
        Read the audio and compare it with the hashes of the list.

    Raises
    ------
    UserError
        If a listed utterance is missing, an id alone is not unique, or audio has changed.
    """
    by_key = {item.key: item for item in utterances}
    by_id: dict[str, list[Utterance]] = {}
    for item in utterances:
        by_id.setdefault(item.id, []).append(item)
    listed = read_list(path)
    chosen = []
    missing = []
    for row in listed:
        found = by_key.get((row.corpus, row.split, row.id)) if row.corpus else None
        if not row.corpus:
            found = _by_id_alone(path, row.id, by_id)
        if found is None:
            missing.append(row.label)
        else:
            chosen.append(found)
    if missing:
        raise UserError(_missing(path, missing, len(listed)))
    if check_audio:
        for row, item in zip(listed, chosen, strict=True):
            _check_audio(path, row, item)
    return chosen


def _by_id_alone(path: Path, name: str, by_id: dict[str, list[Utterance]]) -> Utterance | None:
    found = by_id.get(name, [])
    if len(found) > 1:
        keys = " and ".join("/".join(item.key) for item in found[:2])
        raise UserError(f"{path}: the id {name} is not unique: {keys}; list corpus, split and id")
    return found[0] if found else None


def _missing(path: Path, missing: list[str], total: int) -> str:
    shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
    return (
        f"{path}: {len(missing)} of {total} listed utterances are not in the corpora: {shown};"
        " name the same corpora and splits as the run that wrote the list"
    )


def _check_audio(path: Path, row: ListedUtterance, item: Utterance) -> None:
    if row.sha256 is None:
        return
    try:
        found = item.source_audio().sha256()
    except AudioError as error:
        raise UserError(f"{path}: {row.label} cannot be read: {error}") from error
    if found != row.sha256:
        raise UserError(
            f"{path}: the audio of {row.label} is not what was listed"
            f" (SHA-256 {found[:12]}… where {row.sha256[:12]}… is listed)"
        )
