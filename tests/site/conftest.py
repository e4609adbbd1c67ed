"""A small run of hostile names, its site, and Chromium to open it in."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import codecbench
from codecbench.audio import write_audio
from codecbench.engine.run import SilentProgress
from codecbench.registry import load_corpus
from codecbench.results.run_folder import load_run
from codecbench.site.build import SiteOptions, build_site
from codecbench.subset import subset

HOSTILE_IDS = (
    "a<script>window.hacked=1</script>",
    "\"quoted\" 'twice' &amp; é 語 ‮",
    "--><img src=x onerror=window.hacked=1>",
)
HOSTILE_TEXT = "</script><script>window.hacked=1</script> & 'so' \"on\""
CODECS = ["opus:kbps=6|12", "codec2:bps=1200", "mulaw", "lowpass"]


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory):
    """Return a run folder over utterances whose ids and transcripts want to be markup."""
    root = tmp_path_factory.mktemp("hostile")
    spoken = subset(load_corpus("demo").utterances(), len(HOSTILE_IDS))
    speech = root / "speech"
    lines = []
    for name, utterance in zip(HOSTILE_IDS, spoken, strict=True):
        audio = utterance.audio()
        short = replace(audio, samples=audio.samples[: audio.sample_rate])
        write_audio(speech / f"{name}.wav", short)
        lines.append(f"{name}\t{HOSTILE_TEXT}")
    texts = root / "texts.tsv"
    texts.write_text("\n".join(lines) + "\n", encoding="utf-8")
    corpus = f'folder:path="{speech}",label="<b>&",speakers=none,language=en,transcripts="{texts}"'
    out = root / "run <i>"
    codecbench.run(CODECS, corpus, ["stoi", "lsd", "mel_distance"], out, jobs=1)
    return out


@pytest.fixture(scope="session")
def site(hostile_run, tmp_path_factory):
    """Return the folder of the hostile run's site."""
    out = tmp_path_factory.mktemp("pages") / "site"
    options = SiteOptions(utterances=3, title="Codecs <i>&")
    build_site([load_run(hostile_run)], out, options, SilentProgress())
    return out


@pytest.fixture(scope="session")
def chromium():
    """Return Debian's Chromium, driven by Playwright; skip where one of them is absent."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is absent: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        # No sandbox, because tests may run as root; autoplay, because no listener clicks.
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=600_000
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a file of a site; the test fails if the page says anything on the console."""
    contexts, said = [], []

    def call(path: Path, query: str = "", **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.goto(path.as_uri() + query)
        return page

    yield call
    for context in contexts:
        context.close()
    assert said == []
