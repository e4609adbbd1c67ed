"""A model index merged into the front matter of a model card that is there already."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError
from ..files import atomic_path

Mapping = dict[str, Any]

MODEL_INDEX = "model-index"
_NUMBERS = ("low", "high", "n")
"""What of a metric's arguments must agree, besides its value, for two results to be the same."""


@dataclass
class Merged:
    """What an update does to a card.

    Parameters
    ----------
    added, replaced, unchanged : int
        Numbers of metrics.
    conflicts : list of str
        What is there with another value.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: list[str] = field(default_factory=list)


def update_card(
    path: Path, index: list[Mapping], name: str | None = None, overwrite: bool = False
) -> Merged:
    """Merge results into a model card; all else in it stays.

    A result is the same if task, data set, configuration, split and revision are, and the metric
    and its configuration, which names the codec.

    Parameters
    ----------
    path : Path
        The card; replaced whole or not at all.
    index : list of dict
        As `model_index_of` gives it.
    name : str, optional
        The card's model that gets the results; its only one if None.
    overwrite : bool
        Replace results that are there with other values.

    Returns
    -------
    Merged

    Raises
    ------
    UserError
        If there is no card, its front matter cannot be read, it has several models and none is
        named, or results are there with other values and are not to be replaced.
    """
    path = path.resolve()
    metadata = _read(path)
    merged = Merged()
    models = metadata.setdefault(MODEL_INDEX, None) or []
    model = _model_of(path, models, index[0], name)
    for result in index[0]["results"]:
        _merge_result(model["results"], result, merged)
    if merged.conflicts and not overwrite:
        raise UserError(
            f"{path} has other values: {merged.conflicts[0]}"
            + (f", and {len(merged.conflicts) - 1} more" if len(merged.conflicts) > 1 else "")
            + "; --overwrite replaces them"
        )
    metadata[MODEL_INDEX] = models
    _write(path, metadata)
    return merged


def _read(path: Path) -> Mapping:
    from huggingface_hub import metadata_load
    from huggingface_hub.repocard_data import model_index_to_eval_results

    try:
        metadata = metadata_load(path) or {}
    except FileNotFoundError as error:
        raise UserError(f"there is no model card {path}") from error
    except (UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: its front matter cannot be read: {error}") from error
    if metadata.get(MODEL_INDEX):
        try:
            model_index_to_eval_results(metadata[MODEL_INDEX])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: its {MODEL_INDEX} is malformed ({error})") from error
    return dict(metadata)


def _write(path: Path, metadata: Mapping) -> None:
    from huggingface_hub import metadata_save

    with atomic_path(path) as temporary:
        shutil.copy(path, temporary)
        metadata_save(temporary, metadata)


def _model_of(path: Path, models: list[Mapping], new: Mapping, name: str | None) -> Mapping:
    """Return the model of the card that gets the results; a new one if it is not there yet."""
    if name is None and len(models) > 1:
        known = ", ".join(str(model["name"]) for model in models)
        raise UserError(f"{path} has several models ({known}): choose one with --name")
    for model in models:
        if name is None or model["name"] == name:
            return model
    models.append({"name": new["name"], "results": []})
    return models[-1]


def _merge_result(results: list[Mapping], new: Mapping, merged: Merged) -> None:
    for known in results:
        if _key(known) == _key(new):
            known["dataset"].update(new["dataset"])
            for metric in new["metrics"]:
                _merge_metric(known["metrics"], metric, merged)
            return
    # A copy, as the same object twice becomes an anchor and an alias in YAML.
    results.append(copy.deepcopy(new))
    merged.added += len(new["metrics"])


def _key(result: Mapping) -> tuple[Any, ...]:
    dataset = result["dataset"]
    where = (dataset.get(key) for key in ("type", "config", "split", "revision"))
    return (result["task"]["type"], *where, (result.get("source") or {}).get("url"))


def _merge_metric(metrics: list[Mapping], new: Mapping, merged: Merged) -> None:
    for place, known in enumerate(metrics):
        if (known["type"], known.get("config")) != (new["type"], new.get("config")):
            continue
        if _numbers(known) == _numbers(new):
            merged.unchanged += 1
        else:
            merged.replaced += 1
            name = known.get("name") or known["type"]
            merged.conflicts.append(f"{name} is {known['value']} there, {new['value']} here")
        metrics[place] = {**known, **copy.deepcopy(new)}
        return
    metrics.append(copy.deepcopy(new))
    merged.added += 1


def _numbers(metric: Mapping) -> tuple[Any, ...]:
    arguments = metric.get("args") or {}
    return (metric["value"], *(arguments.get(key) for key in _NUMBERS))
