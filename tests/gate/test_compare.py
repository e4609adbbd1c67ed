"""`codecbench compare` on planted regressions, on harmless changes, and on what it must refuse."""

import html
import json
import re
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest

from codecbench.cli.main import main
from codecbench.gate.comparison import compare_runs
from codecbench.gate.formats import FORMATS, render
from codecbench.gate.thresholds import parse_threshold
from codecbench.registry import load_codec
from codecbench.results.run_folder import Run, load_run

SUBSET = 12


@pytest.fixture
def compare(capsys):
    """Run the command; return exit status, stdout and stderr."""

    def call(base, candidate, *options):
        with pytest.raises(SystemExit) as ended:
            main(["compare", str(base), str(candidate), *map(str, options)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def gate(thresholds=("stoi<-0.005", "mel_distance>2%")):
    return [argument for text in thresholds for argument in ("--fail-on", text)]


@pytest.fixture
def copied(gate_runs, tmp_path):
    """Return a copy of the base run to tamper with."""
    return shutil.copytree(gate_runs["base"], tmp_path / "copy")


def edit(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("planted", ["fewer-quantizers", "wrong-resampler"])
def test_planted_regressions_are_caught(planted, gate_runs, compare, tmp_path):
    files = "--junit", tmp_path / "gate.xml", "--summary", tmp_path / "gate.md"
    status, out, err = compare(gate_runs["base"], gate_runs[planted], *gate(), *files)
    assert (status, err) == (1, "")
    assert "FAIL stoi<-0.005" in out
    assert "got worse most in STOI" in out
    (suite,) = ElementTree.parse(tmp_path / "gate.xml").getroot()
    failed = [case.get("name") for case in suite.iter("testcase") if len(case)]
    assert "stoi<-0.005" in failed
    assert suite.get("failures") == str(len(failed))
    assert "**FAIL stoi\\<-0.005**" in (tmp_path / "gate.md").read_text()


def test_another_order_and_a_patch_version_are_harmless(copied, gate_runs, compare):
    rows = sorted((copied / "rows").glob("*.parquet"))
    assert rows
    reverse_rows(rows)
    edit(
        copied / "manifest.json",
        lambda record: record["sessions"][-1]["packages"].update(numpy="9.9.9"),
    )
    status, out, _ = compare(gate_runs["base"], copied, *gate(("stoi<0", "lsd>0")))
    assert status == 0
    assert "no regression: 2 thresholds held" in out
    assert "packages differ: numpy" in out
    assert "9.9.9 now" in out


def reverse_rows(paths):
    import pyarrow.parquet as pq

    for path in paths:
        table = pq.read_table(path)
        pq.write_table(table.take(np.arange(len(table))[::-1]), path)


def test_differences_are_those_of_the_frames(gate_runs):
    base, worse = (load_run(gate_runs[name]) for name in ("base", "fewer-quantizers"))
    found = compare_runs(base, worse)
    frames = [run.frame().set_index(["utterance", "metric"])["value"] for run in (base, worse)]
    (codec,) = found.codecs
    assert {column.name for column in codec.columns} >= {"stoi", "mel_distance", "lsd"}
    for column in codec.columns:
        before, now = (frame.xs(column.name, level=1) for frame in frames)
        assert column.difference.interval.value == pytest.approx((now - before).mean())
        assert column.difference.interval.speakers == 12
        lost = (now - before) * (-1 if column.column.better == "lower" else 1)
        worst = [one.utterance.rpartition("/")[2] for one in column.worst]
        assert worst == list(lost[lost < 0].sort_values(kind="stable").index[:5])
    assert found.passed


def test_what_is_detectable_is_stated(gate_runs):
    runs = [load_run(gate_runs[name]) for name in ("base", "wrong-resampler")]
    found = compare_runs(*runs, [parse_threshold("stoi<-0.5")])
    (codec,) = found.codecs
    by_name = {column.name: column for column in codec.columns}
    assert by_name["stoi"].difference.detectable > 0
    assert "not ruled out" not in render(found, "markdown")
    fine = compare_runs(*reversed(runs), [parse_threshold("stoi<-0.0001")])
    assert fine.passed


def test_a_run_against_itself_changes_nothing(gate_runs, compare):
    status, out, _ = compare(gate_runs["base"], gate_runs["base"], *gate(("stoi<0",)))
    assert status == 0
    assert "+0.0000 [+0.0000, +0.0000]" in out
    assert "changed)" not in out


def test_changed_weights_are_named(copied, gate_runs, compare):
    def change(record):
        (entry,) = record["codecs"].values()
        entry["identity"] = "0" * 16

    edit(copied / "manifest.json", change)
    _, out, _ = compare(gate_runs["base"], copied, "-f", "markdown")
    assert "(implementation or weights changed)" in out


def test_two_codecs_that_are_compared_have_not_changed(copied, compare):
    spec, other = rates = [load_codec(f"soundstream:kbps={kbps}").spec for kbps in (4, 12)]
    hold(copied, rates)
    edit(
        copied / "manifest.json",
        lambda record: record["codecs"][other].update(identity="0" * 16),
    )
    pair = "--base-codec", spec, "--candidate-codec", other
    status, out, err = compare(copied, copied, *pair, "-f", "json")
    assert (status, err) == (0, "")
    (codec,) = json.loads(out)["codecs"]
    assert codec["changed"] is False
    assert "changed)" not in compare(copied, copied, *pair, "-f", "markdown")[1]


def test_new_failures_close_the_gate(copied, gate_runs, compare):
    fail_some(copied, "stoi", 2)
    status, out, _ = compare(gate_runs["base"], copied, *gate(), "-f", "markdown")
    assert status == 1
    assert "FAIL 2 more utterances failed" in out
    status, out, _ = compare(
        gate_runs["base"], copied, *gate(), "-f", "markdown", "--allow-failures", 2
    )
    assert status == 0
    assert "2 more utterances failed" in out
    assert compare(copied, gate_runs["base"], *gate())[0] == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_candidate_that_scores_nothing_is_a_regression(kind, copied, gate_runs, compare):
    fail_some(copied, "stoi", SUBSET)
    status, out, err = compare(gate_runs["base"], copied, *gate(), "-f", kind)
    assert (status, err) == (1, "")
    assert "too short" in out
    if kind == "json":
        columns = {one["name"]: one for one in json.loads(out)["codecs"][0]["columns"]}
        stoi = columns["stoi"]
        assert (stoi["candidate"], stoi["difference"], stoi["utterances"]) == (None, None, 0)
        assert stoi["new_failures"] == SUBSET
        assert stoi["thresholds"] == [{"threshold": "stoi<-0.005", "broken": True}]
    assert compare(copied, gate_runs["base"], *gate())[0] == 2
    assert compare(copied, gate_runs["base"])[0] == 0


def test_failures_in_a_column_without_threshold_close_the_gate_too(copied, gate_runs, compare):
    fail_some(copied, "lsd", SUBSET)
    status, out, _ = compare(gate_runs["base"], copied, *gate(), "-f", "markdown")
    assert status == 1
    assert "FAIL 12 more utterances failed" in out


def test_what_one_run_alone_holds_is_said(copied, gate_runs, compare):
    drop_some(copied, "stoi", 3)
    status, out, _ = compare(gate_runs["base"], copied, "-f", "markdown")
    assert status == 0
    assert (
        f"3 utterances of {gate_runs['base']} are not in the other run".replace("_", r"\_") in out
    )
    assert "3 utterances missing" in out
    assert "FAIL" not in out
    drop_some(copied, "lsd", SUBSET)
    _, out, _ = compare(gate_runs["base"], copied, "-f", "markdown")
    assert re.search(r"columns of .* alone are not compared: lsd", out)

    add_codec(copied)
    status, out, _ = compare(copied, gate_runs["base"], "-f", "markdown")
    assert status == 0
    assert re.search(r"codecs of .* alone are not compared: decoded", out)


def add_codec(folder):
    """Let the run know another codec too, one without rows."""
    edit(folder / "manifest.json", lambda record: record["codecs"].update(
        {f"{spec},bits=8": entry for spec, entry in record["codecs"].items()}))  # fmt: skip


def hold(folder, specs):
    """Let a run of one codec hold others instead, each with the rows of that one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (own,) = load_run(folder).order
    edit(
        folder / "manifest.json",
        lambda record: record.update(codecs=dict.fromkeys(specs, record["codecs"][own])),
    )
    for path in (folder / "rows").glob("*.parquet"):
        table = pq.read_table(path)
        records = [{**row, "codec": spec} for row in table.to_pylist() for spec in specs]
        pq.write_table(pa.Table.from_pylist(records, schema=table.schema), path)


@pytest.mark.parametrize("kind", FORMATS)
def test_utterances_that_the_candidate_lacks_close_the_gate(kind, copied, gate_runs, compare):
    drop_some(copied, "lsd", SUBSET - 2)
    options = *gate(("stoi<-0.01",)), "-f", kind
    status, out, err = compare(gate_runs["base"], copied, *options)
    assert (status, err) == (1, "")
    if kind == "json":
        record = json.loads(out)
        columns = {one["name"]: one for one in record["codecs"][0]["columns"]}
        assert {name: one["missing"] for name, one in columns.items() if one["missing"]} == {
            "lsd": SUBSET - 2
        }
        assert [one["candidate"] for one in columns["lsd"]["worst"][:5]] == [None] * 5
        assert (record["passed"], record["allowed_missing"]) == (False, 0)
    elif kind == "junit":
        suite = ElementTree.fromstring(out)[0]
        failed = [c.get("name") for c in suite.iter("testcase") if c.find("failure") is not None]
        assert failed == ["lsd: missing utterances"]
    else:
        plain = " ".join(out.replace("\\", "").split())
        # The terminal breaks cells into lines.
        assert ("FAIL 10" if kind == "rich" else "FAIL 10 utterances missing") in plain
        assert "1 lack more utterances of the base than allowed" in plain
        assert re.search(r"demo/test/\S+: \S+ → missing", plain)
    assert compare(gate_runs["base"], copied, *options, "--allow-missing", SUBSET - 2)[0] == 0
    assert compare(gate_runs["base"], copied, *options, "--allow-missing", SUBSET - 3)[0] == 1
    assert compare(copied, gate_runs["base"], *options)[0] == 0


def test_a_column_with_nothing_left_breaks_its_thresholds(copied, gate_runs):
    drop_some(copied, "stoi", SUBSET - 1)
    each_row(copied, lambda record: record.update(utterance="another")
             if record["metric"] == "stoi" else None)  # fmt: skip
    runs = [load_run(path) for path in (gate_runs["base"], copied)]
    found = compare_runs(*runs, [parse_threshold("stoi<-0.5")], allowed_missing=SUBSET)
    (column,) = (one for one in found.codecs[0].columns if one.name == "stoi")
    assert (column.missing, column.extra, column.difference) == (SUBSET, 1, None)
    assert column.is_broken
    assert not found.passed


@pytest.fixture
def rates(copied):
    """Let the run hold SoundStream at three rates."""
    specs = [load_codec(f"soundstream:kbps={kbps}").spec for kbps in (4, 8, 12)]
    hold(copied, specs)
    return specs


def labels(out):
    return [codec["base"] for codec in json.loads(out)["codecs"]]


def test_a_codec_without_its_rate_means_every_rate(copied, rates, compare):
    every = [f"soundstream:kbps={kbps}" for kbps in (4, 8, 12)]
    for options in (["soundstream"], ["soundstream", "-c", "soundstream"]):
        status, out, _ = compare(copied, copied, "-c", *options, *gate(), "-f", "json")
        assert (status, labels(out)) == (0, every)
    _, out, _ = compare(copied, copied, "-c", "soundstream:kbps=12|4", "-f", "json")
    assert labels(out) == [every[0], every[2]]


def test_a_chosen_codec_that_the_candidate_lacks_closes_the_gate(copied, rates, compare):
    fewer = shutil.copytree(copied, copied.with_name("fewer"))
    edit(fewer / "manifest.json", lambda record: record["codecs"].pop(rates[0]))
    status, out, _ = compare(copied, fewer, "-c", "soundstream", *gate(), "-f", "json")
    assert status == 1
    assert json.loads(out)["missing_codecs"] == [rates[0]]
    assert f"codecs of {copied} alone are not compared: {rates[0]}" in json.loads(out)["notes"]
    assert compare(copied, fewer, "-c", "soundstream:kbps=8", *gate())[0] == 0
    assert compare(fewer, copied, "-c", "soundstream", *gate())[0] == 0
    status, _, err = compare(copied, fewer, "-c", "soundstream:kbps=4", *gate())
    assert status == 2
    assert "have no codec in common of those that soundstream:kbps=4 means" in err


def test_each_of_a_pair_means_one_codec(copied, rates, compare):
    pair = "--base-codec", "soundstream", "--candidate-codec", "soundstream:kbps=12"
    status, _, err = compare(copied, copied, *pair)
    assert status == 2
    assert "has 3 codecs that 'soundstream' means; name one of " + ", ".join(rates) in err
    pair = "--base-codec", rates[0], "--candidate-codec", "soundstream:kbps=12"
    status, out, _ = compare(copied, copied, *pair, "-f", "json")
    assert (status, labels(out)) == (0, ["soundstream:kbps=4"])


@pytest.mark.parametrize("kind", FORMATS)
def test_codecs_that_the_candidate_lacks_close_the_gate(kind, copied, gate_runs, compare):
    (spec,) = load_run(copied).order
    add_codec(copied)
    status, out, err = compare(copied, gate_runs["base"], *gate(), "-f", kind)
    assert (status, err) == (1, "")
    plain = " ".join(html.unescape(out).replace("\\", "").split())
    if kind == "json":
        assert json.loads(out)["missing_codecs"] == [f"{spec},bits=8"]
    else:
        assert "regression: the candidate lacks decoded:" in plain
        assert "bits=8" in plain
    if kind == "junit":
        suite = ElementTree.fromstring(out)[-1]
        assert (suite.get("name"), suite.get("failures")) == ("codecs", "1")
    pair = "--base-codec", spec, "--candidate-codec", spec
    assert compare(copied, gate_runs["base"], *gate(), *pair)[0] == 0
    assert compare(copied, gate_runs["base"])[0] == 0
    assert compare(gate_runs["base"], copied, *gate())[0] == 0


def test_what_a_codec_was_trained_on_is_not_missing(copied, gate_runs, compare):
    speaker = load_run(copied).frame()["speaker"].iloc[0]

    def train(record):
        (entry,) = record["codecs"].values()
        entry["card"]["training_speakers"] = [f"demo:{speaker}"]

    edit(copied / "manifest.json", train)
    for runs in ((gate_runs["base"], copied), (copied, gate_runs["base"])):
        status, out, _ = compare(*runs, *gate(), "-f", "json")
        record = json.loads(out)
        assert status == 0
        assert any("trained on are left out" in note for note in record["notes"])
        for column in record["codecs"][0]["columns"]:
            assert (column["missing"], column["extra"]) == (0, 0)
            assert column["utterances"] < SUBSET


def test_rows_that_are_not_compared_are_not_read(gate_runs, monkeypatch):
    asked = []
    frame = Run.frame

    def watched(self, *arguments, metrics=None, **options):
        asked.append(metrics)
        return frame(self, *arguments, metrics=metrics, **options)

    monkeypatch.setattr(Run, "frame", watched)
    found = compare_runs(*(load_run(gate_runs["base"]) for _ in range(2)), metrics=["stoi"])
    assert [column.name for column in found.codecs[0].columns] == ["stoi"]
    assert asked
    assert all(names == ["stoi"] for names in asked)


def test_files_are_written_into_new_folders(gate_runs, compare, tmp_path):
    new = tmp_path / "new" / "folder"
    for times in (1, 2):
        status, _, err = compare(
            gate_runs["base"], gate_runs["base"], *gate(),
            "--summary", new / "a" / "gate.md", "--junit", new / "b" / "gate.xml",
        )  # fmt: skip
        assert (status, err) == (0, "")
        assert (new / "a" / "gate.md").read_text().count("### ✅") == times
    assert (new / "b" / "gate.xml").is_file()


def test_how_to_keep_audio_is_said_only_of_what_got_worse(gate_runs, compare, tmp_path):
    runs = gate_runs["base"], gate_runs["fewer-quantizers"]
    _, out, _ = compare(*runs, *gate(), "-f", "json", "--worst-audio", tmp_path / "worst")
    notes = json.loads(out)["notes"]
    _, out, _ = compare(*runs, *gate(), "-f", "markdown")
    for run in runs:
        assert f"repeat the command of {run} with --keep-audio".replace("_", r"\_") in out
    assert not any("keep-audio" in note for note in notes)
    assert {path.suffix for path in (tmp_path / "worst").rglob("*.*")} == {".wav"}
    assert "keep-audio" not in compare(runs[0], runs[0], *gate())[1]


def other_audio(record):
    record[0][3]["sha256"] = "0" * 64


def no_common_audio(record):
    for item in record:
        item[2] += "-other"


def other_definition(record):
    metric = next(entry for spec, entry in record["metrics"].items() if spec.startswith("stoi"))
    metric["identity"] = "0" * 16


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("audio.json", other_audio, "the audio of demo/test/.* is another"),
        ("audio.json", no_common_audio, "have no utterance in common"),
        ("manifest.json", other_definition, "stoi cannot be compared: .* version"),
        (
            "manifest.json",
            lambda record: record.update(rate=8000),
            "its corpora's own .16000 Hz., of the second 8000 Hz",
        ),
        (
            "manifest.json",
            lambda record: record.update(protocol=0),
            "protocol of the first is 1, of the second 0",
        ),
        ("manifest.json", lambda record: record.update(codecs={}), "have no codec in common"),
    ],
)
def test_what_cannot_be_compared(file, change, message, copied, gate_runs, compare):
    edit(copied / file, change)
    (copied / "utterances.csv").unlink()  # It lists what the index now lacks.
    status, out, err = compare(gate_runs["base"], copied, *gate())
    assert (status, out) == (2, "")
    assert re.search(message, err)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-on", "pesq_wb<-0.02"], "has no column 'pesq_wb' (it has"),
        (["--fail-on", "stoi"], "cannot read the threshold 'stoi'"),
        (["--fail-on", "stoi>0.01"], "higher stoi is better); write stoi<-0.01"),
        (["--fail-on", "mel_distance<-0.5"], "lower mel_distance is better); write mel_distance>0"),
        (["--codec", "opus"], ": this run has no codec 'opus' (it has decoded:"),
        (["--base-codec", "opus"], "belong together"),
        (["-m", "pesq"], "pesq"),
    ],
)
def test_wrong_use(options, message, gate_runs, compare):
    status, _, err = compare(gate_runs["base"], gate_runs["base"], *options)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_missing_run(gate_runs, compare, tmp_path):
    status, _, err = compare(tmp_path / "nowhere", gate_runs["base"])
    assert status == 2
    assert "there is no run folder" in err


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_say_the_same(kind, gate_runs):
    runs = [load_run(gate_runs[name]) for name in ("base", "fewer-quantizers")]
    found = compare_runs(*runs, [parse_threshold(text) for text in ("stoi<-0.005", "lsd>9")])
    text = render(found, kind)
    assert text.endswith("\n")
    plain = html.unescape(text).replace("\\", "")
    stoi = next(one for one in found.codecs[0].columns if one.name == "stoi")
    assert "stoi<-0.005" in plain
    assert f"{stoi.difference.interval.value:.3f}" in plain
    assert all(one.utterance in plain for one in stoi.worst)
    assert ("lsd>9" in plain) == (kind in ("json", "junit"))


def test_json_holds_everything(gate_runs, compare):
    status, out, _ = compare(
        gate_runs["base"], gate_runs["fewer-quantizers"], *gate(), "-f", "json", "-m", "stoi"
    )
    record = json.loads(out, parse_constant=pytest.fail)
    assert (status, record["passed"]) == (1, False)
    columns = {column["name"]: column for column in record["codecs"][0]["columns"]}
    assert set(columns) == {"stoi", "mel_distance"}
    stoi = columns["stoi"]
    assert stoi["low"] < stoi["difference"] < stoi["high"] < -0.005
    assert stoi["thresholds"] == [{"threshold": "stoi<-0.005", "broken": True}]
    assert 0 < stoi["p_value"] < 0.05


def test_hostile_names_are_no_markup(copied, compare):
    hostile_ids(copied)
    worse = shutil.copytree(copied, copied.with_name("worse"))
    lower(worse, "stoi")
    options = *gate(), "-f", "markdown", "--junit", worse / "gate.xml"
    status, out, _ = compare(copied, worse, *options)
    assert status == 1
    assert r"\<script\>\|" in out
    assert "<script>" not in out
    ElementTree.parse(worse / "gate.xml")


def hostile_ids(folder):
    def rename(record):
        record["utterance"] = f"<script>|{record['utterance']}"

    each_row(folder, rename)
    (folder / "utterances.csv").unlink()  # It lists the old names.
    edit(
        folder / "audio.json",
        lambda record: [item.__setitem__(2, f"<script>|{item[2]}") for item in record],
    )


def lower(folder, metric):
    def change(record):
        if record["metric"] == metric:
            record["value"] -= 0.1

    each_row(folder, change)


def fail_some(folder, metric, count):
    left = iter(range(count))

    def change(record):
        if record["metric"] == metric and next(left, None) is not None:
            record.update(value=float("nan"), error="too short")

    each_row(folder, change)


def drop_some(folder, metric, count):
    left = iter(range(count))
    each_row(
        folder,
        lambda record: None,
        lambda record: record["metric"] != metric or next(left, None) is None,
    )


def each_row(folder, change, kept=lambda record: True):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in (folder / "rows").glob("*.parquet"):
        table = pq.read_table(path)
        records = [record for record in table.to_pylist() if kept(record)]
        for record in records:
            change(record)
        pq.write_table(pa.Table.from_pylist(records, schema=table.schema), path)


@pytest.mark.parametrize("left", [None, "[]"])
def test_audio_that_was_not_recorded_is_said(left, gate_runs, copied, compare):
    index = copied / "audio.json"
    index.unlink()
    if left is not None:
        index.write_text(left)
    status, _, err = compare(gate_runs["base"], copied)
    assert status == 2
    assert f"audio.json lacks {SUBSET} of the run's {SUBSET} utterances" in err
