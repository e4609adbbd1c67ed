"""A codec of one's own, installed as another distribution would be, in several versions.

It works at 24 kHz around the bundled SoundStream, which works at 16 kHz: what a project may have.
The lines between the marks are what its versions differ in.
"""

from dataclasses import replace

import numpy as np

from codecbench.audio import Audio
from codecbench.codec import Codec, CodecCard
from codecbench.registry import load_codec

RATE, INNER_RATE = 24000, 16000
# begin
KBPS = 12


def resampled(audio, rate):
    return audio.resampled(rate)


# end


class Mine(Codec):
    """SoundStream at 24 kHz."""

    name = "mine"
    network = None

    @property
    def inner(self):
        if self.network is None:
            self.network = load_codec(f"soundstream:kbps={KBPS}")
        return self.network

    @property
    def card(self):
        delay = self.inner.card.delay_samples * RATE // INNER_RATE
        return CodecCard(
            self.name, "Mine", "SoundStream at 24 kHz", "MIT", sample_rate=RATE, delay_samples=delay
        )

    def encode(self, audio):
        coded = self.inner.encode(resampled(audio, INNER_RATE))
        return self.bitstream(audio, coded.packets)

    def decode(self, bitstream):
        samples = -(-bitstream.samples * INNER_RATE // RATE)
        inner = replace(bitstream, codec=self.inner.spec, samples=samples, sample_rate=INNER_RATE)
        decoded = resampled(self.inner.decode(inner), RATE).samples
        due = bitstream.samples + self.card.delay_samples
        return Audio(np.pad(decoded, (0, max(0, due - len(decoded)))), RATE)
