"""Links that work on GitHub work on the site."""

import importlib.util
from pathlib import PurePosixPath

import pytest

from .markdown import ROOT


@pytest.fixture(scope="module")
def links():
    path = ROOT / "tools" / "documentation" / "links.py"
    spec = importlib.util.spec_from_file_location("documentation_links", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "written", "on_the_site"),
    [
        ("docs/codecs.md", "weights.md#the-file", "weights.md#the-file"),
        ("docs/codecs.md", "../README.md", "repository/README.md"),
        ("docs/codecs.md", "../adapters/opus/", "repository/adapters/opus/README.md"),
        ("README.md", "docs/weights.md", "../weights.md"),
        ("adapters/opus/README.md", "../../docs/a.md", "../../../a.md"),
        ("adapters/opus/README.md", "../lc3/README.md#x", "../lc3/README.md#x"),
    ],
)
def test_targets(links, page, written, on_the_site):
    text = f"See [there]({written})."
    assert links.with_site_links(text, PurePosixPath(page)) == f"See [there]({on_the_site})."


@pytest.mark.parametrize(
    "text",
    ["[x](https://example.org/a.md)", "[x](#here)", "`[x](../a.md)`", "```\n[x](../a.md)\n```\n"],
)
def test_what_is_no_link_to_a_file_stays(links, text):
    assert links.with_site_links(text, PurePosixPath("docs/page.md")) == text


def test_places_lead_there_and_back(links):
    for path in ("docs/images/a.png", "README.md", "adapters/opus/README.md"):
        assert links.repository_path(links.site_path(PurePosixPath(path))) == PurePosixPath(path)


def test_files_outside_are_found_through_each_other(links, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "README.md").write_text("[b](../b.md) [secret](../../secret) [gone](no.md)")
    (tmp_path / "b.md").write_text("[a](a/README.md) [d](docs/page.md) [t](a/recipe.toml)")
    (tmp_path / "a" / "recipe.toml").touch()
    (tmp_path.parent / "secret").touch()
    pages = {PurePosixPath("docs/page.md"): "[a](../a/) [a](../a/README.md)"}
    found = sorted(map(str, links.files_linked_from(pages, tmp_path)))
    assert found == ["a/README.md", "a/recipe.toml", "b.md"]
