"""Speex: its packets alone are counted, its delay is exact, its programs are kept in check."""

import io
import math
import subprocess
import tempfile
import time
from dataclasses import replace

import numpy as np
import pytest

from codecbench.adapters.speex.codec import MODES
from codecbench.adapters.speex.ogg import read_packets, write_packets
from codecbench.audio import Audio, write_audio
from codecbench.bitstream import Packet
from codecbench.errors import BitstreamError, CodecError, UnavailableError, UserError
from codecbench.protocol import decode, encode, estimate_delay
from codecbench.registry import codec_of, load_codec

from .codec_signals import voice


def load(spec):
    try:
        return load_codec(spec)
    except UnavailableError as error:
        pytest.skip(str(error))


def band_clicks(low, high, rate):
    from scipy.signal import firwin

    pulse = firwin(255, [low, high], pass_zero=False, fs=rate)
    signal = np.zeros(2 * rate)
    for start in (0.123, 0.467, 0.822, 1.181):
        signal[int(start * rate) : int(start * rate) + len(pulse)] += pulse
    return Audio((0.5 * signal / np.abs(signal).max()).astype(np.float32), rate)


@pytest.mark.parametrize("mode", MODES)
def test_impulses_come_back_in_place_at_the_codecs_own_rate(mode):
    codec = load(f"speex:mode={mode},quality=8")
    rate = codec.card.sample_rate
    reference = band_clicks(300, 0.4 * rate, rate)
    assert estimate_delay(reference, decode(codec, encode(codec, reference), reference).audio) == 0


@pytest.mark.parametrize("mode", ["nb", "wb"])
@pytest.mark.parametrize("quality", range(11))
def test_packets_have_the_manuals_rate_in_whole_bytes(mode, quality):
    codec = load(f"speex:mode={mode},quality={quality}")
    bitstream = codec.encode(voice(codec.card.sample_rate // 4, codec.card.sample_rate))
    (bits,) = {packet.bits for packet in bitstream.packets}
    nominal = 20 * codec.card.nominal_kbps
    assert nominal <= bits <= 8 * math.ceil(nominal / 8) + 8
    assert bitstream.side_bits == 0


def test_packets_are_those_of_speexenc_read_by_another_demuxer(tmp_path):
    import av

    codec = load("speex:quality=6")
    audio = voice(16_000, 16_000)
    write_audio(tmp_path / "in.wav", audio.fitted(len(audio) + codec.card.delay_samples))
    command = ["speexenc", "-w", "--quality", "6", "in.wav", "out.spx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with av.open(str(tmp_path / "out.spx")) as file:
        expected = [bytes(packet) for packet in file.demux() if packet.size]
    assert [packet.data for packet in codec.encode(audio).packets] == expected


def test_a_rebuilt_file_is_read_by_another_demuxer():
    import av

    packets = [bytes([number]) * (number * 97 % 700 + 1) for number in range(30)]
    data = load("speex")._ogg(packets)
    with av.open(io.BytesIO(data)) as file:
        assert [bytes(packet) for packet in file.demux() if packet.size] == packets
        assert file.streams.audio[0].rate == 16_000


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 510, 255 * 255 - 1, 255 * 255, 150_000])
def test_packets_of_any_size_survive_ogg(size):
    packets = [b"first", bytes(range(256)) * (size // 256) + bytes(size % 256), b"last"]
    data = write_packets(packets, [0, 160, 320])
    assert read_packets(data) == packets


def test_every_flipped_byte_and_every_cut_of_an_ogg_file_is_noticed():
    packets = [b"one" * 20, b"two" * 30]
    data = write_packets(packets, [0, 160])
    for position in range(len(data)):
        broken = bytearray(data)
        broken[position] ^= 0x10
        with pytest.raises(BitstreamError):
            read_packets(bytes(broken))
    first = len(write_packets(packets[:1], [0]))
    for length in set(range(1, len(data))) - {first}:
        with pytest.raises(BitstreamError):
            read_packets(data[:length])


def test_odd_packets_are_refused_before_anything_runs(monkeypatch):
    codec = load("speex")
    bitstream = codec.encode(voice(800, 16_000))
    monkeypatch.setenv("PATH", "")
    odd = replace(bitstream, packets=(Packet(b"\x80", 1), *bitstream.packets[1:]))
    with pytest.raises(BitstreamError, match="whole bytes"):
        codec.decode(odd)
    with pytest.raises(BitstreamError, match="are needed"):
        codec.decode(replace(bitstream, samples=2**32 - 1))


@pytest.mark.parametrize("key", ["quality=11", "quality=-1", "quality=x", "mode=swb"])
def test_unknown_values_are_refused(key):
    with pytest.raises(UserError, match=f"speex: {key.partition('=')[0]}"):
        codec_of(f"speex:{key}")


def test_without_the_programs_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="speexenc is not installed: apt install speex"):
        load_codec("speex")


@pytest.fixture
def impostor(monkeypatch, tmp_path):
    """Put a shell script in the place of speexenc and give the temporary folder a known place."""

    def place(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "speexenc"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        return temporary

    return place


def test_a_failing_program_says_why_and_leaves_nothing_behind(impostor):
    temporary = impostor("echo one >&2; echo 'disk  is full' >&2; exit 3")
    with pytest.raises(CodecError, match=r"^speexenc ended with status 3: disk is full$"):
        codec_of("speex").encode(voice(100, 16_000))
    assert not list(temporary.iterdir())


def test_a_program_that_writes_no_ogg_is_noticed(impostor):
    impostor('for last; do :; done; echo nonsense > "$last"')
    with pytest.raises(BitstreamError, match="Ogg"):
        codec_of("speex").encode(voice(100, 16_000))


def test_a_hanging_program_is_stopped_with_its_children(impostor, monkeypatch):
    temporary = impostor("sleep 60 & sleep 60")
    monkeypatch.setattr("codecbench.adapters.speex.codec.TIMEOUT_SECONDS", 0.3)
    start = time.monotonic()
    with pytest.raises(CodecError, match=r"took longer than 0\.3 s"):
        codec_of("speex").encode(voice(100, 16_000))
    assert time.monotonic() - start < 10
    assert not list(temporary.iterdir())
