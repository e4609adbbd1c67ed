"""Runs of twelve demo utterances through decoded audio that is as it was, or worse."""

import numpy as np
import pytest

import codecbench
from codecbench.audio import Audio, write_audio
from codecbench.registry import load_codec, load_corpus
from codecbench.subset import subset

SUBSET = 12
METRICS = ["stoi", "mel_distance", "lsd"]
CODEC = "soundstream:kbps=12"
FEWER = "soundstream:kbps=4"


def decoded_by(codec, speech):
    return codec.decode(codec.encode(speech))


def carelessly_resampled(speech):
    """Go through 10 kHz and back along straight lines, as a broken resampler does."""
    times = np.arange(len(speech)) / speech.sample_rate
    coarse = np.arange(0, times[-1], 1 / 10_000)
    samples = np.interp(times, coarse, np.interp(coarse, times, speech.samples))
    return Audio(samples.astype(np.float32), speech.sample_rate)


CHANGES = {
    "base": lambda good, fewer, speech: good,
    "fewer-quantizers": lambda good, fewer, speech: fewer,
    "wrong-resampler": lambda good, fewer, speech: carelessly_resampled(good),
}


@pytest.fixture(scope="session")
def gate_runs(tmp_path_factory):
    """Return run folders by what was changed; all runs have one codec, of one name."""
    root = tmp_path_factory.mktemp("gate")
    utterances = subset(load_corpus("demo").utterances(), SUBSET)
    good, fewer = load_codec(CODEC), load_codec(FEWER)
    folder = root / "decoded"
    spoken = {one.id: one.audio() for one in utterances}
    coded = {key: (decoded_by(good, it), decoded_by(fewer, it)) for key, it in spoken.items()}
    runs = {}
    for name, change in CHANGES.items():
        for key, speech in spoken.items():
            write_audio(folder / f"{key}.wav", change(*coded[key], speech))
        runs[name] = root / name
        codecbench.run(
            f'decoded:dir="{folder}",label=candidate', "demo", METRICS, runs[name],
            subset=SUBSET, jobs=1,
        )  # fmt: skip
    return runs
