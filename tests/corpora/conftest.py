"""Builds small corpora in official layouts."""

import numpy as np
import pytest

from codecbench.audio import Audio, write_audio


@pytest.fixture
def place(tmp_path):
    """Write a short tone, or text, at a path below the data root."""

    def write(path, text=None, rate=16000):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            target.write_text(text, encoding="utf-8")
        else:
            wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(rate // 10) / rate)
            write_audio(target, Audio(wave, rate))
        return target

    return write
