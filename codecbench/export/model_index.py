"""Results of one codec as the ``model-index`` of a Hugging Face model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import UserError
from ..metric import Column
from ..registry import CORPORA, component_class, names
from ..reports.cells import Cell
from ..reports.families import families_of, family_of
from ..reports.table import Row
from ..statistics.clusters import LEVEL
from .facts import labels_of, pinned_utterances, sha256_of
from .requirement import require_packages
from .selection import Selection

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASK_TYPE, TASK_NAME = "audio-to-audio", "Speech coding"
SOURCE_NAME = "codecbench"
_KEYS = ((), ("split",))
"""What groups may be made of besides the corpus."""


def model_index_of(
    selection: Selection, name: str | None = None, source_url: str | None = None
) -> list[dict[str, Any]]:
    """Return the results of one codec, all its rates, as a model index.

    Parameters
    ----------
    selection : Selection
        Of codecs that differ in nothing but the rate, grouped by corpus, or corpus and split.
    name : str, optional
        Name of the model; if None, the title of the codec's card, or the short label of a family
        whose rates have titles of their own.
    source_url : str, optional
        Where the results can be looked up.

    Returns
    -------
    list of dict
        Such as `huggingface_hub.repocard_data.eval_results_to_model_index` makes.

    Raises
    ------
    UnavailableError
        If huggingface_hub is not installed.
    UserError
        If several codecs are selected, groups are others, or there is no number to export.
    """
    require_packages("model-index", ["huggingface_hub"], "hub")
    from huggingface_hub.repocard_data import eval_results_to_model_index

    codecs = _one_family(selection)
    found = list(_results(selection, source_url))
    if not found:
        raise UserError("there is no number to export: every utterance failed or is left out")
    named = name or _name_of(selection, codecs)
    index: list[dict[str, Any]] = eval_results_to_model_index(named, found)
    return index


def model_card(index: list[dict[str, Any]]) -> str:
    """Return a model card that holds a model index and nothing else."""
    from huggingface_hub import ModelCardData

    text = ModelCardData(**{"model-index": index}).to_yaml()
    return f"---\n{text.rstrip()}\n---\n"


def _one_family(selection: Selection) -> list[str]:
    if not selection.by or selection.by[0] != "corpus" or selection.by[1:] not in _KEYS:
        raise UserError("a model index is by corpus, or by corpus,split; mend --by")
    codecs = selection.exported_codecs()
    if not codecs:
        raise UserError("there is no codec to export")
    if len({family_of(spec) for spec in codecs}) > 1:
        raise UserError(
            "a model card is of one codec: choose it with --codec (this run has"
            f" {', '.join(labels_of(selection).values())})"
        )
    return codecs


def _name_of(selection: Selection, codecs: list[str]) -> str:
    cards = selection.run.manifest.codecs
    titles = {str(cards[spec].card.get("title", "")) for spec in codecs}
    (family,) = families_of(codecs)
    return titles.pop() if len(titles) == 1 else family


def _results(selection: Selection, source_url: str | None) -> Iterator[EvalResult]:
    rates = _rate_texts(selection)
    for row in selection.table.rows:
        if row.is_reference:
            continue
        dataset = _dataset(selection, row.group)
        for name, column in selection.table.columns.items():
            cell = row.cells[name]
            if cell.value is not None:
                titled = f"{column.title}{rates[row.codec]}"
                yield _result(selection, row, name, titled, dataset, source_url)


def _result(
    selection: Selection,
    row: Row,
    metric: str,
    title: str,
    dataset: dict[str, Any],
    source_url: str | None,
) -> EvalResult:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=TASK_TYPE,
        task_name=TASK_NAME,
        **dataset,
        metric_type=metric,
        metric_name=title,
        metric_value=row.cells[metric].value,
        metric_config=row.codec,
        metric_args=_measurement(selection, row, metric),
        # True is Hugging Face's own word on what it has evaluated itself.
        verified=False,
        source_name=SOURCE_NAME if source_url else None,
        source_url=source_url,
    )


def _measurement(selection: Selection, row: Row, metric: str) -> dict[str, Any]:
    """Return what the number is and how sure it is; the interval is of `confidence`."""
    column, cell = selection.table.columns[metric], row.cells[metric]
    entry = selection.run.manifest.codecs[row.codec]
    found: dict[str, Any] = {
        **_interval(column, cell),
        "definition": selection.table.specs.get(metric),
        "kbps": selection.counted_kbps.get((row.codec, row.group)),
        "weights_sha256": entry.card.get("weights_sha256"),
        "codec_identity": entry.identity,
    }
    return {key: value for key, value in found.items() if value is not None}


def _interval(column: Column, cell: Cell) -> dict[str, Any]:
    return {
        "low": cell.low,
        "high": cell.high,
        "confidence": LEVEL if cell.low is not None else None,
        "interval": cell.method,
        "n": cell.n,
        "speakers": cell.speakers,
        "failures": cell.failures,
        "unit": column.unit or None,
        "better": column.better,
    }


def _dataset(selection: Selection, group: Sequence[str]) -> dict[str, Any]:
    """Return the facts of the data; what was measured otherwise is another configuration."""
    run = selection.run
    corpus, *splits = group
    frame = selection.frame
    splits = splits or sorted(map(str, frame.loc[frame["corpus"] == corpus, "split"].unique()))
    utterances = pinned_utterances(run, corpus, splits)
    seen = bool(frame.loc[frame["corpus"] == corpus, "speaker_seen_in_training"].any())
    conditions = {
        "rate": run.manifest.rate,
        "packet-loss": run.manifest.packet_loss,
        "training-speakers": "included" if seen else None,
    }
    config = " ".join(f"{key}={value}" for key, value in conditions.items() if value is not None)
    return {
        "dataset_type": corpus,
        "dataset_name": _title_of(corpus),
        "dataset_config": config or None,
        "dataset_split": "+".join(splits),
        "dataset_revision": sha256_of(*utterances),
        "dataset_args": {
            "utterances": len(utterances),
            "protocol": run.manifest.protocol,
            "codecbench": __version__,
        },
    }


def _title_of(corpus: str) -> str:
    """Return a corpus's title; its name if it is not installed here."""
    if corpus not in names(CORPORA):
        return corpus
    return str(component_class(CORPORA, corpus).card.title)


def _rate_texts(selection: Selection) -> dict[str, str]:
    """Return what tells the rates of a sweep apart in names of metrics; nothing for one rate."""
    codecs = selection.exported_codecs()
    if len(codecs) == 1:
        return {codecs[0]: ""}
    cards = selection.run.manifest.codecs
    nominal = {spec: cards[spec].card.get("nominal_kbps") for spec in codecs}
    if None in nominal.values() or len(set(nominal.values())) < len(codecs):
        return {spec: f" ({label})" for spec, label in labels_of(selection).items()}
    return {spec: f" at {rate:g} kbit/s" for spec, rate in nominal.items()}
