"""How each codec is drawn: colour, dashes and marker follow from its name alone.

The colours are those of Okabe and Ito (Color Universal Design, 2008) without their yellow, which
white paper swallows, and with wine and grey of Paul Tol's schemes. As colours of the same lightness
look alike in grey, each also has dashes and a marker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..reports.families import family_of
from ..results.schema import REFERENCE
from ..spec import parse_spec

PALETTE = (
    "#0072b2",  # blue
    "#e69f00",  # orange
    "#009e73",  # green
    "#882255",  # wine
    "#56b4e9",  # sky
    "#d55e00",  # vermilion
    "#cc79a7",  # pink
    "#5a5a5a",  # grey
)
DASHES = ("solid", "dashed", "dashdot", "dotted")
MARKERS = ("o", "s", "^", "D", "v", "X", "P", "<", ">", "h", "*")
SLOTS = len(PALETTE) * len(DASHES)

_SALT = b"codecbench-240651"
"""Chosen so that all codecs of this package have different slots, those that it compares most have
different colours and its anchors different dashes; another salt would recolour every figure."""


@dataclass(frozen=True)
class Style:
    """How one codec, or one family of a codec, is drawn.

    Parameters
    ----------
    color : str
        ``#rrggbb``.
    dashes : str
        One of `DASHES`.
    marker : str
        One of `MARKERS`.
    """

    color: str
    dashes: str
    marker: str

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 (black) to 1 (white): what is left of the colour in grey.

        Weights of Rec. ITU-R BT.709, applied to linear light.
        """
        parts = (int(self.color[place : place + 2], 16) / 255 for place in (1, 3, 5))
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


BLACK = Style("#000000", "dotted", "o")
"""Of the reference."""


def slot_of(name: str, salt: bytes = _SALT) -> int:
    """Return the place of a codec's name among all styles, 0 to `SLOTS` - 1."""
    digest = hashlib.sha256(salt + name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % SLOTS


def style_of(name: str) -> Style:
    """Return the style of a codec by its registered name; the same in every figure."""
    if name == REFERENCE:
        return BLACK
    slot = slot_of(name)
    dashes = DASHES[slot // len(PALETTE)]
    return Style(PALETTE[slot % len(PALETTE)], dashes, MARKERS[slot % len(MARKERS)])


def styles_of(specs: Iterable[str]) -> dict[str, Style]:
    """Return a style for each canonical spec.

    The families of one codec share its colour and differ in dashes and marker; the first by name
    has those of `style_of`.
    """
    specs = list(dict.fromkeys(specs))
    families: dict[str, list[str]] = {}
    for spec in specs:
        families.setdefault(_name(spec), []).append(family_of(spec))
    return {spec: _varied(spec, sorted(set(families[_name(spec)]))) for spec in specs}


def _varied(spec: str, families: Sequence[str]) -> Style:
    style = style_of(_name(spec))
    place = families.index(family_of(spec))
    return replace(
        style,
        dashes=DASHES[(DASHES.index(style.dashes) + place) % len(DASHES)],
        marker=MARKERS[(MARKERS.index(style.marker) + place) % len(MARKERS)],
    )


def _name(spec: str) -> str:
    return parse_spec(spec).name
