import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from codecbench.audio import Audio, read_audio, write_audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.cli.main import main


@pytest.fixture
def speech(tmp_path):
    noise = np.random.default_rng(0).standard_normal(16000)
    path = tmp_path / "speech.wav"
    write_audio(path, Audio(0.2 * np.convolve(noise, np.hanning(9) / 9, "same"), 16000))
    return path


def call(*arguments):
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    return done.value.code


def test_a_file_goes_through_a_codec_and_back(speech, tmp_path, capsys):
    coded, decoded = tmp_path / "x.cbs", tmp_path / "y.wav"
    assert call("encode", speech, "--codec", "g722", "-o", coded, "--format", "json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["main_bits"] % 8 == 0
    assert summary["kbps"] == pytest.approx(64, rel=0.02)
    assert summary["kbps_file"] > summary["kbps"]
    assert call("decode", coded, "-o", decoded) == 0
    audio = read_audio(decoded)
    assert (len(audio), audio.sample_rate) == (16000, 16000)
    correlation = np.corrcoef(audio.samples, read_audio(speech).samples)[0, 1]
    assert correlation > 0.95, "the declared delay was not removed"


def test_names_of_outputs_follow_the_input(speech, capsys):
    assert call("encode", speech, "--codec", "identity") == 0
    assert call("decode", speech.with_suffix(".cbs"), "--force") == 0
    assert speech.with_suffix(".cbs").exists()


def test_another_codec_than_the_files_is_refused(speech, tmp_path, capsys):
    call("encode", speech, "--codec", "identity", "-o", tmp_path / "x.cbs")
    assert call("decode", tmp_path / "x.cbs", "--codec", "mulaw", "-o", tmp_path / "y.wav") == 2
    assert "was made by identity, not by mulaw" in capsys.readouterr().err
    assert not (tmp_path / "y.wav").exists()


def test_a_source_of_decoded_audio_cannot_encode(speech, tmp_path, capsys):
    assert call("encode", speech, "--codec", f"decoded:dir={tmp_path}", "-o", "x.cbs") == 2
    assert "cannot encode or decode" in capsys.readouterr().err


def test_packets_are_lost_on_the_way_to_the_decoder(speech, tmp_path, capsys):
    pytest.importorskip("lc3")
    coded = tmp_path / "x.cbs"
    call("encode", speech, "--codec", "lc3", "-o", coded)
    capsys.readouterr()
    for name, options in (("whole", ()), ("torn", ("--packet-loss", "20%")),
                          ("again", ("--packet-loss", "0.2"))):  # fmt: skip
        assert call("decode", coded, "-o", tmp_path / f"{name}.wav", "-f", "json", *options) == 0
        summary = json.loads(capsys.readouterr().out)
        assert ("lost_packets" in summary) == bool(options)
    assert 5 < summary["lost_packets"] < 40
    whole, torn, again = (
        read_audio(tmp_path / f"{name}.wav").samples for name in ("whole", "torn", "again")
    )
    assert len(torn) == len(whole)
    assert not np.array_equal(torn, whole)
    assert np.array_equal(torn, again)


def test_packets_cannot_be_lost_with_a_codec_that_does_not_stream(speech, tmp_path, capsys):
    call("encode", speech, "--codec", "mulaw", "-o", tmp_path / "x.cbs")
    assert call("decode", tmp_path / "x.cbs", "--packet-loss", "5%", "-o", tmp_path / "y.wav") == 2
    assert "packets cannot be lost with mulaw" in capsys.readouterr().err
    assert not (tmp_path / "y.wav").exists()


def bitstream_of(**changes):
    packets = (Packet.whole(bytes(100)),)
    return replace(Bitstream("mulaw", 100, 8000, packets), **changes).to_bytes()


def hostile(spec):
    """Make a container whose spec was written by a stranger, its checksum right."""
    body = bitstream_of()[:-4].replace(struct.pack("<H", 5), struct.pack("<H", len(spec)), 1)
    body = body.replace(b"mulaw", spec, 1)
    return body + struct.pack("<I", zlib.crc32(body))


DAMAGE = {
    "empty": (b"", "not a codecbench bitstream"),
    "noise": (bytes(range(256)), "not a codecbench bitstream"),
    "newer": (b"CBS\x02" + bitstream_of()[4:], "container version 2"),
    "cut": (bitstream_of()[:-1], "damaged or cut off"),
    "flipped": (bitstream_of()[:-9] + b"\x01" + bitstream_of()[-8:], "damaged or cut off"),
    "no UTF-8": (hostile(b"\xff\xfe"), "not UTF-8"),
    "unknown codec": (hostile(b"nobody"), "unknown codec 'nobody'"),
    "no spec": (hostile(b""), "a spec starts with a name"),
    "escapes": (hostile(b"mulaw:\x1b[31m=1"), "is not a key"),
    "long spec": (hostile(b"m" * 60_000), "unknown codec"),
    "sweep": (hostile(b"opus:kbps=6|12" + b",a=1|2" * 9000), "is given twice"),
    "outside": (hostile(b"decoded:dir=/etc"), "names commands, files or addresses"),
    "an hour": (bitstream_of(samples=3600 * 8000), "28800000"),
    "too long": (bitstream_of(samples=2**32 - 1), "are not speech"),
    "rate": (bitstream_of(codec="g722", sample_rate=8000), "states 8000 Hz"),
    "packets": (bitstream_of(packets=()), "0 samples"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_damage_is_told_in_one_line(kind, tmp_path, capsys):
    data, message = DAMAGE[kind]
    (tmp_path / "x.cbs").write_bytes(data)
    assert call("decode", tmp_path / "x.cbs", "-o", tmp_path / "y.wav") == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert len(said) < 2100
    assert said[:-1].isprintable()
    assert not (tmp_path / "y.wav").exists()
