"""A codec small enough to be trained within a test, and recipes for it."""

import wave
from pathlib import Path

import numpy as np
import pytest

from codecbench.errors import UserError

RATE = 8000

MODEL = """
[model]
sample_rate = 8000
[model.seanet]
strides = [2]
first_stride = 8
kernel_size = 16
encoder_channels = [8, 12]
decoder_channels = [8, 12]
latent_channels = 6
mdct_start = true
zero_start = true
residual_kernel_size = 3
dilations = [1]
[model.quantizer]
codebooks = 3
codebook_size = 8
"""

STAGES = """
[[stages]]
name = "analysis"
steps = 3
batch_size = 4
quantize = false
start = "principal_components"
learning_rate = 1e-3
final_learning_rate = 1e-4
warmup_steps = 1
losses = { waveform_sdr = 0.1, log_mel = 0.1 }

[[stages]]
name = "coding"
steps = 3
batch_size = 4
schedule = "cosine"
layers = "stratified"
balance = true
codebooks = { decay = 0.9, dead_below = 0.2, balanced = true, kmeans_batches = 3 }
losses = { log_mel = 1.0, adversarial = 1.0, feature_matching = 2.0, commitment = 0.5 }
"""

SELECTION = """
[selection]
every = 2
utterances = 2
seconds = 0.5
metrics = ["si_sdr"]
best = "si_sdr"
rates = [1]
"""


class TinyCodec:
    """What the trainer asks of a codec class."""

    name = "tiny"
    variants = ("test",)

    @classmethod
    def network_config(cls):
        from codecbench.adapters.nn.network import SeanetNetworkConfig

        return SeanetNetworkConfig

    @classmethod
    def build_network(cls, config):
        from codecbench.adapters.nn.network import SeanetNetwork

        return SeanetNetwork(config)

    @classmethod
    def trainer(cls):
        from codecbench.adapters.training.trainer import train

        return train


def recipe_text(speech: Path, stages: str = STAGES, extra: str = SELECTION) -> str:
    """Return a recipe that uses all kinds of loss in its two stages."""
    return f"""
codec = "tiny"
variant = "test"
seed = 7
{MODEL}
[data]
corpora = ["folder:{speech}"]
reserved_speakers = 2
crop_seconds = 0.25
level_rms = 0.1
gain_db = [-6.0, 6.0]
speeds = [0.9, 1.0]
polarity_flip = true
[losses.mel]
windows = [128, 256]
bins = [8, 16]
[discriminators.multi_period]
periods = [2, 3]
channels = 2
[ema]
decay = 0.9
[log]
every = 2
{stages}
{extra}
"""


def refused(path: Path, codec: type, old: str, new: str, message: str) -> str:
    """Change a recipe in one place; check that training refuses it in one line, and return that."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=message) as error:
        codec.trainer()(path, codec, {"out": path.parent / "out"})
    assert "\n" not in str(error.value)
    return str(error.value)


def write_speech(folder: Path, speakers: int = 5, seconds: float = 0.6) -> Path:
    """Write coloured noise, two files a speaker."""
    for number in range(2 * speakers):
        generator = np.random.default_rng(number)
        noise = generator.standard_normal(round(seconds * RATE) + 100 * number)
        voice = np.convolve(noise, np.hanning(9 + number), "same")
        pcm = np.round(8000 * voice / np.abs(voice).max()).astype("<i2")
        path = folder / f"s{number % speakers}" / f"u{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(pcm.tobytes())
    return folder
