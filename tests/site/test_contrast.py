"""WCAG AA: contrast of the style sheet's colours, and of every text as Chromium shows it."""

import re
from importlib import resources

import pytest

TEXT, OTHER = 4.5, 3.0
STYLE = (resources.files("codecbench.site") / "static" / "site.css").read_text(encoding="utf-8")
BACKS = ("back", "raised")
ON_BACKS = ("text", "quiet", "link", "best", "warning", "mark-wrong", "mark-added")
SERIES = tuple(f"s{place}" for place in range(8))


def luminance(color):
    """Return relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def palettes():
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", STYLE)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


LIGHT, DARK, CHOSEN_DARK = palettes()


def test_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_chosen_dark_is_the_systems_dark():
    assert CHOSEN_DARK == DARK
    assert set(LIGHT) == set(DARK)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_meet_aa(palette):
    for back in BACKS:
        for name in ON_BACKS:
            assert contrast(palette[name], palette[back]) >= TEXT, (name, back)
        for name in ("edge", "focus", "main"):
            assert contrast(palette[name], palette[back]) >= OTHER, (name, back)
    for name in SERIES:
        assert contrast(palette[name], palette["back"]) >= OTHER, name
    assert contrast(palette["on-main"], palette["main"]) >= TEXT
    assert contrast(palette["text"], palette["badge"]) >= TEXT


SHOWN = """() => {
    const opaque = (e) => {
        for (; e; e = e.parentElement) {
            const back = getComputedStyle(e).backgroundColor;
            if (back !== "rgba(0, 0, 0, 0)") return back;
        }
        return null;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walker.nextNode()) {
        const e = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !e.checkVisibility()) continue;
        if (e.closest("script, svg")) continue;
        found.add([getComputedStyle(e).color, opaque(e), e.tagName + "." + e.className].join("|"));
    }
    return Array.from(found);
}"""


def hexadecimal(color):
    assert color.startswith("rgb("), color
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", color))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_that_is_shown_meets_aa(site, open_page, scheme):
    for path in sorted(site.rglob("*.html")):
        page = open_page(path, color_scheme=scheme)
        shown = page.evaluate(SHOWN)
        assert len(shown) > 3
        for line in shown:
            color, back, where = line.split("|", 2)
            assert contrast(hexadecimal(color), hexadecimal(back)) >= TEXT, (path, where)
        page.context.close()
