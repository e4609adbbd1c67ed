"""``codecbench table`` through the command line."""

import csv
import io
import json
import shutil

import pytest

from codecbench.cli.main import main


def made(folder, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["run", *arguments, "--jobs", "1", "--out", str(folder)])
    assert ended.value.code == 0
    return str(folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return three runs: two of the same speech, one of another rate."""
    root = tmp_path_factory.mktemp("runs")
    stoi = ("--metrics", "stoi", "--subset", "2")
    return {
        "ONE": made(root / "one", "--codec", "mulaw", "--codec", "g722", *stoi),
        "TWO": made(root / "two", "--codec", "mulaw", "--codec", "lowpass", *stoi),
        "RATE": made(root / "rate", "--codec", "mulaw", *stoi, "--rate", "8000"),
    }


@pytest.fixture
def command(capsys, runs):
    """Run the command; return exit status, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["table", *(runs.get(part, part) for part in arguments)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_runs_are_shown_as_one_and_each_number_once(command):
    status, text, err = command("ONE", "TWO", "-m", "stoi", "-f", "csv")
    assert (status, err) == (0, "")
    records = list(csv.DictReader(io.StringIO(text)))
    names = [record["codec"].partition(":")[0] for record in records]
    assert names == ["mulaw", "g722", "lowpass"]
    assert {record["n"] for record in records} == {"2"}
    _, alone, _ = command("ONE", "-m", "stoi", "-f", "csv")
    first = next(csv.DictReader(io.StringIO(alone)))
    assert {key: first[key] for key in ("value", "n")} == {
        key: records[0][key] for key in ("value", "n")
    }
    _, text, _ = command("ONE", "TWO", "-f", "json", "-m", "stoi")
    assert any("that of the run named first: mulaw" in n for n in json.loads(text)["notes"])


def test_codecs_and_corpora_are_chosen(command):
    _, text, _ = command("ONE", "--codec", "g722", "--corpus", "demo", "-f", "json")
    assert {cell["codec"].partition(":")[0] for cell in json.loads(text)["cells"]} == {"g722"}


def test_bands_of_counted_rate(command):
    _, text, _ = command("ONE", "TWO", "-m", "stoi", "--bands", "100", "-f", "json")
    bands = {cell["codec"].partition(":")[0]: cell["band"] for cell in json.loads(text)["cells"]}
    assert bands["g722"] == "≤ 100 kbit/s"
    assert bands["lowpass"] == "> 100 kbit/s"


def test_published_rows(command, tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text(
        "system,variant,bitrate_kbps,dataset,metric,value,source,arxiv_id,table\n"
        "Lyra & co,,3.2,demo set,STOI,0.91,page 3,1234.5678,Table 1\n",
        encoding="utf-8",
    )
    status, text, _ = command(
        "ONE", "-m", "kbps,stoi", "--published", str(path), "--bands", "6", "-f", "latex",
        "--standalone", "--caption", "All", "--system", "lyra & CO",
    )  # fmt: skip
    assert status == 0
    assert text.startswith(r"\documentclass")
    assert r"Lyra \& co, 3.2 kbit/s \textdagger{}a & 3.2 & 0.91 \\" in text
    assert r"$\le$ 6 kbit/s" in text
    assert "arXiv 1234.5678, Table 1; demo set; page 3" in text


def test_published_rows_of_another_corpus(command):
    arguments = ("ONE", "-m", "kbps,stoi", "--published", "bundled", "-f", "csv")
    status, text, _ = command(
        *arguments, "--system", "svcodec", "--published-corpus", "librispeech"
    )
    assert status == 0
    assert "librispeech" in text
    assert "0.765" in text


def test_a_run_at_its_corpuss_own_rate_stands_beside_one_at_the_same_rate(command, runs, tmp_path):
    copy = shutil.copytree(runs["TWO"], tmp_path / "copy")
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["rate"] is None
    for rate, expected in ((16000, 0), (24000, 2)):
        path.write_text(json.dumps({**manifest, "rate": rate}))
        assert command("ONE", str(copy), "-m", "stoi")[0] == expected
        assert command(str(copy), "ONE", "-m", "stoi")[0] == expected


def test_a_codec_or_metric_that_changed_between_runs_is_refused(command, runs, tmp_path):
    for part, kind in (("codecs", "mulaw"), ("metrics", "stoi")):
        copy = tmp_path / part
        shutil.copytree(runs["TWO"], copy)
        path = copy / "manifest.json"
        manifest = json.loads(path.read_text())
        spec = next(one for one in manifest[part] if one.partition(":")[0] == kind)
        manifest[part][spec]["identity"] = "another"
        path.write_text(json.dumps(manifest))
        status, _, err = command("ONE", str(copy), "-m", "stoi")
        assert status == 2
        assert kind in err
        assert "another implementation" in err or "cannot be compared" in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/run"], "there is no run folder /no/such/run"),
        (["ONE", "ONE"], "a run is given twice"),
        (
            ["ONE", "RATE"],
            "the evaluation rate of the first is its corpora's own (16000 Hz), of the second",
        ),
        (["ONE", "--bands", "fast"], "bands are rates in kbit/s"),
        (["ONE", "--corpus", "vctk"], "there are no results of corpus 'vctk' (known: demo)"),
        (["ONE", "--codec", "opus"], "this run has no codec 'opus'"),
        (["ONE", "-m", "pesq"], "pesq is not in this run"),
        (["ONE", "--system", "opus"], "give --published, too"),
        (["ONE", "--published-corpus", "vctk"], "--published-corpus chooses among published"),
        (["ONE", "--published", "bundled"], "none of the published numbers is of demo"),
        (["ONE", "--published", "/no/such.csv"], "there is no file /no/such.csv"),
        (["ONE", "-f", "csv", "--caption", "A"], "--caption does not go with csv"),
        (["ONE", "-f", "latex", "--label", "}"], "must begin with a letter"),
        (["ONE", "--standalone"], "--standalone does not go with rich"),
    ],
)
def test_mistakes_are_one_line_and_status_2(command, arguments, message):
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
