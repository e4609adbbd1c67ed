"""Recognised text beside the transcript: aligned as it was counted, marked, escaped."""

import shutil
from dataclasses import replace

import pytest

import codecbench
from codecbench.audio import write_audio
from codecbench.engine.run import SilentProgress
from codecbench.registry import load_corpus
from codecbench.results.run_folder import ROWS, load_run
from codecbench.results.schema import Row, rows_schema, write_part
from codecbench.site.build import SiteOptions, build_site
from codecbench.site.recognition import Piece, aligned
from codecbench.subset import subset

from ..metrics.tiny_whisper import write_tiny_whisper
from .test_contrast import SHOWN, TEXT, contrast, hexadecimal

ENGLISH = "<script>window.hacked=1</script> & mister quilter"
MANDARIN = "<b>今天天气</b>"


def test_every_error_is_a_piece():
    assert aligned("the cat sat down", "a cat sat") == [
        Piece("substitute", "the", "a"),
        Piece("equal", "cat sat", "cat sat"),
        Piece("delete", "down", ""),
    ]
    assert aligned("a", "a b c")[1:] == [Piece("insert", "", "b"), Piece("insert", "", "c")]
    assert aligned("a b", "") == [Piece("delete", "a", ""), Piece("delete", "b", "")]


def test_characters_and_their_spaces_are_aligned():
    assert aligned("今天好", "今天很好", by_characters=True) == [
        Piece("equal", "今天", "今天"),
        Piece("insert", "", "很"),
        Piece("equal", "好", "好"),
    ]
    assert aligned("a b c", "ab c", by_characters=True) == [
        Piece("equal", "a", "a"),
        Piece("delete", "␣", ""),
        Piece("equal", "b c", "b c"),
    ]
    assert aligned("ab c", "ab d", by_characters=True)[0] == Piece("equal", "ab ", "ab ")


def test_controls_in_texts_are_shown_as_such():
    assert aligned("a\u202e", "b")[0] == Piece("substitute", "a�", "b")


@pytest.fixture(scope="module")
def recognised_run(tmp_path_factory):
    """Return a run of an English and a Mandarin utterance through two recognisers."""
    pytest.importorskip("pocketsphinx")
    root = tmp_path_factory.mktemp("recognised")
    (spoken,) = subset(load_corpus("demo").utterances(), 1)
    audio = spoken.audio()
    short = replace(audio, samples=audio.samples[: 2 * audio.sample_rate])
    corpora = []
    for language, transcript in (("en", ENGLISH), ("zh", MANDARIN)):
        speech = root / language
        write_audio(speech / "said.wav", short)
        (speech / "said.txt").write_text(f"said\t{transcript}\n", encoding="utf-8")
        corpora.append(
            f'folder:path="{speech}",label={language},speakers=none,language={language},'
            f'transcripts="{speech / "said.txt"}"'
        )
    tiny = write_tiny_whisper(root / "tiny.pt", multilingual=True)
    metrics = ["wer:asr=pocketsphinx,normalizer=none"]
    metrics += [f'{column}:asr="{tiny}",normalizer=none' for column in ("wer", "cer")]
    codecbench.run(["codec2:bps=1200"], corpora, metrics, root / "run", jobs=1)
    return root / "run"


@pytest.fixture(scope="module")
def pages(recognised_run, tmp_path_factory):
    """Return the English and the Mandarin page."""
    out = tmp_path_factory.mktemp("pages") / "site"
    build_site([load_run(recognised_run)], out, SiteOptions(utterances=2), SilentProgress())
    paths = [path for path in (out / "utterances").glob("*.html") if path.stem != "index"]
    return sorted(paths, key=lambda path: 'lang="zh"' in path.read_text(encoding="utf-8"))


def test_a_run_keeps_what_was_recognised(recognised_run):
    run = load_run(recognised_run)
    columns = [name for name in run.columns if name.startswith("wer")]
    for name in columns:
        texts = run.texts(name)
        assert texts.codec.tolist()[-1] == "reference"
        assert set(texts.reference_text) == {ENGLISH}
        for row in texts.itertuples():
            pieces = aligned(row.reference_text, row.decoded_text)
            errors = sum(piece.kind != "equal" for piece in pieces)
            assert (errors, len(row.reference_text.split())) == (row.numerator, row.denominator)
    sphinx = next(name for name in columns if "pocketsphinx" in run.specs[name])
    heard = run.texts(sphinx).set_index("codec").decoded_text
    assert len(heard["reference"].split()) > 1


