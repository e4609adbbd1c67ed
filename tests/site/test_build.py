"""What a site holds, without a browser."""

import json
import shutil

import numpy as np
import pytest

import codecbench
from codecbench.audio import Audio, read_audio
from codecbench.cli.main import main
from codecbench.engine.run import SilentProgress
from codecbench.engine.transcode import Transcoder
from codecbench.errors import UserError
from codecbench.registry import codec_of
from codecbench.results.run_folder import load_run
from codecbench.site.build import SiteOptions, build_site, require_runs
from codecbench.site.choice import choose, with_audio
from codecbench.site.folder import MARKER, SiteFolder, breakable, script_json
from codecbench.site.leaderboard import boards_of, facts_of
from codecbench.site.listening import judged_codecs
from codecbench.site.spectrogram import BOTTOM_DB, TOP_DB, spectrogram_db, spectrogram_png
from codecbench.spec import format_spec


class Notes(SilentProgress):
    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)


def test_numbers_are_those_of_the_table(hostile_run):
    run = load_run(hostile_run)
    table = run.table()
    (board,) = boards_of(run, 1)
    assert [line.codec for line in board.lines] == [row.codec for row in table.rows]
    for row, numbers in zip(table.rows, board.numbers["rows"], strict=True):
        for name, (value, low, high) in zip(table.columns, numbers["cells"], strict=True):
            cell = row.cells[name]
            for shown, full in zip(
                (value, low, high), (cell.value, cell.low, cell.high), strict=True
            ):
                assert shown == (full if full is None else pytest.approx(full, rel=1e-4, abs=1e-5))
    assert set(table.notes) <= set(board.notes)
    opus = [row["family"] for row in board.numbers["rows"] if "opus" in row["label"]]
    assert opus == ["opus", "opus"]


def test_cards_are_written_out():
    facts = facts_of("x", {"algorithmic_latency_ms": 26.5, "causal": True, "parameters": 3_778_865,
                           "anchor": True})  # fmt: skip
    assert (facts.latency, facts.causal, facts.parameters, facts.role) == (
        "26.5", "yes", "3.78 M", "anchor",
    )  # fmt: skip
    assert facts_of("x", {}).latency == "–"


def test_sounds_are_the_engines_own(hostile_run, site):
    """Every player of a page holds what the engine scored, rounded to 16 bits."""
    run = load_run(hostile_run)
    one = with_audio(run, choose(run, 1))[0]
    from codecbench.engine.tasks import CodecTask
    from codecbench.site.audio import SoundMaker

    kept = SiteFolder(site)
    maker = SoundMaker(run, kept, run.order, [one])
    codec = next(spec for spec in run.order if spec.startswith("opus:kbps=12"))
    written = read_audio(site / maker.codec(one, codec).audio)
    decoded, _ = Transcoder().transcode(CodecTask(codec, {}), one.utterance)
    assert len(written) == len(one.utterance.audio())
    np.testing.assert_allclose(written.samples, decoded.audio.samples, atol=0.51 / 2**15)


def test_hostile_text_is_escaped_in_every_file(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>window" not in text
        assert "<img src=x" not in text
        assert "<i>" not in text
        assert "<b>" not in text


def test_script_json_cannot_end_its_script():
    text = str(script_json({"<": "</script><!--&\u2028"}))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"<": "</script><!--&\u2028"}


def test_labels_break_between_values_and_stay_escaped():
    assert str(breakable("a:b=1,c=<i>")) == "a:<wbr>b=1,<wbr>c=&lt;i&gt;"


