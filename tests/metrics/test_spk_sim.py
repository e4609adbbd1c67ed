"""Speaker similarity: real speakers apart, cached reference, conformance."""

from itertools import combinations

import pytest

from codecbench.audio import read_audio
from codecbench.corpora.base import Utterance
from codecbench.metric import Decoded
from codecbench.metrics.spk_sim import SpeakerSimilarity

from .conformance_rows import ANSWERS, rows
from .signals import synthetic_speech, with_noise

ROWS = rows(["versa", "golden"], [mode for mode, (spec, _) in ANSWERS.items() if spec == "spk_sim"])


@pytest.fixture(scope="module")
def metric():
    metric = SpeakerSimilarity()
    metric.setup()
    return metric


def test_reference_is_embedded_once(metric, monkeypatch):
    speech = synthetic_speech(2.0)
    waves = []
    embed = metric._encoder.embed
    monkeypatch.setattr(
        type(metric._encoder), "embed", lambda self, wave: waves.append(1) or embed(wave)
    )
    prepared = metric.prepare(Utterance.from_audio(speech))
    for snr in (20.0, 10.0):
        metric.score(prepared, Decoded.from_audio(with_noise(speech, snr)))
    assert len(waves) == 3


def test_speakers_are_told_apart(metric, data_root):
    folders = sorted((data_root / "LibriSpeech" / "test-other").iterdir())[:3]
    audios = [
        [read_audio(path) for path in sorted(folder.glob("*/*.flac"))[:2]] for folder in folders
    ]
    if len(audios) < 2 or any(len(pair) < 2 for pair in audios):
        pytest.skip("needs two utterances each of two speakers of LibriSpeech test-other")
    value = lambda x, y: metric.measure(x, y)["spk_sim"].value  # noqa: E731
    same = min(value(*pair) for pair in audios)
    different = max(value(a[0], b[0]) for a, b in combinations(audios, 2))
    assert same > different


def test_conformance_rows_are_there(conformance_root):
    assert len(ROWS) >= 1


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_conformance(row, metric, conformance_root):
    got = metric.measure(*row.audio(conformance_root))["spk_sim"].value
    assert got == pytest.approx(row.expected, abs=row.tolerance)
