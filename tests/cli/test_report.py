"""``codecbench report``, ``list``, ``describe`` and ``bench-speed`` through the command line."""

import csv
import io
import json

import pytest

from codecbench.cli.main import main


@pytest.fixture
def command(capsys):
    """Run the command line; return exit status, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    with pytest.raises(SystemExit) as ended:
        main(
            ["run", "--codec", "lowpass", "--codec", "mulaw", "--metrics", "stoi,estoi,si_sdr",
             "--subset", "6", "--out", str(folder), "--jobs", "1"]
        )  # fmt: skip
    assert ended.value.code == 0
    return folder


def test_a_run_as_a_table(command, finished_run):
    status, out, err = command("report", str(finished_run))
    assert (status, err) == (0, "")
    for text in ("STOI ↑", "kbps", "lowpass", "mulaw", "speakers", "95 % interval"):
        assert text in out
    assert "\x1b" not in out


def test_formats_agree_with_each_other(command, finished_run):
    _, text, _ = command("report", str(finished_run), "--format", "csv")
    records = {(r["codec"], r["metric"]): r for r in csv.DictReader(io.StringIO(text))}
    _, text, _ = command("report", str(finished_run), "--format", "json")
    cells = json.loads(text, parse_constant=pytest.fail)["cells"]
    assert len(cells) == len(records) > 0
    for cell in cells:
        value = records[cell["codec"], cell["metric"]]["value"]
        assert cell["value"] == (float(value) if value else None)


def test_metrics_are_chosen_by_metric_or_column(command, finished_run):
    _, text, _ = command("report", str(finished_run), "-f", "json", "-m", "stoi,si_sdr")
    assert list(json.loads(text)["columns"]) == ["stoi", "si_sdr"]
    _, text, _ = command("report", str(finished_run), "-f", "json", "-m", "bitrate")
    assert list(json.loads(text)["columns"]) == ["kbps", "kbps_main", "kbps_file"]


def test_grouping(command, finished_run):
    _, text, _ = command("report", str(finished_run), "-f", "json", "--by", "corpus,split")
    assert json.loads(text)["keys"] == ["corpus", "split"]
    _, text, _ = command("report", str(finished_run), "-f", "json", "--by", "none")
    assert json.loads(text)["keys"] == []


def test_output_goes_into_a_file(command, finished_run, tmp_path):
    path = tmp_path / "deep" / "table.tex"
    status, out, _ = command("report", str(finished_run), "-f", "latex", "-o", str(path))
    assert (status, out) == (0, "")
    assert r"\toprule" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "/no/such/run"], "there is no run folder /no/such/run"),
        (["report", "RUN", "-m", "stoii"], "did you mean"),
        (["report", "RUN", "--by", "colour"], "cannot group by 'colour'"),
        (["report", "RUN", "-f", "pdf"], "pdf"),
        (["describe", "opsu"], "did you mean opus?"),
        (["describe", "opus:kbps=zero"], "opus: kbps"),
        (["list", "people"], "people"),
        (["bench-speed", "opsu"], "unknown codec 'opsu'"),
        (["bench-speed", "mulaw", "--corpus", "nowhere"], "unknown corpus 'nowhere'"),
    ],
)
def test_mistakes_are_one_line_and_status_2(command, finished_run, arguments, message):
    arguments = [str(finished_run) if part == "RUN" else part for part in arguments]
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("what", ["codecs", "metrics", "corpora"])
def test_lists(command, what):
    status, out, _ = command("list", what)
    assert status == 0
    assert "runs here" in out
    _, text, _ = command("list", what, "--format", "json")
    records = json.loads(text, parse_constant=pytest.fail)
    names = [record["name"] for record in records]
    assert {"codecs": "opus", "metrics": "stoi", "corpora": "demo"}[what] in names
    assert all(name in out for name in names)


@pytest.mark.parametrize("name", ["opus:kbps=12", "stoi", "librispeech"])
@pytest.mark.parametrize("form", ["rich", "markdown", "json"])
def test_cards(command, name, form):
    status, out, err = command("describe", name, "--format", form)
    assert (status, err) == (0, "")
    assert name.split(":")[0] in out


def test_a_column_is_described_by_its_metric(command):
    _, out, _ = command("describe", "estoi", "--format", "json")
    assert json.loads(out)["kind"] == "metric"


def test_speed_as_json_and_text(command):
    _, out, _ = command("bench-speed", "mulaw", "--subset", "1", "--format", "json")
    (found,) = json.loads(out)
    assert found["rtf_encode"] > 0
    status, out, _ = command("bench-speed", "lowpass:hz=3000|3500", "--subset", "1")
    assert status == 0
    assert "lowpass:hz=3000" in out
    assert "one process, one thread" in out


@pytest.mark.parametrize("name", ["report", "list", "describe", "bench-speed"])
def test_help_has_examples(command, name):
    status, out, _ = command(name, "--help")
    assert status == 0
    assert f"codecbench {name} " in out
    assert "Example" in out


def test_records_name_the_definition_of_their_numbers(command, finished_run):
    _, text, _ = command("report", str(finished_run), "--format", "csv")
    records = {r["metric"]: r for r in csv.DictReader(io.StringIO(text))}
    assert records["stoi"]["title"] == "STOI"
    assert records["estoi"]["definition"] == "stoi"
    assert records["clipped"]["definition"] == "clipping"