def test_pages_name_no_other_host(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.js"), *site.rglob("*.css")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert 'src="/' not in text


def test_built_again_nothing_is_decoded_and_leftovers_go(hostile_run, tmp_path, monkeypatch):
    out = tmp_path / "site"
    run = load_run(hostile_run)
    build_site([run], out, SiteOptions(utterances=2), SilentProgress())
    sounds = {path.name: path.stat().st_mtime_ns for path in (out / "audio").iterdir()}
    monkeypatch.setattr("codecbench.engine.decode_again.decoded_or_reason", pytest.fail)
    build_site([run], out, SiteOptions(utterances=1), SilentProgress())
    left = {path.name: path.stat().st_mtime_ns for path in (out / "audio").iterdir()}
    assert left.items() < sounds.items()
    assert len(list((out / "utterances").iterdir())) == 2
    listed = json.loads((out / MARKER).read_text())["files"]
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == {
        *listed, MARKER,
    }  # fmt: skip


def test_runs_that_measured_the_same_have_pages_of_their_own(hostile_run, tmp_path):
    second = tmp_path / "second"
    shutil.copytree(hostile_run, second)
    runs = [load_run(hostile_run), load_run(second)]
    out, options = tmp_path / "site", SiteOptions(utterances=2)
    build_site(runs, out, options, SilentProgress())
    listed = json.loads((out / MARKER).read_text())["files"]
    pages = [path for path in (out / "utterances").iterdir() if path.name != "index.html"]
    told = [path.read_text().count(", run second</p>") for path in pages]
    assert sorted(told) == [0, 0, 1, 1]
    tests = [path.read_text() for path in (out / "listen").glob("*.html")]
    assert sorted(text.count('"name":"second"') for text in tests) == [0, 1]
    assert len(list((out / "listen").glob("*.js"))) == 4
    build_site(runs, out, options, SilentProgress())
    assert json.loads((out / MARKER).read_text())["files"] == listed
    alone = tmp_path / "alone"
    build_site(runs[:1], alone, options, SilentProgress())
    names = {path.name for path in (alone / "utterances").iterdir()}
    assert names < {path.name for path in (out / "utterances").iterdir()}


@pytest.fixture
def commanding_run(hostile_run, tmp_path):
    """Return a run whose codec is commands, its spec, and the file in which they note calls."""
    program, log = tmp_path / "copy.sh", tmp_path / "calls"
    program.write_text(f'echo called >> "{log}"; cp "$1" "$2"\n')
    ways = (("encode", "{in} {bitstream}"), ("decode", "{bitstream} {out}"))
    spec = format_spec("external", [(key, f"sh {program} {files}") for key, files in ways])
    corpora = load_run(hostile_run).manifest.corpora
    run = codecbench.run([spec, "mulaw"], corpora, ["stoi"], tmp_path / "run", jobs=1, subset=1)
    log.unlink()
    return run.path, codec_of(spec).spec, log


def test_commands_of_a_strangers_run_folder_are_run_only_if_trusted(
    commanding_run, tmp_path, capsys
):
    path, spec, log = commanding_run
    command = ["site", str(path), "--out", str(tmp_path / "site")]
    said = "its spec names commands, files or addresses; not decoded"
    for options, sounds in (([], 2), (["--trust", spec], 3)):
        with pytest.raises(SystemExit) as ended:
            main([*command, *options])
        assert ended.value.code == 0
        assert log.exists() == (sounds == 3)
        assert len(list((tmp_path / "site" / "audio").iterdir())) == sounds
        pages = "".join(one.read_text() for one in (tmp_path / "site").rglob("*.html"))
        assert pages.count(f"No sound: {said}") == 3 - sounds
        assert (f"{said}; if you trust it" in capsys.readouterr().err) == (sounds == 2)
    with pytest.raises(SystemExit) as ended:
        main([*command, "--trust", "codec2:bps=1200"])
    assert ended.value.code == 2
    assert "that --trust names" in capsys.readouterr().err


def test_absent_and_changed_audio_are_said_in_one_line(hostile_run, tmp_path):
    speech = hostile_run.parent / "speech"
    away = speech.rename(tmp_path / "away")
    notes = Notes()
    try:
        out = tmp_path / "site"
        build_site([load_run(hostile_run)], out, SiteOptions(utterances=1), notes)
    finally:
        away.rename(speech)
    assert len(notes.texts) == 2
    assert "no sound: " in notes.texts[0]
    assert "no listening test: " in notes.texts[1]
    (page,) = (path for path in (out / "utterances").iterdir() if path.name != "index.html")
    assert "No sound: " in page.read_text()
    assert not (out / "listen").exists()


def test_other_folders_are_left_alone(hostile_run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no site"):
        build_site([load_run(hostile_run)], tmp_path, SiteOptions(utterances=0), SilentProgress())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_marker_cannot_have_files_outside_removed(tmp_path):
    (tmp_path / "victim").write_text("x")
    out = tmp_path / "site"
    out.mkdir()
    (out / MARKER).write_text(json.dumps({"files": ["../victim", "/etc/hostname"]}))
    SiteFolder(out).finish()
    assert (tmp_path / "victim").exists()


def test_choices_are_nested_and_repeatable(hostile_run):
    run = load_run(hostile_run)
    assert choose(run, 2) == choose(run, 3)[:2]
    assert len(choose(run, 99)) == 3


def test_judged_codecs(hostile_run):
    run = load_run(hostile_run)
    codecs, notes = judged_codecs(run)
    assert not any(codec.startswith("lowpass") for codec in codecs)
    assert notes == []
    assert len(judged_codecs(run, ["opus"])[0]) == 2
    left, said = judged_codecs(run, silent=codecs[:1])
    assert left == codecs[1:]
    assert codecs[0] in said[0]
    with pytest.raises(UserError, match="no codec"):
        judged_codecs(run, ["lc3"])


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    for arguments in (["nowhere"], [str(tmp_path)]):
        with pytest.raises(SystemExit) as ended:
            main(["site", *arguments, "--out", str(tmp_path / "out")])
        assert ended.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(UserError, match="twice"):
        require_runs([tmp_path, tmp_path / "."])


def test_spectrogram_levels_and_size():
    rate = 16000
    times = np.arange(rate) / rate
    loud = Audio(np.sin(2 * np.pi * 1000 * times).astype(np.float32), rate)
    levels = spectrogram_db(loud)
    assert levels.max() == pytest.approx(0.0, abs=0.05)
    # 1 kHz of 8 lies at an eighth of the height.
    assert levels.mean(axis=1).argmax() / len(levels) == pytest.approx(1 / 8, abs=0.02)
    quiet = Audio(loud.samples * np.float32(0.1), rate)
    np.testing.assert_allclose(spectrogram_db(quiet).max(), -20, atol=0.05)
    assert BOTTOM_DB < TOP_DB
    noise = Audio(np.random.default_rng(0).normal(0, 0.1, 30 * rate).astype(np.float32), rate)
    assert len(spectrogram_png(noise)) < 100_000
    assert spectrogram_png(Audio(np.zeros(3, np.float32), rate)).startswith(b"\x89PNG")
