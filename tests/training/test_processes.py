"""Training in two processes on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from codecbench.adapters.training import stage_training, trainer
from codecbench.adapters.training.crops import Batch, BatchMaker
from codecbench.adapters.training.randomness import Purpose

from .tiny import TinyCodec, recipe_text

STAGES = """
[[stages]]
name = "analysis"
steps = 2
batch_size = 4
quantize = false
start = "principal_components"
losses = { waveform_sdr = 0.1, log_mel = 0.1 }

[[stages]]
name = "coding"
steps = 2
batch_size = 4
layers = "all"
balance = true
codebooks = { decay = 0.9, dead_below = 0.0, balanced = true, kmeans_batches = 3 }
losses = { log_mel = 1.0, waveform_sdr = 1.0, commitment = 0.5 }
"""

WITNESS = """
import atexit, os
import torch
from tiny import TinyCodec

class Witness(TinyCodec):
    @classmethod
    def build_network(cls, config):
        network = super().build_network(config)
        if network.device.type == "meta":  # built to be counted, not to be trained
            return network
        path = f"{os.environ['WITNESS']}/{os.environ.get('LOCAL_RANK', 'first')}.pt"
        atexit.register(lambda: torch.save(network.state_dict(), path))
        return network
"""


@pytest.fixture
def site(tmp_path):
    """A folder in which the tiny codec is installed, so that each process tells its weights."""
    folder = tmp_path / "site"
    info = folder / "tiny-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "tiny.py").write_text(Path(__file__).with_name("tiny.py").read_text())
    (folder / "witness.py").write_text(WITNESS)
    (info / "entry_points.txt").write_text("[codecbench.codecs]\ntiny = witness:Witness\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    return folder


@pytest.mark.slow
def test_two_processes_learn_the_same_as_one_with_both_batches(site, speech, tmp_path, monkeypatch):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(recipe_text(speech, stages=STAGES, extra=""))
    environment = {**os.environ, "PYTHONPATH": str(site), "WITNESS": str(tmp_path)}
    command = [sys.executable, "-m", "codecbench", "train", str(recipe), "--devices", "2"]
    done = subprocess.run(
        [*command, "--threads", "1", "--out", str(tmp_path / "two")],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = saved(tmp_path / "two")
    second = torch.load(tmp_path / "1.pt")
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    alone = trained(recipe, tmp_path / "alone")
    both_batches(monkeypatch)
    together = trained(recipe, tmp_path / "together")
    # Adam makes full steps of gradients that are rounding errors, so that some weights differ.
    assert distance(first, together) < 0.1 * distance(first, alone)


def trained(recipe, folder):
    trainer.train(recipe, TinyCodec, {"out": folder, "threads": 1})
    return saved(folder)


def saved(folder):
    return torch.load(folder / "last.pt", weights_only=True)["states"]["models"]["network"]


def distance(one, other):
    return sum((one[name] - other[name]).square().sum().item() for name in one) ** 0.5


def both_batches(monkeypatch):
    """Let one process draw what two would, in its steps."""
    make = BatchMaker.__call__

    def joined(self, stage, step, size, purpose=Purpose.CROPS):
        mine = make(self, stage, step, size, purpose)
        if purpose != Purpose.CROPS:
            return mine
        other = BatchMaker(self.speech, None, self.config, self.seed, rank=1)
        waves = torch.cat([mine.inputs, make(other, stage, step, size).inputs])
        return Batch(waves, waves)

    layers = stage_training.draw_layers
    monkeypatch.setattr(BatchMaker, "__call__", joined)
    monkeypatch.setattr(stage_training, "draw_layers", lambda *rest: layers(*rest).repeat(2))
