"""The laws that every codec obeys; each is a function of one `Case`.

A codec joins by a row in `codec_specs`. Codecs whose specs need a machine's paths run the laws
from their own tests: ``@pytest.mark.parametrize("law", LAWS, ids=law_name)`` and
``law(Case.of(spec))``.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.bitstream import Bitstream
from codecbench.codec import Codec, CodecCard
from codecbench.errors import UnavailableError
from codecbench.protocol import decode, encode, estimate_delay
from codecbench.registry import codec_of

from .codec_damage import damaged
from .codec_signals import (
    EVALUATION_RATE,
    band_level,
    chirp,
    clicks,
    envelope_delay,
    likeness,
    noise,
    syllables,
    voice,
)
from .codec_specs import STANDARD_FRAMES

VOCODERS = frozenset({"codec2"})
"""Codecs that synthesize with a phase of their own: their waveform is no copy of the input's."""

VOCODER_TOLERANCE = 0.010
"""Seconds. Vocoders send the level every 10 to 40 ms and interpolate, so their loudness contour
is known to a fraction of that only; a delay that is wrong by one frame (20 or 40 ms) fails."""

LEAST_LIKENESS = 0.35
"""Correlation below which a delay that was read from a waveform means nothing. Opus at 6 and AMR at
4.75 kbit/s keep 0.41 and 0.45 of the impulses; LC3 at 24 kbit/s over 7.5 ms keeps 0.39 and already
reads one sample off, while speech and a chirp are in place."""

LENGTHS = (1, 2, 159, 160, 161, 319, 320, 321, 1_023, 1_025, 16_001)


@dataclass(frozen=True)
class Case:
    """A codec and the spec that named it."""

    spec: str
    codec: Codec

    @classmethod
    def of(cls, spec: str) -> Case:
        """Load the codec of a spec; skips where it is unavailable on this machine."""
        codec = codec_of(spec)
        assert isinstance(codec, Codec)
        try:
            codec.check_available()
        except UnavailableError as error:
            pytest.skip(str(error))
        codec.setup()
        return cls(spec, codec)

    @property
    def card(self) -> CodecCard:
        return self.codec.card

    @property
    def rate(self) -> int:
        return self.card.sample_rate or EVALUATION_RATE

    @property
    def delay(self) -> int:
        return self.card.delay_samples or 0

    def voice(self, samples: int | None = None, seed: int = 0) -> Audio:
        return voice(self.rate if samples is None else samples, self.rate, seed)


def spec_is_canonical(case: Case) -> None:
    """The canonical spec parses to itself and the identity is a stable hash."""
    again = codec_of(case.codec.spec)
    assert again.spec == case.codec.spec
    assert again.identity == case.codec.identity == codec_of(case.spec).identity
    assert len(case.codec.identity) == 16


def card_is_complete(case: Case) -> None:
    """A codec that encodes knows its own delay; what the card claims is possible."""
    card = case.card
    assert card.name == case.codec.name
    assert card.title
    assert card.description
    assert card.licence
    assert card.delay_samples is not None
    assert card.bandwidth_hz is None or 0 < card.bandwidth_hz <= case.rate / 2
    assert card.algorithmic_latency_ms is None or card.algorithmic_latency_ms >= 0
    json.dumps(card.as_dict())


def any_length_comes_back(case: Case) -> None:
    """Any length from one sample on returns at least samples + delay finite samples."""
    for samples in LENGTHS:
        bitstream = case.codec.encode(case.voice(samples))
        assert bitstream.samples == samples
        decoded = case.codec.decode(bitstream)
        assert decoded.sample_rate == bitstream.sample_rate == case.rate
        assert len(decoded) >= samples + case.delay, f"{samples} samples in, {len(decoded)} out"
        assert decoded.is_finite