def heard_in(page, title):
    """Return label and marked text of each codec, in the section whose heading holds a title."""
    name = page.locator("h2", has_text=title).get_attribute("id")
    lines = page.locator(f"dl[aria-labelledby={name}] > div").all()
    return {line.locator("dt").inner_text().split("\n")[0]: line.locator("dd") for line in lines}


def test_errors_are_marked_word_by_word(recognised_run, pages, open_page):
    page = open_page(pages[0])
    assert page.evaluate("window.hacked") is None
    run = load_run(recognised_run)
    sphinx = next(name for name in run.columns if "pocketsphinx" in run.specs[name])
    texts = run.texts(sphinx).set_index("codec")
    assert page.locator("dl.heard").count() == 2
    lines = heard_in(page, "smoke test only")
    assert len(lines) == 2
    for codec, label in (("reference", "reference"), (run.order[0], "codec2")):
        (dd,) = (line for shown, line in lines.items() if shown.startswith(label))
        dd.evaluate("(e) => e.querySelectorAll('.unseen').forEach((one) => one.remove())")
        for mark, kept in (("del", "decoded_text"), ("ins", "reference_text")):
            left = dd.evaluate(
                "(e, mark) => { const copy = e.cloneNode(true);"
                " copy.querySelectorAll(mark).forEach((one) => one.remove());"
                " return copy.textContent.split(/\\s+/).filter(Boolean); }",
                mark,
            )
            assert left == texts[kept][codec].split()
        assert dd.get_attribute("lang") == "en"


def test_screen_readers_hear_which_error_it_is(pages, open_page):
    page = open_page(pages[0])
    for error in page.locator(
        "dl.heard mark, dl.heard :not(mark) > del, dl.heard :not(mark) > ins"
    ).all():
        tag = error.evaluate("(e) => e.tagName")
        said = error.text_content().strip()
        beginning = {"MARK": "said ", "DEL": "not heard: ", "INS": "not said: "}[tag]
        assert said.startswith(beginning)
    assert page.locator("dl.heard .unseen").count() > 3


def test_mandarin_is_marked_by_characters(pages, open_page):
    page = open_page(pages[1])
    assert page.locator("h2", has_text="Recognised text").count() == 1
    assert "in characters" in page.locator("main").inner_text()
    for line in heard_in(page, "CER").values():
        assert line.get_attribute("lang") == "zh"
        said = line.locator("del").all_text_contents()
        assert all(len(text.removeprefix("not heard: ")) == 1 for text in said)
    assert page.locator("main b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marked_text_meets_aa_and_fits_a_phone(pages, open_page, scheme):
    for path in pages:
        page = open_page(path, color_scheme=scheme, viewport={"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        for line in page.evaluate(SHOWN):
            color, back, where = line.split("|", 2)
            assert contrast(hexadecimal(color), hexadecimal(back)) >= TEXT, where
        page.context.close()


def test_runs_without_texts_say_so(recognised_run, tmp_path, open_page):
    """Rows that were measured before texts were kept: of one codec, then of all."""
    old = tmp_path / "run"
    shutil.copytree(recognised_run, old)
    run = load_run(old)
    frame = run.frame(details=True)
    names = {spec_and_name: name for name, spec_and_name in run.shown_names.items()}
    for codecs, said in (([run.order[0]], "No text was kept"), (["reference"], "single errors")):
        rows = [
            Row(**{**{k: getattr(r, k) for k in Row.__dataclass_fields__ if hasattr(r, k)},
                   "metric": names[r.metric][1], "error": None})
            for r in frame[frame.codec.isin(codecs) & frame.value.notna()].itertuples()
        ]  # fmt: skip
        write_part(old / ROWS, rows, rows_schema())
        out = tmp_path / said.split()[0]
        build_site([load_run(old)], out, SiteOptions(utterances=2), SilentProgress())
        for path in (out / "utterances").glob("*.html"):
            if path.stem != "index":
                assert said in path.read_text(encoding="utf-8")
