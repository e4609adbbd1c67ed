"""The site builds without a warning, holds what it should and asks no other host."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

import codecbench
from codecbench.registry import CODECS, CORPORA, METRICS, component_class, names

from .markdown import COMMANDS, ROOT

pytestmark = pytest.mark.slow

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}
"""Elements that a browser fetches by itself."""


class References(HTMLParser):
    """Collects what a page fetches, what it links to and its anchors."""

    def __init__(self, html):
        super().__init__()
        self.loaded, self.linked, self.anchors = set(), set(), set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if given.get("id"):
            self.anchors.add(given["id"])
        if given.get(LOADED.get(tag)):
            self.loaded.add(given[LOADED[tag]])
        if tag == "a" and given.get("href"):
            self.linked.add(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        path: References(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"  # its links are absolute: it is shown under any address
    }


def test_every_page_of_docs_is_there(site):
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()


def test_nothing_is_fetched_from_other_hosts(pages):
    for path, page in pages.items():
        assert not [url for url in page.loaded if urlsplit(url).netloc], path


def test_every_link_leads_to_a_file_and_a_place_in_it(pages):
    for path, page in pages.items():
        for url in page.loaded | page.linked:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = path.parent / unquote(parts.path) if parts.path else path
            assert target.exists(), f"{path} links to {url}"
            if parts.fragment and target.resolve() in pages:
                assert unquote(parts.fragment) in pages[target.resolve()].anchors, f"{path}: {url}"


def test_commands_and_options_are_those_of_the_command_line(site, pages):
    page = site / "commands.html"
    text = page.read_text(encoding="utf-8")
    for path, command in COMMANDS.items():
        assert "-".join(["codecbench", *path]) in pages[page].anchors
        for option in (name for param in command.params for name in param.opts):
            assert option in text


@pytest.mark.parametrize("kind", [CODECS, METRICS, CORPORA])
def test_catalogues_are_whole(site, pages, kind):
    page = site / f"{kind}.html"
    own = {name for name in names(kind)
           if component_class(kind, name).__module__.startswith("codecbench.")}  # fmt: skip
    assert own
    assert own <= pages[page].anchors
    text = page.read_text(encoding="utf-8")
    for column in (
        c.name for name in own for c in getattr(component_class(kind, name), "columns", ())
    ):
        assert f"<td>{column}</td>" in text


def test_every_public_name_is_in_the_reference(site, pages):
    anchors = pages[site / "reference.html"].anchors
    assert {f"codecbench.{name}" for name in codecbench.__all__} <= anchors


def test_nothing_of_this_machine_is_on_the_site(pages):
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert "<strong>runs here</strong>" not in text
