"""AMR-NB: the packets are the standard's speech bits."""

from itertools import pairwise

import numpy as np
import pytest

from codecbench import protocol
from codecbench.adapters.amr_nb.codec import FRAME_BITS, AmrNbCodec
from codecbench.adapters.pyav_coder import Coder
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError, UserError
from codecbench.registry import codec_of

from .codec_signals import clicks, likeness, voice

MODES = [f"{kbps:g}" for kbps in FRAME_BITS]


@pytest.mark.parametrize("mode", MODES)
def test_another_decoder_reads_the_rebuilt_frames(mode):
    """FFmpeg has a decoder of its own, in floating point, independent of OpenCORE's."""
    codec = codec_of(f"amr-nb:kbps={mode}")
    bitstream = codec.encode(voice(16_000, 8_000))
    octet = bytes([MODES.index(mode) << 3 | 4])
    other = Coder("libopencore_amrnb", "amrnb", 8_000)
    theirs = other.decode([octet + packet.data for packet in bitstream.packets])
    ours = codec.decode(bitstream).samples
    error = np.mean((theirs[: len(ours)] - ours) ** 2)
    assert 10 * np.log10(np.mean(ours**2) / error) > 20


@pytest.mark.parametrize("mode", MODES)
def test_the_rate_is_the_mode(mode):
    codec = codec_of(f"amr-nb:kbps={mode}")
    frame_bits = FRAME_BITS[float(mode)]
    assert frame_bits * 50 == round(1000 * float(mode))
    bitstream = codec.encode(voice(8_000 - 40, 8_000))
    assert [packet.bits for packet in bitstream.packets] == [frame_bits] * 50


def test_more_bits_are_better():
    """On impulses above 300 Hz: below, the coder's high-pass filter turns the phase."""
    values = []
    for mode in (MODES[0], MODES[4], MODES[7]):
        codec = codec_of(f"amr-nb:kbps={mode}")
        reference = clicks(codec.card)
        decoded = protocol.decode(codec, protocol.encode(codec, reference), reference)
        values.append(likeness(reference, decoded.audio))
    assert all(better > worse + 0.1 for worse, better in pairwise(values))


def test_a_frame_of_another_mode_is_refused():
    codec = AmrNbCodec()
    bitstream = codec_of("amr-nb:kbps=4.75").encode(voice(800, 8_000))
    with pytest.raises(BitstreamError, match=r"frame 0 has 95 bits; amr-nb:kbps=12.2 sends 244"):
        codec.decode(bitstream)
    assert Packet(b"\0" * 31, 244).bits == FRAME_BITS[12.2]


def test_a_mode_that_does_not_exist_is_named():
    with pytest.raises(UserError, match=r"kbps.*must be one of 4.75, 5.15.*\(got 8\)"):
        codec_of("amr-nb:kbps=8")
