"""How evenly codebooks are used: how many frames the most frequent entries take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..bitstream import Bitstream
from ..codec import TokenCodec
from ..engine.audio_index import AudioIndex
from ..engine.decode_again import kept_bitstreams, require_decodable, why_not_decoded
from ..errors import UserError
from ..registry import codec_of, load_codec
from ..reports.labels import short_labels
from ..results.run_folder import AUDIO_INDEX, Run
from .canvas import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = 2.4, 2.1
_COLUMNS = 3
_COLORS = "cividis"
_DARKEST, _LIGHTEST = 0.0, 0.85
"""Part of the colour map that is seen on white."""


@dataclass(frozen=True)
class Counts:
    """Codes of one codec in a run.

    Parameters
    ----------
    codec : str
        Canonical spec.
    utterances : int
    codebooks : tuple of array of int, shape (entries,)
        How often each entry of each codebook was sent.
    """

    codec: str
    utterances: int
    codebooks: tuple[npt.NDArray[np.int64], ...]


def draw_codebooks(run: Run, codecs: Sequence[str], device: str = "cpu") -> Figure:
    """Draw a panel for each codec and a line for each codebook, the darker the earlier.

    A line gives the share of all frames that the most frequent entries take, over their share of
    the codebook: the diagonal is a codebook used evenly, a line that is at the top at half the
    width leaves half of its entries unused.

    Parameters
    ----------
    run : Run
    codecs : sequence of str
        Canonical specs.
    device : str
        Torch device of the codecs.

    Raises
    ------
    UserError
        If a codec has no codebooks or the run keeps none of its bitstreams.
    """
    counts = [count_codes(run, spec, device) for spec in codecs]
    columns = min(_COLUMNS, len(counts))
    rows = -(-len(counts) // columns)
    size = _PANEL[0] * columns + 1.0, _PANEL[1] * rows + 0.4
    figure, axes = panels(rows, columns, size, sharex=True, sharey=True)
    labels = short_labels(codecs)
    most = max(len(one.codebooks) for one in counts)
    for place, one in enumerate(axes.flat):
        if place < len(counts):
            _panel(one, counts[place], labels[counts[place].codec], most)
            one.tick_params(labelbottom=place + columns >= len(counts))
        else:
            one.set_axis_off()
    figure.supxlabel("most frequent entries (% of the codebook)", fontsize="medium")
    figure.supylabel("frames (%)", fontsize="medium")
    if most > 1:
        _legend(figure, axes, most)
    return figure


def token_codecs(run: Run) -> list[str]:
    """Return the codecs of a run that send codes.

    Raises
    ------
    UserError
        If there is none.
    """
    found = [spec for spec in run.order if isinstance(codec_of(spec), TokenCodec)]
    if not found:
        raise UserError(f"no codec of this run sends codes (it has {', '.join(run.order)})")
    return found


def count_codes(run: Run, spec: str, device: str = "cpu") -> Counts:
    """Count the codes in the bitstreams that a run keeps of a codec.

    Raises
    ------
    UserError
        If it has no codebooks, has changed since, names files or addresses, or the run keeps none
        of its bitstreams.
    """
    if not isinstance(codec_of(spec), TokenCodec):
        raise UserError(f"{spec} has no codebooks: name codecs that send codes with --codec")
    keys = AudioIndex(run.path / AUDIO_INDEX).keys()
    kept = kept_bitstreams(run, {(spec, *key) for key in keys})
    if not kept:
        raise UserError(f"{run.path} keeps no bitstreams of {spec}")
    require_decodable(spec, why_not_decoded(run, spec))
    codec = load_codec(spec, device)
    assert isinstance(codec, TokenCodec)
    books = [np.zeros(size, np.int64) for size in codec.card.codebook_sizes]
    for one in kept.values():
        tokens = codec.tokens([Bitstream.from_bytes(one.data)]).item(0)
        for book, codes in zip(books, tokens.codes[0], strict=True):
            book += np.bincount(codes, minlength=len(book))
    return Counts(spec, len(kept), tuple(books))


def concentration(
    counts: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the share of the entries, most frequent first, and of the codes that they take.

    Returns
    -------
    entries, codes : array, shape (entries + 1,)
        From 0 to 1; the second is concave.
    """
    sorted_counts = np.sort(counts)[::-1]
    codes = np.concatenate([[0], np.cumsum(sorted_counts)]) / max(1, int(counts.sum()))
    return np.linspace(0, 1, len(counts) + 1), codes


def _panel(axes: Axes, counts: Counts, label: str, most: int) -> None:
    axes.plot([0, 100], [0, 100], color="#5a5a5a", linestyle="dotted", linewidth=0.8)
    for place, book in enumerate(counts.codebooks):
        entries, codes = concentration(book)
        axes.plot(100 * entries, 100 * codes, color=_color(place, most), linewidth=1)
    used = sum(int((book > 0).sum()) for book in counts.codebooks)
    size = sum(len(book) for book in counts.codebooks)
    axes.set_title(label)
    axes.text(
        0.97,
        0.05,
        f"{used} of {size} entries used\n{int(counts.codebooks[0].sum())} frames",
        transform=axes.transAxes,
        horizontalalignment="right",
        fontsize="small",
    )
    axes.set(xlim=(0, 100), ylim=(0, 101))
    axes.grid(alpha=0.3, linewidth=0.5)


def _color(place: int, most: int) -> Any:
    import matplotlib

    share = place / max(1, most - 1)
    return matplotlib.colormaps[_COLORS](_DARKEST + (_LIGHTEST - _DARKEST) * share)


def _legend(figure: Figure, axes: Any, most: int) -> None:
    """Name the colours of the codebooks beside the panels."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    colors = ListedColormap([_color(place, most) for place in range(most)])
    scale = ScalarMappable(Normalize(0.5, most + 0.5), colors)
    ticks = sorted({1, most, *range(1, most + 1, max(1, most // 6))})
    figure.colorbar(scale, ax=axes.ravel().tolist(), label="codebook", ticks=ticks, aspect=30)
