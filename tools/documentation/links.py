"""Links from pages to files of the repository, as GitHub follows them, made to work on the site.

The site holds docs/ at its top and every other file that is linked to below ``repository/``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

DOCS = "docs"
OUTSIDE = "repository"
INDEX = "README.md"

_CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"(?<=\])\((?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?\)")


def site_path(path: PurePosixPath) -> str:
    """Return where a file of the repository stands on the site."""
    inside = path.parts[0] == DOCS
    return str(path.relative_to(DOCS) if inside else PurePosixPath(OUTSIDE, path))


def repository_path(source: str) -> PurePosixPath:
    """Return which file of the repository a source of the site is."""
    path = PurePosixPath(source)
    return path.relative_to(OUTSIDE) if path.parts[0] == OUTSIDE else PurePosixPath(DOCS, path)


def with_site_links(markdown: str, page: PurePosixPath) -> str:
    """Turn the relative links of a page, which is a path in the repository, into the site's."""
    folder = posixpath.dirname(site_path(page))

    def turned(found: re.Match[str]) -> str:
        target = posixpath.relpath(site_path(_resolved(found[1], page)), folder or ".")
        return f"({target}{found[2] or ''})"

    return "".join(
        part if index % 2 else _TARGET.sub(turned, part)
        for index, part in enumerate(_CODE.split(markdown))
    )


def files_linked_from(pages: Mapping[PurePosixPath, str], root: Path) -> Iterator[PurePosixPath]:
    """Yield the files outside docs/ that pages link to, directly or through each other, once.

    Targets that are not there are passed over: mkdocs names them with the page.

    Parameters
    ----------
    pages : mapping of path in the repository to Markdown
    root : Path
        Of the repository.
    """
    waiting = list(pages.items())
    seen = set(pages)
    while waiting:
        page, markdown = waiting.pop()
        for path in _targets(markdown, page):
            if path in seen or path.parts[0] == ".." or not (root / path).is_file():
                continue
            seen.add(path)
            if path.suffix == ".md":
                waiting.append((path, (root / path).read_text(encoding="utf-8")))
            if path.parts[0] != DOCS:
                yield path


def _targets(markdown: str, page: PurePosixPath) -> Iterator[PurePosixPath]:
    prose = "".join(_CODE.split(markdown)[::2])
    return (_resolved(found[1], page) for found in _TARGET.finditer(prose))


def _resolved(target: str, page: PurePosixPath) -> PurePosixPath:
    """Return the path in the repository; GitHub shows a folder by its README."""
    path = PurePosixPath(posixpath.normpath(page.parent / target))
    return path / INDEX if target.endswith("/") else path
