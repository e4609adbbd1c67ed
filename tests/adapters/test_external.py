"""External commands: a codec written as a Python script, and everything commands can do wrong."""

import shlex
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from codecbench.audio import Audio
from codecbench.bitstream import Bitstream, Packet
from codecbench.errors import BitstreamError, CodecError, UnavailableError, UserError
from codecbench.protocol import decode, encode, estimate_delay
from codecbench.registry import codec_of, load_codec
from codecbench.spec import Spec

from .codec_laws import LAWS, Case, law_name
from .codec_signals import voice

SCRIPT = '''
"""A codec: 8-bit PCM, packed by zlib; the decoder is 100 samples late."""
import array, sys, wave, zlib

def encode(source, target):
    with wave.open(source) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        pcm = array.array("h", file.readframes(file.getnframes()))
    with open(target, "wb") as file:
        file.write(zlib.compress(array.array("b", [value >> 8 for value in pcm]).tobytes()))

def decode(source, target, rate):
    with open(source, "rb") as file:
        coarse = array.array("b", zlib.decompress(file.read()))
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        pcm = array.array("h", bytes(200)) + array.array("h", [256 * x + 128 for x in coarse])
        file.writeframes(pcm.tobytes())

if sys.argv[1] == "encode":
    encode(sys.argv[2], sys.argv[3])
else:
    decode(sys.argv[2], sys.argv[3], int(sys.argv[4]))
'''


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("a folder with spaces") / "codec.py"
    path.write_text(SCRIPT)
    return path


def commands(script, rate=16_000):
    start = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(script))}"
    return {
        "encode": f"{start} encode {{in}} {{bitstream}}",
        "decode": f"{start} decode {{bitstream}} {{out}} {rate}",
    }


def spec_of(**params):
    return str(Spec("external", tuple((key, str(value)) for key, value in params.items())))


def shell(line):
    """Return a command that runs a line of shell; the words after it are $1, $2 …"""
    return f"sh -c {shlex.quote(line)} sh"


@pytest.fixture(scope="module")
def case(script):
    return Case.of(spec_of(**commands(script), delay=100, name="zlib8"))


@pytest.mark.parametrize("law", LAWS, ids=law_name)
def test_law(case, law):
    law(case)


def test_the_files_bytes_are_the_one_packet(case):
    import zlib

    audio = voice(4_000, 16_000)
    (packet,) = case.codec.encode(audio).packets
    pcm = np.round(audio.samples.astype(np.float64) * 32768).astype(np.int16)
    pcm = np.pad(pcm, (0, 100))
    assert packet.data == zlib.compress((pcm >> 8).astype(np.int8).tobytes())
    assert packet.bits == 8 * len(packet.data)


def test_its_delay_is_the_one_declared_and_unknown_if_auto(case, script):
    auto = load_codec(spec_of(**commands(script)))
    assert auto.card.delay_samples is None
    reference = voice(16_000, 16_000)
    late = decode(auto, encode(auto, reference), reference, delay_samples=0).audio
    assert estimate_delay(reference, late) == 100
    on_time = decode(case.codec, encode(case.codec, reference), reference).audio
    assert np.abs(on_time.samples - reference.samples).max() < 2 / 256


def test_the_rate_is_that_of_the_files_and_must_come_back(script):
    codec = load_codec(spec_of(**commands(script, 24_000), rate=24_000))
    reference = voice(8_000, 16_000)
    assert decode(codec, encode(codec, reference), reference, 0).bitstream.sample_rate == 24_000
    wrong = load_codec(spec_of(**commands(script, 48_000), rate=16_000))
    with pytest.raises(CodecError, match="wrote 48000 Hz where rate=16000"):
        decode(wrong, encode(wrong, reference), reference)


def test_identity_follows_the_command_and_the_name(script):
    lines = commands(script)
    specs = [
        spec_of(**lines),
        spec_of(**lines, rate=8_000),
        spec_of(**lines, name="b"),
        spec_of(**{**lines, "encode": lines["encode"] + " --fast"}),
    ]
    assert len({codec_of(spec).identity for spec in specs}) == len(specs)
    assert codec_of(specs[0]).card.weights_sha256 is None
    assert codec_of(specs[0]).names_outside_sources
    assert codec_of(specs[2]).card.title == "b"


COPY = {"encode": "cp {in} {bitstream}", "decode": "cp {bitstream} {out}"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encode": "cp {in} here"}, r"encode: the command needs the placeholder \{bitstream\}"),
        ({"encode": "cp x {bitstream}"}, r"placeholder \{in\}"),
        ({"decode": "cp {in} {out}"}, r"decode: the command needs the placeholder \{bitstream\}"),
        ({"decode": "{bitstream} x {out}"}, r"placeholder \{bitstream\}"),
        ({"encode": "cp '{in} {bitstream}"}, "cannot be split into words"),
        ({"encode": "  "}, "empty"),
        ({"delay": "soon"}, "delay: write auto, or a whole number of samples"),
        ({"delay": "1e3"}, "delay"),
        ({"delay": 10**9}, "at most 1000000"),
        ({"rate": 0}, "rate"),
        ({"timeout": 5}, "unknown key 'timeout'"),
    ],
)
def test_a_wrong_spec_is_refused_before_any_work(change, message):
    with pytest.raises(UserError, match=message):
        codec_of(spec_of(**{**COPY, **change}))


def test_a_missing_command_is_refused():
    with pytest.raises(UserError, match="external needs the key decode"):
        codec_of("external:encode=cp {in} {bitstream}")


