"""Results as TensorBoard event files: curves over rate, a table of codecs, sounds if wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio import Audio
from ..corpora.base import Utterance
from ..engine.decode_again import RunDecoder
from ..figures.canvas import drawing
from ..figures.kept import utterance_of_run
from ..figures.spectrograms import draw_spectrograms
from ..reports.families import families_of
from ..reports.table import Row, Table
from .facts import codec_facts, labels_of, metric_key
from .requirement import require_packages
from .selection import Selection
from .tidy import group_name

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

SUFFIX = ".codecbench"
"""Ends the names of the event files, by which an earlier export's are known."""
CODECS = "codecs"
"""Folder of what belongs to single codecs, not to curves."""


def export_to_tensorboard(
    selection: Selection,
    folder: Path,
    utterances: Sequence[str] = (),
    data_root: Path | None = None,
    device: str = "cpu",
) -> None:
    """Write event files.

    A family of codecs is a curve: a folder whose scalars ``metric/corpus``, ``….low`` and
    ``….high`` have the counted rate in bit/s as their step. Each codec has a row of the
    hyperparameters' table. Values are single precision, as TensorBoard's scalars are.

    Parameters
    ----------
    selection : Selection
    folder : Path
        Of the events. Event files of earlier exports in and below it are removed, as codecs or
        metrics of theirs may not be in this one; other files stay.
    utterances : sequence of str
        Ids, or ``corpus/split/id``, of utterances whose sounds and spectrograms are added.
    data_root : Path, optional
        Where corpora are looked for first.
    device : str
        Torch device of codecs that decode.

    Raises
    ------
    UnavailableError
        If a package is missing.
    UserError
        If nothing is left to export, an utterance is not in the run or not here, or a codec that
        is to be heard has changed since or its spec names commands, files or addresses.
    """
    require_packages("tensorboard", ["tensorboard"], "tensorboard")
    run = selection.run
    heard = [utterance_of_run(run, name, data_root) for name in utterances]
    codecs = selection.exported_codecs()
    decoder = RunDecoder(run, codecs if heard else [], [one.key for one in heard], device)
    for spec in codecs if heard else ():
        decoder.require(spec)
    steps = steps_of(selection)
    families = families_of(codecs)
    _remove_earlier(folder)
    names = folder_names(families, taken=[CODECS])
    for family, members in families.items():
        with closing(_writer(folder / names[family])) as writer:
            for row in selection.table.rows:
                if row.codec in members:
                    _add_scalars(writer, row, steps[row.codec, row.group])
    _write_codecs(selection, folder / CODECS, heard, decoder)
    with closing(_writer(folder)) as writer:
        writer.add_text("report", selection.table.render("markdown"))
        writer.add_custom_scalars(_charts(selection.table))
        for utterance in heard:
            key = "/".join(utterance.key)
            _add_audio(writer, utterance, utterance.audio())
            with drawing():
                figure = draw_spectrograms(run, codecs, key, data_root, device)
                writer.add_figure(f"spectrograms/{key}", figure, close=False)


def steps_of(selection: Selection) -> dict[tuple[str, tuple[str, ...]], int]:
    """Return the rate in bit/s of each codec in each group.

    Counted; the codec's nominal rate where none was counted, and 0 where it has none.
    """
    cards = selection.run.cards
    found = {}
    for row in selection.table.rows:
        if not row.is_reference:
            rate = selection.counted_kbps.get((row.codec, row.group))
            nominal = cards[row.codec].get("nominal_kbps") or 0.0
            found[row.codec, row.group] = round(1000 * (nominal if rate is None else rate))
    return found


def folder_names(labels: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name of one folder for each label; no two share one.

    Examples
    --------
    >>> folder_names(["opus:kbps=6", "a/b", "a_b"])
    {'opus:kbps=6': 'opus:kbps=6', 'a/b': 'a_b', 'a_b': 'a_b_'}
    """
    used = set(taken)
    found = {}
    for label in labels:
        name = re.sub(r"[^\w.,:=+-]+", "_", label).lstrip(".") or "_"
        while name in used:
            name += "_"
        used.add(name)
        found[label] = name
    return found


def _remove_earlier(folder: Path) -> None:
    """Remove event files of an earlier export, or its curves would stand among the new ones.

    A folder that merely holds the folders of other exports has no event file of its own.
    """
    events = f"events.out.tfevents.*{SUFFIX}"
    if not any(folder.glob(events)):
        return
    for pattern in (f"*/{events}", f"{CODECS}/*/{events}", events):
        for earlier in list(folder.glob(pattern)):
            earlier.unlink()


def _writer(folder: Path) -> SummaryWriter:
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(folder), filename_suffix=SUFFIX)


def _scalars(row: Row) -> Iterator[tuple[str, float]]:
    for name, cell in row.cells.items():
        tag = metric_key(name, group_name(row))
        for suffix, number in (("", cell.value), (".low", cell.low), (".high", cell.high)):
            if number is not None:
                yield tag + suffix, number


def _add_scalars(writer: SummaryWriter, row: Row, step: int) -> None:
    for tag, number in _scalars(row):
        writer.add_scalar(tag, number, step)


def _charts(table: Table) -> dict[str, Any]:
    """Return the layout of curves with their intervals as bands."""
    charts: dict[str, dict[str, list[Any]]] = {}
    for group in table.groups():
        where = "/".join(group) or "all"
        for name, column in table.columns.items():
            tag = metric_key(name, where)
            charts.setdefault(where, {})[column.title] = [
                "Margin", [tag, f"{tag}.low", f"{tag}.high"]
            ]  # fmt: skip
    return charts


def _write_codecs(
    selection: Selection, folder: Path, heard: Sequence[Utterance], decoder: RunDecoder
) -> None:
    """Write a row of the hyperparameters' table for each codec, and once what its columns are."""
    from torch.utils.tensorboard import summary

    hparams: Any = summary.hparams
    every_fact: dict[str, Any] = {}
    every_tag: dict[str, Any] = {}
    labels = labels_of(selection)
    names = folder_names(labels.values())
    for spec, label in labels.items():
        facts = codec_facts(selection, spec)
        rows = [row for row in selection.table.rows if row.codec == spec]
        values = {f"hparam/{tag}": value for row in rows for tag, value in _scalars(row)}
        with closing(_writer(folder / names[label])) as writer:
            _, started, ended = hparams(facts, {})
            _add_summaries(writer, started, ended)
            for tag, value in values.items():
                writer.add_scalar(tag, value)
            for utterance in heard:
                _add_audio(writer, utterance, decoder.decoded(spec, utterance))
        every_fact |= facts
        every_tag |= values
    with closing(_writer(folder)) as writer:
        # TensorBoard takes the table's columns from one place, so that they must be everybody's.
        _add_summaries(writer, hparams(every_fact, every_tag)[0])


def _add_summaries(writer: SummaryWriter, *summaries: object) -> None:
    events: Any = writer.file_writer
    for one in summaries:
        events.add_summary(one)


def _add_audio(writer: SummaryWriter, utterance: Utterance, audio: Audio) -> None:
    """Add a sound; samples beyond full scale are clipped."""
    samples = np.clip(audio.samples, -1.0, 1.0)[None]
    writer.add_audio(f"audio/{'/'.join(utterance.key)}", samples, sample_rate=audio.sample_rate)
