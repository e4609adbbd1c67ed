"""``codecbench rank`` and ``codecbench bd`` through the command line."""

import csv
import io
import itertools
import json

import numpy as np
import pytest

import codecbench
from codecbench.cli.main import main
from codecbench.reports.families import chosen, families_of
from codecbench.statistics.paired import paired_differences


@pytest.fixture
def command(capsys):
    """Run the command line; return exit status, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of opus and G.726 at several rates, an anchor, and one codec at one rate."""
    path = tmp_path_factory.mktemp("runs") / "rates"
    codecs = ["opus:kbps=12|16|32", "g726:kbps=16|24|40", "g722", "identity"]
    codecbench.run(codecs, "demo", ["stoi", "lsd"], path, subset=8, jobs=1)
    return path


def test_ranks_as_a_table(command, folder):
    status, out, err = command("rank", folder, "-m", "stoi")
    assert (status, err) == (0, "")
    for text in ("STOI ↑, corpus demo: 8 utterances, 8 speakers", "wins", "who beats whom"):
        assert text in out
    assert "identity" not in out, "anchors are not ranked"


def test_ranks_are_those_of_the_pairs(command, folder):
    _, out, _ = command("rank", folder, "-m", "stoi", "-f", "json")
    records = json.loads(out, parse_constant=pytest.fail)
    assert [record["place"] for record in records] == list(range(1, 8))
    values = [record["value"] for record in records]
    assert values == sorted(values, reverse=True)
    frame = codecbench.load_run(folder).frame(metrics=["stoi"])
    table = frame.pivot(index="utterance", columns="codec", values="value")
    speakers = frame.groupby("utterance")["speaker"].first().loc[table.index]
    specs = [record["codec"] for record in records]
    scores = table[specs].to_numpy().T
    parts = np.stack([scores, np.ones_like(scores)], axis=-1)
    pairs = list(itertools.combinations(range(7), 2))
    each = dict(zip(pairs, paired_differences(parts, pairs, speakers, pooled=False), strict=True))
    for place, record in enumerate(records):
        won = [other for (one, other), found in each.items() if one == place and found.is_finding]
        assert [specs[other] for other in won] == record["beats"]
        assert record["wins"] == len(won)


def test_ranks_by_holm_say_so(command, folder):
    _, out, _ = command("rank", folder, "-m", "stoi", "-f", "markdown", "--adjust", "holm")
    assert "adjusted for all pairs of a table (Holm)" in out
    _, out, _ = command("rank", folder, "-m", "stoi", "-f", "markdown")
    assert "adjusted for all pairs of a table (step-down maxT)" in out


def test_deltas_as_a_table(command, folder):
    status, out, err = command("bd", folder, "--anchor", "g726", "-m", "lsd,stoi")
    assert (status, err) == (0, "")
    for text in ("against g726", "opus", "STOI", "kbit/s", "%"):
        assert text in out
    assert "g722" not in out, "one rate is no curve"


def test_deltas_in_full(command, folder, tmp_path):
    path = tmp_path / "deltas.csv"
    options = "--anchor", "g726:kbps=24|40", "--tested", "opus", "--tested", "g722"
    status, out, _ = command("bd", folder, *options, "-m", "stoi", "-f", "csv", "-o", path)
    assert (status, out) == (0, "")
    opus, g722 = csv.DictReader(io.StringIO(path.read_text()))
    assert float(opus["delta_metric_from"]) >= 23.9
    assert g722["delta_rate_percent_reason"] == (
        "g722: one point is no curve; two rates or more are needed"
    )
    assert g722["delta_rate_percent_value"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["bd", "--anchor", "lc3", "-m", "stoi"], "this run has no codec 'lc3'"),
        (["bd", "--anchor", "opus:kbps=6", "-m", "stoi"], "no codec 'opus:kbps=6'"),
        (["bd", "--anchor", "opus", "-m", "pesq_wb"], "pesq_wb"),
        (["bd", "--anchor", "opus", "--tested", "mp3", "-m", "stoi"], "no codec 'mp3'"),
        (["rank", "-m", "pesq"], "pesq"),
    ],
)
def test_wrong_use(options, message, command, folder):
    name, *rest = options
    status, _, err = command(name, folder, *rest)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_family_is_what_differs_in_rate_alone(folder):
    specs = codecbench.load_run(folder).order
    families = families_of(specs)
    assert list(families) == ["opus", "g726", "g722", "identity"]
    assert chosen(specs, "opus:kbps=12.0") == [specs[0]]
    assert chosen(specs, "opus") == specs[:3]
