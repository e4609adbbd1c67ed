"""Where figures are drawn and how they are saved; nothing of matplotlib's global state is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("pdf", "png")
DPI = 150
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 5,
    # Names of codecs are shown as they are, not read as formulas.
    "text.parse_math": False,
    # TrueType: text stays text, and publishers refuse Type 3.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
}


def require_figure_path(path: Path) -> None:
    """Refuse a file whose suffix names no format.

    Raises
    ------
    UserError
        If it ends neither with .pdf nor with .png.
    """
    if _format(path) not in FORMATS:
        raise UserError(f"{path}: a figure is a .pdf or a .png file")


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with the settings of this package, whatever the user's own are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def panels(rows: int, columns: int, size: tuple[float, float], **shared: Any) -> tuple[Figure, Any]:
    """Make a figure with a grid of axes; only within `drawing`.

    Parameters
    ----------
    rows, columns : int
    size : (float, float)
        Width and height of the figure in inches.
    **shared : bool or str
        ``sharex`` and ``sharey`` of `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : array of matplotlib.axes.Axes, shape (rows, columns)
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Raises
    ------
    UserError
        If the suffix names no format.
    """
    import matplotlib

    require_figure_path(path)
    kind = _format(path)
    # Without the time of day, and without the version of the library.
    metadata = {"pdf": {"CreationDate": None, "Producer": None}, "png": {"Software": None}}[kind]
    with atomic_path(path) as temporary, matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)


def rate_axis(axes: Axes) -> None:
    """Make the horizontal axis one of rates: logarithmic, with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _format(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
