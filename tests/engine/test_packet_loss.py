"""Runs that lose packets: the same for all codecs and workers, recorded, never mixed."""

import numpy as np
import pytest

import codecbench
from codecbench.errors import UserError
from codecbench.packet_loss import PacketLoss

CODECS = ["plug-frames", "plug-frames:step=2"]


def go(corpus, out, codec=CODECS, loss="20%", **options):
    options = {"jobs": 1, "metrics": ["plug_error"], **options}
    return codecbench.run(codec, f"folder:{corpus}", out=out, packet_loss=loss, **options)


def by_column(run, name):
    frame = run.frame()
    return frame[frame.metric == name].set_index(["codec", "utterance"])


def test_lost_packets_are_rows_of_counts(plugins, corpus, tmp_path):
    rows = by_column(go(corpus, tmp_path / "run"), "lost_packets")
    assert len(rows) == 6 * 2
    for (_, utterance), row in rows.iterrows():
        samples = 4000 + int(utterance[-1])
        key = (row.corpus, row.split, utterance)
        assert row.denominator == -(-samples // 100)
        assert row.numerator == len(PacketLoss(rate=0.2).draw(int(row.denominator), key))
    assert 0 < rows.numerator.sum() < rows.denominator.sum() / 2


def test_codecs_orders_and_workers_meet_the_same_losses(plugins, corpus, tmp_path):
    one = go(corpus, tmp_path / "one")
    log = (plugins / "lost").read_text().splitlines()
    assert {line.partition(" ")[2] for line in log if "step=1" in line} == {
        line.partition(" ")[2] for line in log if "step=2" in line
    }
    two = go(corpus, tmp_path / "two", codec=CODECS[::-1], jobs=2)
    assert one.frame().equals(two.frame())


def test_bits_are_those_sent_and_quality_falls(plugins, corpus, tmp_path):
    whole = go(corpus, tmp_path / "whole", loss=None)
    torn = go(corpus, tmp_path / "torn", loss="50%")
    np.testing.assert_array_equal(by_column(whole, "kbps").value, by_column(torn, "kbps").value)
    assert (by_column(torn, "plug_error").value > 2 * by_column(whole, "plug_error").value).all()
    assert "lost_packets" not in set(whole.frame().metric)


def test_losses_are_recorded_and_stand_under_the_table(plugins, corpus, tmp_path):
    run = go(corpus, tmp_path / "run", loss="5%,burst=3,seed=9")
    assert run.manifest.packet_loss == PacketLoss(rate=0.05, burst=3, seed=9)
    note = "5 % of packets lost in bursts of 3 on average, seed 9; concealment is the codec's own"
    assert note in run.table().notes
    assert note in str(run.table())


def test_the_same_losses_continue_and_others_are_refused(plugins, corpus, tmp_path):
    out = tmp_path / "run"
    go(corpus, out, loss=0.05)
    scored = len((plugins / "score").read_text().splitlines())
    go(corpus, out, loss="5%")
    assert len((plugins / "score").read_text().splitlines()) == scored
    with pytest.raises(UserError, match="made with --packet-loss 5%, not with --packet-loss 6%"):
        go(corpus, out, loss="6%")
    with pytest.raises(UserError, match="made with --packet-loss 5%, not without --packet-loss"):
        go(corpus, out, loss=None)
    go(corpus, tmp_path / "whole", loss=None)
    with pytest.raises(UserError, match="made without --packet-loss, not with --packet-loss 5%;"):
        go(corpus, tmp_path / "whole", loss="5%")


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        (["plug-frames", "plug-plain", "identity"], "lost with plug-plain:step=1, identity: only"),
        ("plug-frames:streams=off", "cannot stream with streams=off"),
    ],
)
def test_codecs_that_cannot_are_refused_before_any_work(plugins, corpus, tmp_path, codec, message):
    with pytest.raises(UserError, match=message):
        go(corpus, tmp_path / "run", codec=codec)
    assert not (tmp_path / "run").exists()


def test_folders_of_runs_are_named_after_their_losses(plugins, corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = codecbench.run("plug-frames", f"folder:{corpus.name}/../speech", metrics="plug_error",
                         packet_loss="5%,burst=3", subset=1, jobs=1)  # fmt: skip
    assert run.path.name.endswith("subset1-loss5pct-burst-3")
    assert set(codecbench.load_run(run.path).frame().metric) >= {"lost_packets", "kbps"}