@pytest.mark.parametrize("key", ["encode", "decode"])
def test_a_missing_program_is_unavailable(key):
    command = COPY[key].replace("cp", "no-such-program")
    with pytest.raises(UnavailableError, match="'no-such-program' is not a program on the PATH"):
        load_codec(spec_of(**{**COPY, key: command}))


def test_a_bad_time_limit_is_a_users_error(monkeypatch):
    monkeypatch.setenv("CODECBENCH_COMMAND_TIMEOUT", "soon")
    with pytest.raises(UserError, match="CODECBENCH_COMMAND_TIMEOUT=soon"):
        load_codec(spec_of(**COPY))


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary; touch hacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_no_shell_reads_the_words(temporary, tmp_path):
    words = "'; touch hacked' `touch hacked` $(touch hacked) '*' && touch hacked"
    codec = load_codec(spec_of(**{**COPY, "encode": f"cp {{in}} {{bitstream}} {words}"}))
    with pytest.raises(CodecError, match="cp ended with status 1"):
        codec.encode(voice(10, 16_000))
    plain = load_codec(spec_of(**COPY))
    plain.decode(plain.encode(voice(10, 16_000)))
    assert not list(tmp_path.rglob("hacked"))
    assert not list(temporary.iterdir())


def test_a_suffix_behind_a_placeholder_belongs_to_the_files_name(temporary):
    encoder = shell('case "$2" in *.opus) cp "$1" "$2";; *) exit 7;; esac')
    decoder = shell('case "$1.$2" in *.opus.*.flac) cp "$1" "$2";; *) exit 7;; esac')
    spec = spec_of(
        encode=encoder + " {in} {bitstream}.opus", decode=decoder + " {bitstream}.opus {out}.flac"
    )
    audio = voice(1_000, 16_000)
    decoded = load_codec(spec).decode(load_codec(spec).encode(audio))
    assert np.abs(decoded.samples - audio.samples).max() <= 0.5 / 32768


def test_the_decoder_sees_the_bitstream_and_nothing_else(temporary, tmp_path):
    seen = tmp_path / "seen"
    decoder = shell(f'ls -A "$(dirname "$1")" > {seen}; cp "$1" "$2"')
    codec = load_codec(spec_of(**{**COPY, "decode": decoder + " {bitstream} {out}"}))
    codec.decode(codec.encode(voice(10, 16_000)))
    assert seen.read_text().split() == ["bitstream"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("echo first >&2; printf 'no  licence\\r\\n\\n' >&2; exit 4",
         r"^sh ended with status 4: no licence$"),
        ("exit 1", "^sh ended with status 1$"),
        ("kill -SEGV $$", "^sh was killed by SIGSEGV$"),
        ("printf '\\377\\376 bad\\033' >&2; exit 2", "^sh ended with status 2: "),
        ("true", "encoder ended without an error but wrote no file"),
        ('ln -s /etc/passwd "$2"', "wrote no file"),
        ('mkdir "$2"', "wrote no file"),
    ],
)  # fmt: skip
def test_a_failing_encoder_is_a_one_line_reason(temporary, line, message):
    codec = load_codec(spec_of(**{**COPY, "encode": shell(line) + " {in} {bitstream}"}))
    with pytest.raises(CodecError, match=message) as caught:
        codec.encode(voice(10, 16_000))
    assert str(caught.value).isprintable()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('echo text > "$2"', "decoder's output cannot be used: not a readable audio file"),
        ('touch "$2"', "cannot be used: the file is empty"),
        ("true", "decoder ended without an error but wrote no file"),
    ],
)
def test_a_decoder_that_writes_no_audio_is_noticed(temporary, line, message):
    codec = load_codec(spec_of(**{**COPY, "decode": shell(line) + " {bitstream} {out}"}))
    with pytest.raises(CodecError, match=message):
        codec.decode(codec.encode(voice(10, 16_000)))


def test_a_hanging_command_is_stopped_with_what_it_started(temporary, tmp_path, monkeypatch):
    monkeypatch.setenv("CODECBENCH_COMMAND_TIMEOUT", "0.5")
    child = tmp_path / "child"
    line = shell(f"sleep 300 & echo $! > {child}; wait")
    codec = load_codec(spec_of(**{**COPY, "encode": line + " {in} {bitstream}"}))
    start = time.monotonic()
    with pytest.raises(CodecError, match=r"sh took longer than 0\.5 s and was stopped"):
        codec.encode(voice(10, 16_000))
    assert time.monotonic() - start < 10
    assert is_gone(int(child.read_text()))


def is_gone(pid):
    """Whether a process has ended; a zombie that nobody has waited for counts as ended."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_command_gets_no_input_and_may_be_chatty(temporary):
    line = 'cat; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; cp "$1" "$2"'
    codec = load_codec(spec_of(**{**COPY, "encode": shell(line) + " {in} {bitstream}"}))
    assert codec.encode(voice(10, 16_000)).main_bits > 0


@pytest.mark.parametrize("packets", [(), (Packet.whole(b"a"),) * 2, (Packet(b"\x80", 1),)])
def test_other_bitstreams_are_refused(packets):
    codec = load_codec(spec_of(**COPY))
    with pytest.raises(BitstreamError, match="one packet of whole bytes"):
        codec.decode(Bitstream(codec.spec, 10, 16_000, packets))


def test_full_scale_and_beyond_are_clipped_not_wrapped(temporary):
    codec = load_codec(spec_of(**COPY))
    loud = Audio(np.array([2.0, -2.0, 1.0, -1.0], np.float32), 16_000)
    expected = [32767 / 32768, -1.0] * 2
    assert codec.decode(codec.encode(loud)).samples.tolist() == expected
