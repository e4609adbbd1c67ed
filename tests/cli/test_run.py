import json

import pytest

from codecbench.cli.main import main

CHEAP = ["--codec", "lowpass:hz=1000|3500", "--metrics", "si_sdr", "--subset", "3", "--jobs", "1"]


def call(*arguments):
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    return done.value.code


def test_run_prints_the_columns_asked_for_and_the_rate(tmp_path, capsys):
    assert call("run", *CHEAP, "--out", tmp_path / "run", "--format", "json") == 0
    printed = capsys.readouterr()
    table = json.loads(printed.out)
    assert {cell["metric"] for cell in table["cells"]} == {"kbps", "si_sdr"}
    assert {cell["codec"] for cell in table["cells"]} == {"lowpass:hz=1000", "lowpass:hz=3500"}
    assert f"results are in {tmp_path / 'run'}" in printed.err


def test_a_run_file_does_what_flags_do_and_flags_win(tmp_path, capsys):
    path = tmp_path / "run.toml"
    path.write_text(
        f'codec = "lowpass:hz=1000|3500"\nmetrics = "si_sdr,clipped"\nsubset = 3\njobs = 1\n'
        f'out = "{tmp_path / "run"}"\n'
    )
    assert call("run", path, "--metrics", "si_sdr", "--format", "csv") == 0
    from_file = capsys.readouterr().out
    assert call("run", *CHEAP, "--out", tmp_path / "flags", "--format", "csv") == 0
    assert capsys.readouterr().out == from_file


def test_a_run_of_nothing_but_failures_ends_with_status_1(tmp_path, capsys):
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "a.wav").write_text("not audio")
    status = call("run", "--codec", "identity", "--corpus", f"folder:{tmp_path / 'speech'}",
                  "--metrics", "si_sdr", "--out", tmp_path / "run", "--jobs", "1")  # fmt: skip
    assert status == 1
    assert "every measurement failed" in capsys.readouterr().err


def test_a_run_that_loses_packets_says_so_and_counts_them(tmp_path, capsys):
    pytest.importorskip("lc3")
    arguments = ("--codec", "lc3", "--metrics", "si_sdr,lost_packets", "--subset", "2",
                 "--jobs", "1", "--packet-loss", "5%,seed=3")  # fmt: skip
    assert call("run", *arguments, "--out", tmp_path / "run", "--format", "json") == 0
    table = json.loads(capsys.readouterr().out)
    (lost,) = (cell for cell in table["cells"] if cell["metric"] == "lost_packets")
    assert 0.01 < lost["value"] < 0.12
    note = "5 % of packets lost, seed 3; concealment is the codec's own"
    assert note in table["notes"]
    assert call("report", tmp_path / "run", "--format", "markdown") == 0
    assert note in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--device", "cudaa", "device 'cudaa' cannot be used here"),
        ("--data-root", "/nowhere", "there is no data root /nowhere"),
    ],
)
def test_a_wrong_device_or_data_root_is_refused_before_any_work(
    tmp_path, capsys, option, value, message
):
    assert call("run", *CHEAP, "--out", tmp_path / "run", option, value) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_doctor_and_list_know_every_component(capsys):
    from codecbench.registry import CODECS, CORPORA, METRICS, names

    assert call("doctor", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    everything = {name for kind in (CODECS, METRICS, CORPORA) for name in names(kind)}
    assert {item["name"] for item in found} == everything
    assert {item["state"] for item in found if item["name"] in ("opus", "pesq", "demo")} == {
        "ready"
    }