def any_level_comes_back(case: Case) -> None:
    """Silence, the faintest sample, full scale and beyond are coded without complaint."""
    square = np.where(np.arange(4_000) // 20 % 2, 1.0, -1.0).astype(np.float32)
    for level in (0.0, 1 / 32768, 1.0, 3.0):
        decoded = case.codec.decode(case.codec.encode(Audio(level * square, case.rate)))
        assert decoded.is_finite
        assert np.abs(decoded.samples).max() <= 8.0


def bits_are_counted(case: Case) -> None:
    """The container round-trips, and the counted bits are those of the packets."""
    bitstream = case.codec.encode(case.voice())
    assert bitstream.codec == case.codec.spec
    assert Bitstream.from_bytes(bitstream.to_bytes()) == bitstream
    assert bitstream.main_bits == sum(packet.bits for packet in bitstream.packets) > 0
    assert bitstream.bits == bitstream.main_bits + bitstream.side_bits


def standard_bits_are_exact(case: Case) -> None:
    """Where a standard fixes the bits of a frame, exactly these are counted."""
    if case.spec not in STANDARD_FRAMES:
        pytest.skip("no standard fixes the bits of a frame")
    frame, bits = STANDARD_FRAMES[case.spec]
    for samples in (*LENGTHS, 5 * case.rate):
        frames = -(-(samples + case.delay) // frame)
        assert case.codec.encode(case.voice(samples)).main_bits == frames * bits


def encoding_keeps_no_state(case: Case) -> None:
    """A, B, A gives the same A, in the encoder and in the decoder."""
    first, other = case.voice(seed=1), case.voice(7_777, seed=2)
    a, b, again = (case.codec.encode(audio) for audio in (first, other, first))
    assert a.to_bytes() == again.to_bytes()
    one, _, two = (case.codec.decode(bitstream) for bitstream in (a, b, a))
    assert np.array_equal(one.samples, two.samples)


def batch_equals_loop(case: Case) -> None:
    """Batches give what single calls give."""
    audios = [case.voice(samples, seed) for seed, samples in enumerate((8_000, 161, 3_999))]
    bitstreams = case.codec.encode_batch(audios)
    assert bitstreams == [case.codec.encode(audio) for audio in audios]
    batch = case.codec.decode_batch(bitstreams)
    for bitstream, decoded in zip(bitstreams, batch, strict=True):
        assert np.array_equal(decoded.samples, case.codec.decode(bitstream).samples)


def input_is_not_changed(case: Case) -> None:
    """The caller's samples are read, never written."""
    audio = case.voice()
    before = audio.samples.copy()
    case.codec.encode(audio)
    assert np.array_equal(audio.samples, before)


def aligned_to_the_sample(case: Case) -> None:
    """Impulses and a chirp come back where they were, by the declared delay alone."""
    if case.codec.name in VOCODERS:
        reference = syllables()
        shift = envelope_delay(reference, _through(case.codec, reference))
        assert abs(shift) <= VOCODER_TOLERANCE, f"late by {1000 * shift:.1f} ms"
        return
    for make in (clicks, chirp):
        reference = make(case.card)
        decoded = _through(case.codec, reference)
        late = estimate_delay(reference, decoded)
        assert late == 0, f"{make.__name__}: late by {late} samples at {EVALUATION_RATE} Hz"
        assert likeness(reference, decoded) > LEAST_LIKENESS, f"{make.__name__} are not there"


def bandwidth_is_what_the_card_says(case: Case) -> None:
    """White noise comes back up to the declared bandwidth, and not above it."""
    reference = noise(case.rate)
    decoded = case.codec.decode(case.codec.encode(reference))
    half = case.rate / 2
    edge = case.card.bandwidth_hz or half
    loss = band_level(reference, 0, half) - band_level(decoded, 0.7 * edge, 0.9 * edge)
    assert loss < 10.0, f"{loss:.1f} dB lost just below {edge:.0f} Hz"
    if 1.15 * edge < half:
        gap = band_level(decoded, 0.2 * edge, 0.8 * edge) - band_level(decoded, 1.15 * edge, half)
        assert gap > 25.0, f"only {gap:.1f} dB less above {edge:.0f} Hz"


def fresh_process_agrees(case: Case) -> None:
    """Another process encodes the same bits and decodes the same audio."""
    audio = case.voice()
    bitstream = case.codec.encode(audio)
    results, _ = _fresh(case.spec)
    assert results["encoded"] == hashlib.sha256(bitstream.to_bytes()).hexdigest()
    assert results["00-whole"] == case.codec.decode(bitstream).sha256()


def damage_is_survived(case: Case) -> None:
    """Damaged bitstreams decode to something or raise a codec's error; nothing crashes."""
    results, death = _fresh(case.spec)
    assert not death, death
    for step, result in results.items():
        assert "\n" not in result, f"{step}: {result}"
    assert results["zz-whole"] == results["00-whole"], "damage left traces in the codec"


LAWS: tuple[Callable[[Case], None], ...] = (
    spec_is_canonical,
    card_is_complete,
    any_length_comes_back,
    any_level_comes_back,
    bits_are_counted,
    standard_bits_are_exact,
    encoding_keeps_no_state,
    batch_equals_loop,
    input_is_not_changed,
    aligned_to_the_sample,
    bandwidth_is_what_the_card_says,
    fresh_process_agrees,
    damage_is_survived,
)


def law_name(law: Callable[[Case], None]) -> str:
    """Return a law's name for the test's id."""
    return law.__name__


def _through(codec: Codec, reference: Audio) -> Audio:
    return decode(codec, encode(codec, reference), reference).audio


@functools.cache
def _fresh(spec: str) -> tuple[dict[str, str], str]:
    """Run ``fresh_process.py`` on whole and damaged bitstreams: results, and how it died."""
    case = Case.of(spec)
    audio = case.voice()
    whole = case.codec.encode(audio)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "audio.npy", audio.samples)
        (folder / "rate.txt").write_text(str(audio.sample_rate))
        variants = [("00-whole", whole), *damaged(whole), ("zz-whole", whole)]
        for step, bitstream in variants:
            (folder / f"{step}.cbs").write_bytes(bitstream.to_bytes())
        command = [sys.executable, str(Path(__file__).with_name("fresh_process.py")), spec, name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    results = dict(json.loads(line) for line in done.stdout.splitlines())
    if done.returncode == 0:
        return results, ""
    step = next((step for step, _ in variants if step not in results), "the end")
    return results, f"{spec} died at {step}: {done.stderr[-2000:]}"
