"""The listening page in Chromium: blind, repeatable, by keys alone; its answers analysed."""

import json

import pytest

from codecbench.cli.main import main
from codecbench.listening.answers import read_answers

ITEMS = 3


def listening_page(site):
    (path,) = (site / "listen").glob("*.html")
    return path


def begin(page):
    page.get_by_role("button", name="Begin").click()
    page.locator("#sounds button").first.wait_for()


def saved(page, tmp_path):
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the answers").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.read_text() == page.locator("#answers").input_value()
    return path


def trial(page, number):
    page.locator("#trial-title", has_text=f"Trial {number} of").wait_for()
    page.locator("#sounds button").first.wait_for()


def test_ratings_by_keys_alone(site, open_page, tmp_path):
    page = open_page(listening_page(site), "?seed=7&listener=anna&kind=mushra")
    begin(page)
    for number in range(1, ITEMS + 1):
        trial(page, number)
        assert page.get_by_role("button", name="Next").is_disabled()
        page.keyboard.press("r")
        letters = page.locator("[data-slider]").evaluate_all(
            "all => all.map((e) => e.dataset.slider)"
        )
        for place, letter in enumerate(letters):
            page.keyboard.press(letter)
            assert page.evaluate("document.activeElement.dataset.slider") == letter
            for _ in range(place):
                page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
    path = saved(page, tmp_path)
    answers = read_answers(path)
    assert (answers.kind, answers.listener, answers.seed) == ("mushra", "anna", "7")
    assert len(answers.trials) == ITEMS
    for one in answers.trials:
        assert [rating.score for rating in one.ratings] == [49 + k for k in range(len(letters))]
        assert all(rating.plays == 1 for rating in one.ratings)
    orders = {tuple(rating.condition for rating in one.ratings) for one in answers.trials}
    assert len(orders) > 1


def test_abx_answers_are_saved_and_analysed(site, open_page, tmp_path, capsys):
    page = open_page(listening_page(site), "?seed=1&listener=ben&kind=abx&repeats=2")
    begin(page)
    total = int(page.locator("#trial-title").inner_text().split()[-1])
    for number in range(1, total + 1):
        trial(page, number)
        for key in ("a", "b", "x", "1"):
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    answers = read_answers(saved(page, tmp_path))
    assert total == 2 * len(answers.codecs)
    assert all(one.answer == "a" for one in answers.trials)
    with pytest.raises(SystemExit) as ended:
        main(["listen", "analyse", *map(str, tmp_path.glob("*.json")), "-f", "json"])
    assert ended.value.code == 0
    records = json.loads(capsys.readouterr().out)
    correct = {one["condition"]: one["correct"] for one in records if one["listener"] is None}
    for codec, count in correct.items():
        assert count == sum(one.x == "a" for one in answers.trials if one.codec == codec)


def test_only_the_sound_that_is_heard_can_be_rated(site, open_page):
    page = open_page(listening_page(site), "?seed=7&listener=c&kind=mushra")
    begin(page)
    open_sliders = page.locator("[data-slider]:enabled")
    assert open_sliders.count() == 0
    for letter in ("b", "a"):
        page.get_by_role("button", name=f"Play {letter.upper()}").click()
        assert open_sliders.evaluate_all("all => all.map((e) => e.dataset.slider)") == [letter]
    page.keyboard.press("b")
    page.keyboard.press("r")
    assert open_sliders.count() == 0
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.dataset.slider") == "a"


def test_both_anchors_are_judged(site):
    document = json.loads(
        listening_page(site).read_text().split('id="design">')[1].split("</script>")[0]
    )
    assert (document["anchor"], document["mid_anchor"]) == ("lowpass:hz=3500", "lowpass:hz=7000")
    sounds = (site / "listen" / document["items"][0]["script"]).read_text()
    assert sounds.count('","') == len(document["codecs"]) + 2


@pytest.mark.parametrize("kind", ["abx", "mushra"])
def test_a_seed_gives_the_same_trials_and_another_seed_others(site, open_page, kind):
    def plan(seed):
        page = open_page(listening_page(site), f"?seed={seed}&listener=x&kind={kind}")
        page.evaluate("Object.defineProperty(window, 'keep', {value: []})")
        page.add_script_tag(
            content="const load = codecbenchSound.load;"
            "codecbenchSound.load = (name) => (keep.push(name), load(name));"
        )
        begin(page)
        script = page.evaluate("keep[0]")
        buttons = page.locator("#sounds button").all_inner_texts()
        page.context.close()
        return script, buttons

    first = plan(3)
    assert plan(3) == first
    assert any(plan(seed)[0] != first[0] for seed in range(4, 9))


def test_sounds_switch_without_a_gap_at_the_same_place(site, open_page):
    """All sounds run from one start; only their gains change."""
    page = open_page(listening_page(site), "?seed=7&listener=c&kind=mushra")
    page.evaluate(
        """() => {
            const start = AudioBufferSourceNode.prototype.start;
            window.starts = [];
            AudioBufferSourceNode.prototype.start = function (at) {
                starts.push([at, this.loop, this.buffer.length]);
                return start.call(this, at);
            };
        }"""
    )
    begin(page)
    for key in ("r", "a", "b", "a"):
        page.keyboard.press(key)
    starts = page.evaluate("starts")
    assert len(starts) > 3
    assert len({tuple(one) for one in starts}) == 1
    assert starts[0][1] is True
    assert page.locator("[aria-pressed=true]").all_inner_texts()[0].startswith("A")
    page.locator("#trial-title").focus()
    page.keyboard.press("Space")
    assert page.locator("[aria-pressed=true]").count() == 0


def test_the_page_shows_no_codec_by_name(site, open_page):
    page = open_page(listening_page(site), "?seed=7&listener=c&kind=mushra")
    begin(page)
    shown = page.locator("main").inner_text().lower()
    assert not any(name in shown for name in ("opus", "codec2", "mulaw", "lowpass"))
