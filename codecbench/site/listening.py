"""The listening test of a run: which sounds are judged, and the page that asks for judgements.

Sounds are embedded in scripts, one an utterance, because a page that is opened as a file may not
read other files, and only sounds in memory can be looped and switched without gaps.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpora.base import Utterance
from ..engine.score import decoded_or_reason
from ..engine.tasks import CodecTask
from ..engine.transcode import Transcoder
from ..errors import UserError
from ..files import safe_name
from ..reports.families import chosen as codecs_meant
from ..reports.families import families_of
from ..reports.layout import one_line
from ..results.run_folder import Run
from ..results.schema import REFERENCE
from .audio import Sound, flac_bytes
from .choice import Chosen
from .folder import SiteFolder, script_json

ANCHOR = "lowpass:hz=3500"
"""The low anchor of ITU-R BS.1534-3: the reference through a low-pass filter of 3.5 kHz."""

MID_ANCHOR = "lowpass:hz=7000"
"""The mid anchor of BS.1534-3."""

MID_ANCHOR_ABOVE_HZ = 14_000
"""At lower evaluation rates nothing lies above 7 kHz, and there is no mid anchor."""

MAX_CODECS = 9
"""With hidden reference and both anchors, the 12 sounds that BS.1534-3 lets a trial have."""

ANSWERS_FORMAT = 1


@dataclass(frozen=True)
class Design:
    """What a listening page asks about.

    Parameters
    ----------
    name : str
        File name of the page without suffix.
    document : dict
        What the page's script reads.
    notes : list of str
        What was left out, and why.
    """

    name: str
    document: dict[str, Any]
    notes: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to listen to."""
        return not self.document["items"]


def judged_codecs(
    run: Run, wanted: Sequence[str] = (), silent: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the codecs of a listening test, and what is to be said of the choice.

    Without a wish: all codecs that are no anchors, or, if they are more than a trial may have,
    the one of the middle rate of each family.

    Parameters
    ----------
    run : Run
    wanted : sequence of str
        Specs or sweeps.
    silent : collection of str
        Codecs that have no sound; they are not judged unless wanted.

    Raises
    ------
    UserError
        If the run has no such codec, or there are too many for one trial.
    """
    if wanted:
        found = list(dict.fromkeys(c for text in wanted for c in codecs_meant(run.order, text)))
        if len(found) > MAX_CODECS:
            raise UserError(
                f"a listening test takes up to {MAX_CODECS} codecs, these are {len(found)};"
                " name fewer with --listen"
            )
        return found, []
    coded = [codec for codec in run.order if not run.cards[codec].get("anchor")]
    codecs = [codec for codec in coded if codec not in silent]
    unheard = ", ".join(one_line(codec) for codec in coded if codec in silent)
    notes = [f"not judged, as there is no sound: {unheard}"] if unheard else []
    if len(codecs) <= MAX_CODECS:
        return codecs, notes
    families = list(families_of(codecs).values())
    middle = [
        sorted(members, key=lambda m: _rate(run, m))[len(members) // 2] for members in families
    ]
    note = (
        f"{len(codecs)} codecs are too many for a trial: of each family the middle rate is judged"
        + (f", of the first {MAX_CODECS} families" if len(middle) > MAX_CODECS else "")
    )
    return middle[:MAX_CODECS], [*notes, note]


def _rate(run: Run, codec: str) -> float:
    return float(run.cards[codec].get("nominal_kbps") or 0.0)


def write_items(
    folder: SiteFolder,
    run: Run,
    identity: str,
    utterances: Sequence[tuple[Chosen, Mapping[str, Sound]]],
    codecs: Sequence[str],
    labels: Mapping[str, str],
) -> Design:
    """Write the sounds of a listening test and return its design.

    An utterance that a codec has no sound of is left out: all trials hold the same codecs.

    Parameters
    ----------
    folder : SiteFolder
    run : Run
    identity : str
        The run's among those of the site.
    utterances : sequence of (Chosen, dict of codec to Sound)
        With the reference's sound.
    codecs : sequence of str
        That are judged.
    labels : dict of str to str
    """
    transcoder = Transcoder()
    items: list[dict[str, str]] = []
    anchors, notes = _anchors(utterances)
    for chosen, sounds in utterances:
        lacking = [codec for codec in codecs if not sounds[codec].audio]
        if chosen.utterance is None or lacking:
            why = chosen.missing or f"no sound of {', '.join(labels[codec] for codec in lacking)}"
            notes.append(f"{one_line(chosen.listed.id)} is not judged: {one_line(why)}")
            continue
        impaired = _impaired(transcoder, anchors, chosen.utterance)
        if isinstance(impaired, str):
            notes.append(f"{one_line(chosen.listed.id)} is not judged: no anchor ({impaired})")
            continue
        name = f"listen/{safe_name(identity, *chosen.key, *codecs)}.js"
        files = [sounds[codec].audio for codec in (REFERENCE, *codecs)]
        _write_item(folder, name, [*(_read(folder.path / file) for file in files), *impaired])
        items.append(_item(chosen, name.removeprefix("listen/")))
    document = _document(run, identity, codecs, labels, anchors, items)
    return Design(f"listen/{identity}", document, notes)


def _anchors(utterances: Sequence[tuple[Chosen, object]]) -> tuple[list[str], list[str]]:
    """Return the anchors of all trials, and what is to be said of them."""
    rates = [chosen.utterance.rate or 0 for chosen, _ in utterances if chosen.utterance]
    if rates and min(rates) <= MID_ANCHOR_ABOVE_HZ:
        return [ANCHOR], [f"no mid anchor: at {min(rates)} Hz nothing lies above 7 kHz"]
    return [ANCHOR, MID_ANCHOR], []


def _impaired(
    transcoder: Transcoder, anchors: Sequence[str], utterance: Utterance
) -> list[bytes] | str:
    """Return the sounds of the anchors, or why there is none."""
    found = [decoded_or_reason(transcoder, CodecTask(spec, {}), utterance) for spec in anchors]
    for one in found:
        if isinstance(one, str):
            return one
    return [flac_bytes(one.audio) for one in found if not isinstance(one, str)]


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _write_item(folder: SiteFolder, name: str, sounds: Sequence[bytes]) -> None:
    texts = [base64.b64encode(sound).decode("ascii") for sound in sounds]
    file = name.removeprefix("listen/")
    folder.text(name, f"codecbenchItem({json.dumps(file)},{script_json(texts)});\n")


def _item(chosen: Chosen, script: str) -> dict[str, str]:
    corpus, split, id_ = chosen.key
    return {"corpus": corpus, "split": split, "utterance": id_, "script": script}


def _document(
    run: Run,
    identity: str,
    codecs: Sequence[str],
    labels: Mapping[str, str],
    anchors: Sequence[str],
    items: list[dict[str, str]],
) -> dict[str, Any]:
    """Return the design; `test` tells answers to it from answers to any other."""
    document: dict[str, Any] = {
        "format": ANSWERS_FORMAT,
        "run": {"name": one_line(run.path.resolve().name), "identity": identity},
        # The order of the sounds in each item's script: reference, codecs, low and mid anchor.
        "codecs": [{"spec": codec, "label": one_line(labels[codec])} for codec in codecs],
        "anchor": ANCHOR,
        "mid_anchor": MID_ANCHOR if MID_ANCHOR in anchors else None,
        "items": items,
    }
    text = json.dumps(document, sort_keys=True)
    return {**document, "test": hashlib.sha256(text.encode()).hexdigest()[:20]}
