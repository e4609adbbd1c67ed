"""What identifies an exported codec, corpus and run, wherever they are kept."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection

from ..reports.labels import short_labels
from ..results.recorded_audio import audio_of_run
from ..results.run_folder import Run
from ..spec import parse_spec
from .selection import Selection

Fact = str | int | float

_OF_CARD = (
    "title", "weights", "weights_sha256", "nominal_kbps", "sample_rate", "frame_rate",
    "algorithmic_latency_ms", "causal", "parameters",
)  # fmt: skip


def labels_of(selection: Selection) -> dict[str, str]:
    """Return the short labels of the exported codecs by canonical spec."""
    titles = {spec: str(card.get("title", "")) for spec, card in selection.run.cards.items()}
    return short_labels(selection.exported_codecs(), titles)


def codec_facts(selection: Selection, spec: str) -> dict[str, Fact]:
    """Return how a codec was configured and measured; what is not known is left out.

    Texts and finite numbers only, under names of letters, digits, ``_`` and ``.``.
    """
    manifest = selection.run.manifest
    entry = manifest.codecs[spec]
    parsed = parse_spec(spec)
    began_with = manifest.sessions[0].packages if manifest.sessions else {}
    known = {
        "codec": spec,
        "name": parsed.name,
        "identity": entry.identity,
        "implementation_version": entry.version,
        **{f"spec.{key or 'value'}": value for key, value in parsed.params},
        **{key: entry.card.get(key) for key in _OF_CARD},
        "corpus": ", ".join(corpora_of(selection)),
        "evaluation_rate": manifest.rate or "of the corpus",
        "packet_loss": str(manifest.packet_loss) if manifest.packet_loss else "none",
        "protocol": manifest.protocol,
        "codecbench": began_with.get("codecbench"),
        "training_speakers": "included" if selection.include_seen_speakers else "left out",
    }
    return {key: _plain(value) for key, value in known.items() if value is not None}


def _plain(value: object) -> Fact:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return value if math.isfinite(value) else str(value)


def corpora_of(selection: Selection) -> list[str]:
    """Return the names of the exported corpora, sorted."""
    return sorted(map(str, selection.frame["corpus"].unique()))


def pinned_utterances(run: Run, corpus: str, splits: Collection[str] = ()) -> list[str]:
    """Return a line for each utterance of a corpus that the run measured, sorted.

    Parameters
    ----------
    run : Run
    corpus : str
    splits : collection of str
        All if empty.

    Returns
    -------
    list of str
        Corpus, split, id and SHA-256 of the audio, as JSON.
    """
    index = audio_of_run(run)
    keys = (key for key in index.keys() if key[0] == corpus and (not splits or key[1] in splits))  # noqa: SIM118 - not a dict
    return sorted(json.dumps([*key, index[key].sha256]) for key in keys)


def sha256_of(*lines: str) -> str:
    """Return the SHA-256 of some lines, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def metric_key(*parts: str) -> str:
    """Return a key that MLflow and TensorBoard take as it is: parts joined by slashes.

    Examples
    --------
    >>> metric_key("stoi (stoi:long=yes)", "demo")
    'stoi_stoi_long_yes/demo'
    """
    return "/".join(re.sub(r"[^\w.-]+", "_", part).strip("_") or "_" for part in parts)
