"""`SiteFolder`: the pages and files of a site, written so that a build can be repeated."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UserError
from ..files import write_bytes_atomic, write_text_atomic

MARKER = "codecbench-site.json"
ASSETS = (
    "site.css",
    "theme.js",
    "board.js",
    "plot.js",
    "player.js",
    "listen.js",
    "listen-sound.js",
)
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class SiteFolder:
    """A folder that holds a site and nothing else.

    Parameters
    ----------
    path : Path
        Made if it is not there.

    Raises
    ------
    UserError
        If it holds other things than a site.
    """

    def __init__(self, path: Path) -> None:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self.path = path
        self._before = _listed_before(path)
        self._written: dict[str, None] = {}
        self._templates = Environment(
            loader=PackageLoader("codecbench.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["script_json"] = script_json
        self._templates.filters["breakable"] = breakable
        self._templates.globals["version"] = __version__

    def page(self, name: str, template: str, **values: Any) -> None:
        """Write a page; `root` leads from it to the site's first page."""
        root = "../" * name.count("/")
        text = self._templates.get_template(template).render(root=root, **values)
        self.text(name, text)

    def text(self, name: str, text: str) -> None:
        """Write a text file."""
        write_text_atomic(self._new(name), text)

    def data(self, name: str, data: bytes) -> None:
        """Write a file of bytes."""
        write_bytes_atomic(self._new(name), data)

    def keeps(self, name: str) -> bool:
        """Whether an earlier build left this file; it then belongs to this build too."""
        if name in self._before and (self.path / name).is_file():
            self._written[name] = None
            return True
        return False

    def assets(self) -> None:
        """Copy style sheet and scripts."""
        static = resources.files("codecbench.site") / "static"
        for name in ASSETS:
            self.text(f"assets/{name}", (static / name).read_text(encoding="utf-8"))

    def finish(self) -> None:
        """Remove what an earlier build left and this one did not write."""
        for name in self._before - set(self._written):
            (self.path / name).unlink(missing_ok=True)
        self._mark(set(self._written))

    def _new(self, name: str) -> Path:
        if name not in self._written:
            # Listed before it is written, so that a killed build can be repeated.
            self._written[name] = None
            if not self._before or len(self._written) % 64 == 1:
                self._mark(set(self._written) | self._before)
        return self.path / name

    def _mark(self, names: set[str]) -> None:
        text = json.dumps({"format": 1, "files": sorted(names)}, indent=1)
        write_text_atomic(self.path / MARKER, text + "\n")


def _listed_before(path: Path) -> set[str]:
    """Return the files of an earlier build."""
    if not path.exists():
        return set()
    if not path.is_dir():
        raise UserError(f"{path} is a file; choose another --out")
    marker = path / MARKER
    if not marker.exists():
        if any(path.iterdir()):
            raise UserError(f"{path} is not empty and holds no site; choose another --out")
        return set()
    try:
        names = json.loads(marker.read_text(encoding="utf-8"))["files"]
        return {name for name in names if _is_inside(path, name)}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{marker} is damaged; choose another --out") from error


def _is_inside(folder: Path, name: str) -> bool:
    """Whether a name that a file gave stays below the folder."""
    return (folder / name).resolve().is_relative_to(folder.resolve())


def script_json(value: object) -> Any:
    """Return JSON that cannot end the ``<script>`` that it stands in.

    Signs that mean something to HTML are written as escapes, which mean the same to JSON.
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE))  # noqa: S704 - nothing in it is markup any more


def breakable(text: str) -> Any:
    """Escape the label of a codec, with places at which a line may break between its values."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[:,])", text))
