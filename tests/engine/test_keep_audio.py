"""`keep_audio`: what is kept is what was scored, in files that nobody's names can misplace."""

import json
import shutil

import numpy as np
import pytest

import codecbench
from codecbench.audio import read_audio
from codecbench.engine.audio_index import AudioIndex
from codecbench.errors import UserError

from .voices import write_voice

PLAIN = "plug-plain:step=1"


def go(corpus, out, codec="plug-plain", metrics=("plug_error",), **options):
    options = {"jobs": 1, "keep_audio": True, **options}
    return codecbench.run(codec, f"folder:{corpus}", metrics, out, **options)


def calls(log, kind):
    path = log / kind
    return path.read_text().splitlines() if path.exists() else []


def kept(out):
    return sorted(path for path in (out / "audio").rglob("*") if path.is_file())


def scored_rows(run):
    frame = run.frame()
    return frame[(frame.metric == "plug_error") & frame.error.isna()]


def require_what_was_scored(run):
    """Score the kept files anew: every number is the same to the last bit."""
    references = AudioIndex(run.path / "audio.json")
    rows = scored_rows(run)
    assert len(rows)
    for row in rows.itertuples():
        key = (row.corpus, row.split, row.utterance)
        reference = read_audio(references[key].path)
        decoded = read_audio(run.decoded_audio(row.codec, key))
        assert decoded.sample_rate == row.rate
        assert len(decoded) == len(reference)
        assert float(np.abs(reference.samples - decoded.samples).mean()) == row.value


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_kept_is_what_was_scored(plugins, corpus, tmp_path, jobs):
    run = go(corpus, tmp_path / "run", codec=["plug-plain:step=1|9", "plug-late"], jobs=jobs)
    assert len(kept(run.path)) == 6 * 3
    require_what_was_scored(run)


def test_losses_are_heard(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", codec="plug-frames", packet_loss="20%")
    require_what_was_scored(run)
    row = scored_rows(run).iloc[0]
    decoded = read_audio(run.decoded_audio(row.codec, (row.corpus, row.split, row.utterance)))
    assert any(not decoded.samples[start : start + 100].any() for start in range(0, 4000, 100))


def test_nothing_is_kept_unless_asked(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", keep_audio=False)
    assert not (run.path / "audio").exists()
    row = scored_rows(run).iloc[0]
    assert run.decoded_audio(row.codec, (row.corpus, row.split, row.utterance)) is None


def test_what_is_not_there_is_decoded_from_kept_bits_and_not_scored_again(
    plugins, corpus, tmp_path
):
    out = tmp_path / "run"
    go(corpus, out, keep_audio=False)
    before = {kind: len(calls(plugins, kind)) for kind in ("encode", "decode", "score")}
    run = go(corpus, out)
    assert len(calls(plugins, "encode")) == before["encode"]
    assert len(calls(plugins, "score")) == before["score"]
    assert len(calls(plugins, "decode")) == before["decode"] + 6
    require_what_was_scored(run)
    whole = {path: path.read_bytes() for path in kept(out)}
    kept(out)[2].unlink()
    go(corpus, out)
    assert len(calls(plugins, "decode")) == before["decode"] + 7
    assert set(whole) == set(kept(out))
    require_what_was_scored(run)
    go(corpus, out)
    assert len(calls(plugins, "decode")) == before["decode"] + 7


def test_more_utterances_keep_only_what_is_new(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run", subset=2)
    changed = {path: path.stat().st_mtime_ns for path in kept(tmp_path / "run")}
    go(corpus, tmp_path / "run")
    assert len(kept(tmp_path / "run")) == 6
    assert all(path.stat().st_mtime_ns == time for path, time in changed.items())


def test_a_failing_codec_leaves_no_file_and_is_not_tried_again(plugins, corpus, tmp_path):
    out = tmp_path / "run"
    run = go(corpus, out, codec=["plug-nan", "plug-plain"])
    assert len(kept(out)) == 6
    frame = run.frame()
    key = tuple(frame.loc[0, ["corpus", "split", "utterance"]])
    assert run.decoded_audio("plug-nan:step=1", key) is None
    before = len(calls(plugins, "decode"))
    go(corpus, out, codec=["plug-nan", "plug-plain"])
    assert len(calls(plugins, "decode")) == before


def test_hostile_ids_stay_in_the_folder_and_apart(plugins, tmp_path):
    folder = tmp_path / "speech"
    names = ["-rf", "a\nb", "a b", "a_b", "…", "$(touch x)", "x" * 180]
    for number, name in enumerate(names):
        write_voice(folder / f"{name}.wav", 3000, number)
    write_voice(folder / "a" / "b.wav", 3000, 99)
    run = go(folder, tmp_path / "run")
    (home,) = (run.path / "audio").iterdir()
    assert len(list(home.iterdir())) == len(names) + 1
    assert all(path.name.isascii() and path.suffix == ".wav" for path in home.iterdir())
    require_what_was_scored(run)


def test_what_a_killed_process_left_is_swept(plugins, corpus, tmp_path):
    go(corpus, tmp_path / "run")
    (home,) = (tmp_path / "run" / "audio").iterdir()
    (home / ".tmp-x-y.wav").write_bytes(b"half")
    go(corpus, tmp_path / "run")
    assert len(kept(tmp_path / "run")) == 6


def test_a_folder_that_cannot_be_written_is_said_in_one_line(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", keep_audio=False)
    (run.path / "audio").write_text("in the way")
    with pytest.raises(UserError, match=r"decoded audio cannot be kept in .*: ") as caught:
        go(corpus, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert codecbench.load_run(run.path).frame().error.isna().all()


def test_a_run_file_may_ask_for_it(plugins, corpus, tmp_path):
    from codecbench.engine.request import RunRequest

    path = tmp_path / "run.toml"
    path.write_text(f'codec = "plug-plain"\ncorpus = "folder:{corpus}"\nkeep_audio = true\n')
    assert RunRequest.read(path, {}).keep_audio


def paths_of(run_folder):
    index = AudioIndex(run_folder / "audio.json")
    return {index[key].path for key in index.keys()}  # noqa: SIM118 - an index is no mapping


def test_the_index_follows_a_corpus_that_was_moved(plugins, corpus, tmp_path):
    out = tmp_path / "run"
    go(corpus, out, keep_audio=False)
    assert paths_of(out) == {str(path) for path in corpus.rglob("*.wav")}
    other = shutil.copytree(corpus, tmp_path / "elsewhere" / corpus.name)
    go(other, out, keep_audio=False)
    assert paths_of(out) == {str(path) for path in other.rglob("*.wav")}


def test_an_index_without_paths_is_read_and_completed(plugins, corpus, tmp_path):
    out = tmp_path / "run"
    go(corpus, out, keep_audio=False)
    path = out / "audio.json"
    listed = json.loads(path.read_text())
    for *_, entry in listed:
        assert entry.pop("path")
    path.write_text(json.dumps(listed))
    assert paths_of(out) == {None}
    go(corpus, out, keep_audio=False)
    assert paths_of(out) == {str(path) for path in corpus.rglob("*.wav")}
