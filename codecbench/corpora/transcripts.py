"""Reads a file of transcripts: TSV, CSV, ``id|text`` or ``id text``, one utterance a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ..errors import UserError
from .official import read_text

_HEADER_IDS = {"id", "utterance", "utterance_id", "file", "filename", "path", "name"}


def read_transcripts(path: Path) -> dict[str, str]:
    """Read transcripts by id, as written in the file.

    The separator is the tab (``.tsv`` or a tab in the first line), the comma (``.csv``, with
    CSV's quoting), the bar (``|`` in the first line; the last column counts) or white space. A
    first line whose first column is called id, file, path … is a header.

    Raises
    ------
    UserError
        With file and line, if a line is malformed or an id occurs twice.
    """
    texts: dict[str, str] = {}
    for number, columns in _rows(path, read_text(path)):
        if number == 1 and columns[0].strip().lower() in _HEADER_IDS:
            continue
        key, text = columns[0].strip(), columns[-1].strip()
        if len(columns) < 2 or not key:
            raise UserError(f"{path}:{number}: expected an id and a text")
        if key in texts:
            raise UserError(f"{path}:{number}: the id '{key}' occurs twice")
        texts[key] = text
    return texts


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.lstrip().split("\n", 1)[0]
    if path.suffix.lower() == ".csv":
        yield from _csv_rows(path, text)
        return
    separator = "\t" if path.suffix.lower() == ".tsv" or "\t" in first else None
    if separator is None and "|" in first:
        separator = "|"
    most = -1 if separator == "|" else 1
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.split(separator, most)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        for columns in reader:
            if columns and len(columns) != 2:
                raise UserError(
                    f"{path}:{reader.line_num}: expected two columns, id and text; quote texts"
                    " that hold commas"
                )
            if columns:
                yield reader.line_num, columns
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: {error}") from error


def matched(texts: dict[str, str], ids: Iterable[str], source: Path) -> dict[str, str]:
    """Give transcripts to utterance ids.

    A key of the file may be the utterance's id (relative path without suffix), the same with a
    suffix, or the file's bare name where only one file has it.

    Raises
    ------
    UserError
        If a key fits several utterances, or no key fits any.
    """
    known = list(ids)
    by_name: dict[str, list[str]] = {}
    for utterance in known:
        by_name.setdefault(PurePosixPath(utterance).name, []).append(utterance)
    chosen, exact = {}, set(known)
    for key, text in texts.items():
        for form in (key, str(PurePosixPath(key).with_suffix(""))):
            fitting = [form] if form in exact else by_name.get(form, [])
            if len(fitting) > 1:
                raise UserError(
                    f"{source}: '{key}' fits {len(fitting)} files, such as {fitting[0]} and"
                    f" {fitting[1]}; write their relative paths"
                )
            if fitting:
                chosen[fitting[0]] = text
                break
    if known and not chosen:
        raise UserError(
            f"{source}: none of its {len(texts)} ids belongs to a file; files are called like"
            f" '{known[0]}'"
        )
    return chosen
