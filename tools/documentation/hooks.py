"""What mkdocs does with the pages of docs/: generated parts, links to files outside."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from catalogues import codecs_markdown, corpora_markdown, metrics_markdown
from command_pages import commands_markdown
from links import DOCS, files_linked_from, repository_path, site_path, with_site_links
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_MARKER = re.compile(r"<!-- generated: (\w+) -->")
_GENERATORS = {
    "codecs": codecs_markdown,
    "commands": commands_markdown,
    "corpora": corpora_markdown,
    "metrics": metrics_markdown,
}
_LIST_BELOW_TEXT = re.compile(r"^((?![-*+] |\d+\. |[\s|>#`]).+)\n(?=[-*] |1\. )", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ that pages link to; they stand in no menu."""
    pages = {
        PurePosixPath(DOCS, file.src_uri): _filled(file.content_string)
        for file in files.documentation_pages()
    }
    root = Path(config.config_file_path).parent
    for path in files_linked_from(pages, root):
        file = File.generated(config, site_path(path), abs_src_path=str(root / path))
        file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in generated parts, turn links to what the site holds, read lists as GitHub does."""
    path = repository_path(page.file.src_uri)
    return _LIST_BELOW_TEXT.sub(r"\1\n\n", with_site_links(_filled(markdown), path))


def _filled(markdown: str) -> str:
    """Replace each marker by what it names.

    Raises
    ------
    KeyError
        If nothing of that name is generated.
    """
    return _MARKER.sub(lambda found: _GENERATORS[found[1]](), markdown)
