import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import codecbench
from codecbench.errors import UserError
from codecbench.results.run_folder import BITSTREAMS, ROWS
from codecbench.results.schema import FRAME_COLUMNS, part_number, parts

from .voices import write_voice

COLUMNS = ("plug_error", "plug_signs")


def go(corpus, out, codec="plug-plain", metrics=COLUMNS, **options):
    options.setdefault("jobs", 1)
    return codecbench.run(codec, f"folder:{corpus}", metrics, out, **options)


def calls(log, kind):
    path = log / kind
    return path.read_text().splitlines() if path.exists() else []


def comparable(run):
    return run.frame().reset_index(drop=True)


def test_a_frame_has_a_row_for_every_utterance_codec_and_column(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", codec="plug-plain:step=1|4")
    frame = run.frame()
    assert tuple(frame.columns) == FRAME_COLUMNS
    asked = frame[frame.metric.isin(COLUMNS)]
    assert len(asked) == 6 * 2 * 2
    assert asked.error.isna().all()
    assert set(frame.codec) == {"plug-plain:step=1", "plug-plain:step=4"}
    assert set(frame.speaker) == {"speaker0", "speaker1", "speaker2"}
    assert set(frame.rate) == {16000}
    coarse = frame[frame.codec == "plug-plain:step=4"].set_index(["utterance", "metric"]).value
    fine = frame[frame.codec == "plug-plain:step=1"].set_index(["utterance", "metric"]).value
    assert (coarse.xs("plug_error", level=1) > fine.xs("plug_error", level=1)).all()


def test_counted_rate_is_exact_and_always_there(plugins, corpus, tmp_path):
    frame = go(corpus, tmp_path / "run").frame()
    rates = frame[frame.metric == "kbps"]
    assert len(rates) == 6
    np.testing.assert_allclose(rates.value, 8 * 16000 / 1000)


def test_a_finished_run_computes_nothing_again(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run")
    before = {kind: len(calls(plugins, kind)) for kind in ("encode", "decode", "score")}
    assert before["encode"] == before["score"] == 6
    go(corpus, tmp_path / "run")
    assert before == {kind: len(calls(plugins, kind)) for kind in before}


def test_more_codecs_metrics_and_utterances_compute_only_what_is_missing(plugins, corpus, tmp_path):
    out = tmp_path / "run"
    go(corpus, out, metrics=["plug_error"])
    go(corpus, out, metrics=COLUMNS)
    assert len(calls(plugins, "encode")) == 6, "the kept bitstreams were not used"
    assert len(calls(plugins, "decode")) == 12
    go(corpus, out, codec=["plug-plain", "plug-nan"])
    assert len(calls(plugins, "encode")) == 12
    write_voice(corpus / "speaker9" / "new.wav", 3000, 9)
    run = go(corpus, out)
    assert len(calls(plugins, "encode")) == 13
    frame = run.frame()
    assert len(frame[(frame.metric == "plug_signs") & (frame.codec == "plug-plain:step=1")]) == 7


def test_reference_work_is_done_once_for_all_codecs(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run", codec="plug-plain:step=1|2|3|4")
    assert sorted(calls(plugins, "prepare")) == sorted(f"speaker{n % 3}/u{n}" for n in range(6))


def test_subsets_grow_by_what_is_new(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run", subset=3)
    assert len(calls(plugins, "encode")) == 3
    go(corpus, tmp_path / "run", subset=5)
    assert len(calls(plugins, "encode")) == 5


def test_an_undeclared_delay_is_estimated_once_and_recorded(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", codec="plug-late")
    entry = run.manifest.codecs["plug-late:step=1"]
    assert (entry.delay_samples, entry.delay_estimates) == (37, 6)
    frame = run.frame()
    assert (frame[frame.metric == "plug_signs"].value < 0.2).all()
    assert (frame[frame.metric == "delay_ms"].value == 0).all()


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        ("plug-raises", "ZeroDivisionError: of course in two lines"),
        ("plug-nan", "the decoder returned NaN"),
    ],
)
def test_a_failing_codec_is_a_row_with_its_reason(plugins, corpus, tmp_path, codec, message):
    run = go(corpus, tmp_path / "run", codec=[codec, "plug-plain"])
    frame = run.frame()
    failed = frame[frame.codec == f"{codec}:step=1"]
    assert failed.value.isna().all()
    assert failed.error.str.startswith(message).all()
    good = frame[(frame.codec == "plug-plain:step=1") & frame.metric.isin(COLUMNS)]
    assert len(good) == 12
    assert good.error.isna().all()


def test_a_codec_that_kills_its_worker_costs_only_its_own_rows(plugins, corpus, tmp_path):
    frame = go(corpus, tmp_path / "run", codec=["plug-crash", "plug-plain"], jobs=2).frame()
    errors = frame[(frame.codec == "plug-crash:step=1") & (frame.metric == "plug_error")]
    died = errors.set_index("utterance").error.notna()
    assert died.to_dict() == {f"speaker{n % 3}/u{n}": n % 2 == 0 for n in range(6)}
    assert errors.error.dropna().str.contains("SIGSEGV").all()
    good = frame[(frame.codec == "plug-plain:step=1") & (frame.metric == "plug_error")]
    assert good.error.isna().all()


def test_a_metric_that_kills_its_worker_costs_only_its_own_column(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", codec=["plug-late", "plug-slow"],
             metrics=["plug_error", "plug_fragile"], subset=2)  # fmt: skip
    frame = run.frame()
    cell = frame.groupby(["codec", "metric"]).error.agg(lambda errors: set(errors.dropna()))
    assert "SIGKILL" in cell["plug-late:step=1", "plug_fragile"].pop()
    assert cell["plug-late:step=1", "plug_error"] == set()
    assert cell["plug-slow:step=1", "plug_fragile"] == {"too slow for me"}
    reference = frame[frame.codec == "reference"]
    assert set(reference.value) == {2.0}
    assert not frame.duplicated(["codec", "utterance", "metric"]).any()


def test_broken_audio_is_a_row_and_a_repaired_file_is_measured(plugins, corpus, tmp_path):
    broken = corpus / "speaker0" / "u0.wav"
    whole = broken.read_bytes()
    broken.write_bytes(b"not audio")
    frame = go(corpus, tmp_path / "run").frame()
    failed = frame[frame.utterance == "speaker0/u0"]
    assert failed.error.str.contains("not a readable audio file").all()
    assert frame[frame.utterance != "speaker0/u0"].error.isna().all()
    broken.write_bytes(whole)
    assert go(corpus, tmp_path / "run").frame().error.isna().all()


def test_changed_audio_is_refused(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run")
    write_voice(corpus / "speaker0" / "u0.wav", 4000, 99)
    with pytest.raises(UserError, match="speaker0/u0 is not what this run measured"):
        go(corpus, tmp_path / "run")


def test_another_evaluation_rate_is_refused(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run")
    with pytest.raises(UserError, match="--rate"):
        go(corpus, tmp_path / "run", rate=8000)


def test_the_evaluation_rate_resamples_the_reference(plugins, corpus, tmp_path):
    frame = go(corpus, tmp_path / "run", rate=8000).frame()
    assert set(frame.rate) == {8000}
    np.testing.assert_allclose(frame[frame.metric == "kbps"].value, 64, rtol=1e-3)


def test_what_cannot_run_is_refused_before_any_work(plugins, corpus, tmp_path):
    for options in (
        {"codec": "nonsense"},
        {"metrics": ["nonsense"]},
        {"codec": "plug-plain:step=x"},
        {"codec": ()},
    ):
        with pytest.raises(UserError):
            go(corpus, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_folder_with_other_things_in_it_is_not_touched(plugins, corpus, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        go(corpus, tmp_path / "mine")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="a file is in the way"):
        go(corpus, tmp_path / "file")


COMMAND = """
import sys, codecbench
codecbench.run(["plug-slow:step=1|2", "plug-plain"], "folder:" + sys.argv[1],
               ["plug_error", "plug_signs"], sys.argv[2], jobs=2)
"""


def command(corpus, out):
    return [sys.executable, "-c", COMMAND, str(corpus), str(out)]


@pytest.mark.parametrize("after", [0.6, 1.2, 1.8])
def test_killed_at_any_moment_the_same_command_ends_in_the_same_table(
    plugins, corpus, tmp_path, after
):
    subprocess.run(command(corpus, tmp_path / "whole"), check=True)
    victim = subprocess.Popen(command(corpus, tmp_path / "killed"))
    time.sleep(after)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    subprocess.run(command(corpus, tmp_path / "killed"), check=True)
    whole = codecbench.load_run(tmp_path / "whole")
    killed = codecbench.load_run(tmp_path / "killed")
    pd.testing.assert_frame_equal(comparable(whole), comparable(killed))


def test_two_processes_on_one_run_folder_share_the_work(plugins, corpus, tmp_path):
    both = [subprocess.Popen(command(corpus, tmp_path / "run")) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(calls(plugins, "encode")) == 18
    run = codecbench.load_run(tmp_path / "run")
    assert len(run.manifest.sessions) == 2
    assert not run.frame().duplicated(["codec", "utterance", "metric"]).any()


def test_many_parts_are_merged_without_changing_a_number(plugins, corpus, tmp_path, monkeypatch):
    from codecbench.results import writer

    codec = "plug-plain:step=1|2|3|4|5"
    whole = go(corpus, tmp_path / "whole", codec=codec)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "FLUSH_SECONDS", -1.0)
        many = go(corpus, tmp_path / "many", codec=codec)
    for kind in (ROWS, BITSTREAMS):
        (merged,) = parts(tmp_path / "many" / kind)
        assert part_number(merged) >= 30
    pd.testing.assert_frame_equal(comparable(whole), comparable(many))


def test_the_manifest_tells_what_a_reviewer_asks(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run")
    session = run.manifest.sessions[0]
    assert session.packages["numpy"] == np.__version__
    assert session.cpu
    assert session.finished is not None
    card = run.metric_cards["plug_error"]
    assert card["definition"].startswith("mean absolute difference")
    listed = (tmp_path / "run" / "utterances.csv").read_text()
    assert listed.count("\n") == 7
    assert "speaker1/u1" in listed


def test_the_list_of_a_run_replays_exactly_its_utterances(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "first", subset=2)
    listed = tmp_path / "first" / "utterances.csv"
    again = go(corpus, tmp_path / "second", utterances=listed)
    first = codecbench.load_run(tmp_path / "first")
    pd.testing.assert_frame_equal(comparable(first), comparable(again))


def test_an_estimate_from_few_utterances_is_made_again_and_a_change_is_refused(
    plugins, corpus, tmp_path
):
    out = tmp_path / "run"
    go(corpus, out, codec="plug-late", subset=2)
    run = go(corpus, out, codec="plug-late")
    entry = run.manifest.codecs["plug-late:step=1"]
    assert (entry.delay_samples, entry.delay_estimates) == (37, 6)
    entry.delay_samples, entry.delay_estimates, entry.delay_probed = 12, 2, 2
    run.manifest.write(out / "manifest.json")
    with pytest.raises(UserError, match="estimated as 12 samples from 2 utterances and is 37"):
        go(corpus, out, codec="plug-late")


def test_a_delay_that_cannot_be_estimated_is_a_reason_and_never_zero(plugins, tmp_path):
    for number in range(3):
        path = tmp_path / "still" / f"u{number}.wav"
        write_voice(path, 4000, number)
    frame = go(tmp_path / "still", tmp_path / "run", codec="plug-mute").frame()
    assert frame.error.str.contains("no delay and none could be estimated").all()


def test_probes_go_on_until_a_delay_is_found(plugins, corpus, tmp_path, monkeypatch):
    from codecbench.engine import run as engine

    monkeypatch.setattr(engine, "DELAY_UTTERANCES", 2)
    given = tmp_path / "given" / "speaker2"
    given.mkdir(parents=True)
    (given / "u5.wav").write_bytes((corpus / "speaker2" / "u5.wav").read_bytes())
    run = go(corpus, tmp_path / "run", codec=f'decoded:dir="{given.parent}"')
    (entry,) = run.manifest.codecs.values()
    assert (entry.delay_samples, entry.delay_estimates) == (0, 1)


def test_changed_speakers_and_transcripts_are_refused(plugins, corpus, tmp_path):
    texts = tmp_path / "texts.tsv"
    texts.write_text("speaker0/u0\tone\n")
    spec = f'folder:path="{corpus}",transcripts="{texts}"'
    options = {"codec": "plug-plain", "metrics": ["plug_error"], "jobs": 1}
    codecbench.run(corpus=spec, out=tmp_path / "run", **options)
    texts.write_text("speaker0/u0\ttwo\n")
    with pytest.raises(UserError, match=r"the transcript of .*speaker0/u0"):
        codecbench.run(corpus=spec, out=tmp_path / "run", **options)
    texts.write_text("speaker0/u0\tone\n")
    with pytest.raises(UserError, match="the speaker of"):
        codecbench.run(corpus=f"{spec},speakers=none", out=tmp_path / "run", **options)


@pytest.mark.parametrize("left", [{"audio.json"}, {"rows", "run.lock"}, {".tmp-x-manifest.json"}])
def test_the_beginnings_of_a_killed_run_are_taken_up(plugins, corpus, tmp_path, left):
    go(corpus, tmp_path / "whole")
    out = tmp_path / "killed"
    out.mkdir()
    for name in left:
        source = tmp_path / "whole" / name
        if source.is_file():
            (out / name).write_bytes(source.read_bytes())
        elif source.is_dir():
            (out / name).mkdir()
        else:
            (out / name).write_text("half")
    again = go(corpus, out)
    whole = codecbench.load_run(tmp_path / "whole")
    pd.testing.assert_frame_equal(comparable(whole), comparable(again))


def test_the_list_of_a_folder_names_all_its_utterances(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run", subset=5)
    go(corpus, tmp_path / "run", subset=2)
    assert (tmp_path / "run" / "utterances.csv").read_text().count("\n") == 6


def test_a_list_whose_audio_has_changed_is_refused(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "first")
    write_voice(corpus / "speaker0" / "u0.wav", 4000, 99)
    with pytest.raises(UserError, match="speaker0/u0 is not what was listed"):
        go(corpus, tmp_path / "second", utterances=tmp_path / "first" / "utterances.csv")


def test_what_lies_in_the_working_folder_is_not_imported(plugins, corpus, tmp_path, monkeypatch):
    (tmp_path / "soundfile.py").write_text("raise RuntimeError('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert go(corpus, tmp_path / "run").frame().error.isna().all()


def test_metrics_are_a_comma_separated_list_here_too(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", metrics="plug_error,plug_signs")
    assert set(COLUMNS) <= set(run.frame().metric)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_says_so_and_keeps_what_is_done(plugins, corpus, tmp_path, number):
    arguments = [
        "run", "--codec", "plug-slow:step=1|2|3|4", "--corpus", f"folder:{corpus}",
        "--metrics", "plug_error", "--out", str(tmp_path / "run"), "--jobs", "1",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "codecbench", *arguments], stderr=subprocess.PIPE, text=True
    )
    while len(calls(plugins, "score")) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "codecbench: interrupted; the same command continues"
    assert len(codecbench.load_run(tmp_path / "run").frame()) > 0


def test_nothing_is_computed_for_columns_that_nobody_wants(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run", metrics=["plug_error"])
    assert set(calls(plugins, "selected")) == {"plug_error"}
