"""The pages in real Chromium: sorting, filtering, plots, sound, keys, widths, hostile names."""

import pytest

from codecbench.files import safe_name

PHONE = {"viewport": {"width": 360, "height": 740}}


def column(page, index):
    """Return the shown texts of a column of the first leaderboard."""
    rows = page.locator(".ranking tbody tr:visible")
    return [row.locator("th, td").nth(index).inner_text().split("\n")[0] for row in rows.all()]


def numbers(texts):
    return [float(text.split()[0]) for text in texts if text != "–"]


def head(page, title):
    return page.locator(".ranking thead th", has_text=title).first


def utterance_pages(site):
    return sorted(path for path in (site / "utterances").glob("*.html") if path.stem != "index")


def test_columns_sort_by_click_and_by_key(site, open_page):
    page = open_page(site / "index.html")
    index = (
        page.locator(".ranking thead th").all_inner_texts().index(head(page, "STOI").inner_text())
    )
    head(page, "STOI").locator("button").click()
    assert head(page, "STOI").get_attribute("aria-sort") == "descending"
    shown = numbers(column(page, index))
    assert len(shown) > 3
    assert shown == sorted(shown, reverse=True)
    page.keyboard.press("Enter")
    assert head(page, "STOI").get_attribute("aria-sort") == "ascending"
    assert numbers(column(page, index)) == sorted(shown)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert head(page, "STOI").get_attribute("aria-sort") is None
    assert page.locator(".ranking [aria-sort]").count() == 1


def test_rows_are_filtered_by_text_and_rate_and_columns_chosen(site, open_page):
    page = open_page(site / "index.html")
    page.get_by_label("Codec contains").fill("opus")
    assert all("opus" in text for text in column(page, 0))
    assert "2 of 5 rows" in page.locator(".shown").inner_text()
    page.get_by_label("Codec contains").fill("")
    page.get_by_label("At most").fill("7")
    left = column(page, 0)
    assert any("codec2" in text for text in left)
    assert not any("mulaw" in text or "kbps=12" in text for text in left)
    page.locator(".columns summary").click()
    page.get_by_label("causal").uncheck()
    assert not page.locator(".ranking thead th").nth(2).is_visible()
    assert page.locator(".ranking thead th").nth(1).is_visible()


def test_plots_answer_pointer_and_keys(site, open_page):
    page = open_page(site / "index.html")
    page.locator(".plot").scroll_into_view_if_needed()
    points = page.locator(".plot .point")
    points.first.wait_for()
    says = page.locator(".plot-says")
    points.last.hover()
    assert says.inner_text() == points.last.get_attribute("aria-label")
    assert "kbit/s" in says.inner_text()
    page.get_by_label("with anchors").focus()
    page.keyboard.press("Tab")
    assert says.inner_text() == points.first.get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    assert says.inner_text() == points.nth(1).get_attribute("aria-label")
    page.get_by_label("Codec contains").fill("opus")
    assert page.locator(".plot .point").count() == 2


def test_an_utterance_page_plays_every_sound(site, open_page):
    page = open_page(utterance_pages(site)[0])
    found = page.evaluate(
        """async () => {
            const heard = [];
            for (const audio of document.querySelectorAll("audio")) {
                audio.muted = true;
                await audio.play();
                await new Promise((done) => {
                    audio.ontimeupdate = () => audio.currentTime > 0 && done();
                });
                heard.push([audio.duration, document.querySelectorAll(".voice.current").length]);
                audio.pause();
            }
            return heard;
        }"""
    )
    assert len(found) == 6
    assert all(seconds == pytest.approx(1.0, abs=1e-3) for seconds, _ in found)
    assert all(current == 1 for _, current in found)
    page.evaluate(
        """() => {
            window.started = [];
            document.querySelectorAll("audio").forEach((audio, place) =>
                audio.addEventListener("play", () => started.push(place)));
        }"""
    )
    # The last of six was heard: the next is the first, and the one before it the last again.
    page.keyboard.press("j")
    page.wait_for_function("started.join() === '0'")
    page.keyboard.press("k")
    page.wait_for_function("started.join() === '0,5'")
    pictures = page.evaluate(
        """async () => {
            const images = Array.from(document.images);
            await Promise.all(images.map((one) => ((one.loading = "eager"), one.decode())));
            return images.map((one) => one.naturalWidth > 20 && one.alt.length > 10);
        }"""
    )
    assert pictures == [True] * 6


def test_hostile_names_are_text_on_every_page(site, open_page):
    for path in sorted(site.rglob("*.html")):
        page = open_page(path)
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src='x']").count() == 0
        assert page.locator(".site-title i").count() == 0
        page.context.close()
    texts = []
    for path in utterance_pages(site):
        page = open_page(path)
        texts.append(page.locator("h1").inner_text())
        assert page.locator(".transcript").inner_text().startswith("</script><script>")
        page.context.close()
    assert any("<script>" in text for text in texts)
    assert any("onerror" in text for text in texts)


@pytest.mark.parametrize("options", [PHONE, {"viewport": {"width": 1280, "height": 800}}])
def test_no_page_scrolls_sideways(site, open_page, options):
    for path in sorted(site.rglob("*.html")):
        page = open_page(path, **options)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
        page.context.close()


def test_every_control_has_a_name_and_every_focus_is_seen(site, open_page):
    for path in sorted(site.rglob("*.html")):
        page = open_page(path)
        unnamed = page.evaluate(
            """() => Array.from(document.querySelectorAll("button, input, select, audio, a"))
                .filter((e) => !(e.labels && e.labels.length) && !e.getAttribute("aria-label")
                    && !e.textContent.trim()).map((e) => e.outerHTML)"""
        )
        assert unnamed == []
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(4):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.context.close()


def test_colours_follow_the_system_and_the_button(site, open_page):
    page = open_page(site / "index.html", color_scheme="dark")
    back = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(back)
    button = page.locator("#theme")
    button.click()
    assert "light" in button.inner_text()
    light = page.evaluate(back)
    assert light == "rgb(255, 255, 255)" != dark
    button.click()
    assert page.evaluate(back) == dark
    page.reload()
    assert "dark" in page.locator("#theme").inner_text()


def test_names_of_files_tell_nothing(site):
    names = [path.name for path in site.rglob("*") if path.is_file()]
    assert all(name.replace(".", "").replace("-", "").isalnum() for name in names)
    assert safe_name("a", "b") != safe_name("ab")
