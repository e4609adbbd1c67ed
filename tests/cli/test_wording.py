"""What is said of mistakes that users make with names and keys."""

import json

import pytest

from codecbench.cli.main import main


@pytest.fixture
def refusal(capsys):
    """Run the command line on something wrong; return its one line."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        (line,) = said.err.splitlines()
        return line

    return call


@pytest.fixture(scope="module")
def run_of_stoi(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    with pytest.raises(SystemExit) as ended:
        main(
            ["run", "--codec", "mulaw", "--metrics", "stoi", "--subset", "2",
             "--out", str(folder), "--jobs", "1"]
        )  # fmt: skip
    assert ended.value.code == 0
    return folder


@pytest.mark.parametrize(
    ("spec", "needs"),
    [
        ("external", "external needs the keys encode and decode"),
        ("external:rate=8000", "external needs the keys encode and decode"),
        ("external:encode=x", "external needs the key decode"),
        ("decoded", "decoded needs the key dir"),
    ],
)
def test_missing_keys_are_all_named_with_the_way_to_their_description(refusal, spec, needs):
    name = spec.partition(":")[0]
    line = f"codecbench: {needs}; see `codecbench describe {name}`"
    assert refusal("bench-speed", spec) == line


def test_an_unknown_choice_is_said_without_the_libraries_prefix(refusal):
    line = refusal("list", "columns")
    assert "Value error" not in line
    assert "'columns' is not one of 'codecs', 'metrics', 'corpora'" in line


def test_known_names_are_listed_once(refusal):
    listed = refusal("describe", "qqqq", "--kind", "metric").partition("known: ")[2].rstrip(")")
    names = listed.split(", ")
    assert {"stoi", "estoi"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["estoi", "stoi,estoi", "pesq_wb", "pesq"])
def test_a_metric_that_was_not_computed_is_told_from_an_unknown_one(refusal, run_of_stoi, name):
    line = refusal("report", run_of_stoi, "-m", name)
    absent = name.removeprefix("stoi,")
    assert line.startswith(f"codecbench: {absent} is not in this run (it has stoi, kbps, ")
    assert "estoi" not in line.partition("it has")[2]
    assert "unknown metric 'qqqq'" in refusal("report", run_of_stoi, "-m", "qqqq")


def test_groups_are_named_as_help_names_them(refusal, run_of_stoi):
    line = refusal("report", run_of_stoi, "--by", "corpus,colour")
    assert line.endswith("'colour' (choose any of corpus, split, speaker, rate; or none)")


@pytest.fixture
def answer(capsys):
    """Run the command line; return what it prints."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert (ended.value.code, said.err) == (0, "")
        return said.out

    return call


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    monkeypatch.delenv("CODECBENCH_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path


@pytest.mark.parametrize("name", ["external", "decoded", "folder"])
def test_what_needs_keys_is_described_by_its_name_alone(answer, name):
    out = answer("describe", name)
    assert "yes, needs keys: " in out
    assert "required" in out
    assert f"{name}:" in out.partition("Example:")[2]


def test_doctor_list_and_describe_say_the_same_of_corpora(answer, no_data):
    findings = json.loads(answer("doctor", "-f", "json", "--data-root", no_data))["findings"]
    told = {item["name"]: item for item in findings if item["kind"] == "corpus"}
    listed = json.loads(answer("list", "corpora", "-f", "json", "--data-root", no_data))
    assert [item["name"] for item in listed] == list(told)
    for item in listed:
        doctors = told[item["name"]]
        assert (doctors["state"] == "missing") == (item["unavailable"] is not None)
        assert doctors["note"] == (item["unavailable"] or item["note"])
        described = json.loads(answer("describe", item["name"], "-f", "json"))
        assert (described["unavailable"] is None) == (item["unavailable"] is None)
    assert told["folder"]["note"] == "needs keys: path"
    assert told["demo"]["note"] == "36 utterances"
    assert told["vctk"]["state"] == "missing"


def test_list_looks_where_the_data_root_says(answer, refusal, no_data):
    folder = no_data / "here" / "LJSpeech-1.1"
    (folder / "wavs").mkdir(parents=True)
    (folder / "metadata.csv").write_text("LJ001-0001|Text.|Text.\n")
    (folder / "wavs" / "LJ001-0001.wav").touch()
    at = {"none": no_data, "here": no_data / "here"}
    found = {
        key: {item["name"]: item for item in json.loads(
            answer("list", "corpora", "-f", "json", "--data-root", root))}
        for key, root in at.items()
    }  # fmt: skip
    assert found["none"]["ljspeech"]["utterances"] is None
    assert found["here"]["ljspeech"]["utterances"] == 1
    assert "no data root" in refusal("list", "corpora", "--data-root", no_data / "nowhere")


def test_metrics_are_listed_with_their_columns(answer):
    out = answer("list", "metrics")
    for column in ("pesq_nb_raw", "estoi", "dwer"):
        assert column in out
    assert "columns" in out.splitlines()[0]
