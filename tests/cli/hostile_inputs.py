"""Hostile and broken inputs to the command line: what is said of each and with which status.

``python tests/cli/hostile_inputs.py`` prints the table; `test_hostile_inputs.py` checks it.
"""

import argparse
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


@dataclass(frozen=True)
class Case:
    """A command line, its exit status and a part of the one line it must say.

    Parameters
    ----------
    name : str
    arguments : tuple of str
        ``{x}`` stands for the folder of inputs.
    says : str
        Part of stderr, or, with status 0, of stdout or stderr.
    status : int
    """

    name: str
    arguments: tuple[str, ...]
    says: str
    status: int = 2


def voice(seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    """Make a buzz with a slowly moving pitch and syllables; enough for every metric."""
    time = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 2 * time)) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = 0.2 + np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)
    noise = np.random.default_rng(0).standard_normal(len(time))
    return 0.1 * syllables * buzz + 0.001 * noise


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> None:
    """Write a file of any shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)


def huge_header() -> bytes:
    """Make a WAV file of 16 bytes of sound whose header claims two gigabytes."""
    layout = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + struct.pack("<I", 0x7FFFFFF0) + b"WAVEfmt " + layout
    return head + b"data" + struct.pack("<I", 0x7FFFFF00) + bytes(16)


def make_inputs(folder: Path) -> None:
    """Write every input that the cases name."""
    good = voice()
    write(folder / "good.wav", good)
    write(folder / "near.wav", good + 0.002 * np.random.default_rng(1).standard_normal(len(good)))
    write(folder / "short.wav", good[:-100])
    write(folder / "one.wav", good[:1])
    write(folder / "none.wav", good[:0])
    write(folder / "eight.wav", np.stack([good] * 8, axis=1))
    write(folder / "studio.wav", voice(rate=96000), 96000)
    write(folder / "nan.wav", np.where(np.arange(len(good)) == 99, np.nan, good), subtype="FLOAT")
    write(folder / "silent.wav", 0 * good)
    write(folder / "dc.wav", 0 * good + 0.5)
    write(folder / "clipped.wav", np.sign(good))
    write(folder / "speech.flac", good)
    (folder / "cut.flac").write_bytes((folder / "speech.flac").read_bytes()[:300])
    (folder / "cut.wav").write_bytes((folder / "good.wav").read_bytes()[:30])
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("Dear reviewer,\n" * 100)
    (folder / "huge.wav").write_bytes(huge_header())
    (folder / "loop1.wav").symlink_to(folder / "loop2.wav")
    (folder / "loop2.wav").symlink_to(folder / "loop1.wav")
    _make_folders(folder, good)
    _make_texts(folder)


def _make_folders(folder: Path, good: np.ndarray) -> None:
    (folder / "void").mkdir()
    write(folder / "looped" / "a.wav", good)
    (folder / "looped" / "again").symlink_to(folder / "looped")
    write(folder / "mixed" / "good.wav", good)
    (folder / "mixed" / "bad.wav").write_text("not audio")
    (folder / "mixed" / "empty.wav").write_bytes(b"")
    (folder / "data" / "LibriSpeech" / "test-wrong").mkdir(parents=True)
    (folder / "occupied").mkdir()
    (folder / "occupied" / "thesis.tex").write_text("x")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "manifest.json").write_text('{"format": ')


def _make_texts(folder: Path) -> None:
    (folder / "bad.toml").write_text('codec = ["opus\n')
    (folder / "unknown.toml").write_text('codec = ["opus"]\ncolour = "red"\n')
    (folder / "type.toml").write_text('codec = ["opus"]\nsubset = "many"\n')
    (folder / "binary.toml").write_bytes(bytes(range(128, 256)))
    (folder / "ids.txt").write_text("no-such-utterance\n")
    (folder / "ids.csv").write_text("corpus,split,id,speaker\ndemo\n")
    (folder / "prose.cbs").write_text("Dear reviewer,")
    from codecbench.bitstream import Bitstream, Packet

    stranger = 'external:encode="rm {in} {bitstream}",decode="rm {bitstream} {out}"'
    bitstream = Bitstream(stranger, 10, RATE, (Packet.whole(b"x"),))
    (folder / "stranger.cbs").write_bytes(bitstream.to_bytes())
    for name, spec in (
        ("prying", "decoded:dir=/"),
        ("loading", "soundstream:weights=/etc/passwd"),
        ("fetching", f'soundstream:weights="https://localhost/x.pt#sha256={"0" * 64}"'),
    ):
        bitstream = Bitstream(spec, 10, RATE, (Packet.whole(b"x"),))
        (folder / f"{name}.cbs").write_bytes(bitstream.to_bytes())
    (folder / "flipped.cbs").write_bytes(bitstream.to_bytes()[:-5] + b"12345")


def measure(
    degraded: str, metrics: str = "pesq_wb,stoi,mcd", reference: str = "good"
) -> tuple[str, ...]:
    """Name the arguments of a measurement."""
    return (
        "measure", f"{{x}}/{reference}.wav", f"{{x}}/{degraded}.wav", "--metrics", metrics,
        "--format", "json",
    )  # fmt: skip


def run(*arguments: str) -> tuple[str, ...]:
    """Name the arguments of a cheap run."""
    return ("run", "--metrics", "si_sdr", "--jobs", "1", "--out", "{x}/run", *arguments)


EXTERNAL = 'external:encode="{program} {in} {bitstream}",decode="cp {bitstream} {out}"'

CASES = (
    Case("missing file", measure("nothing"), "no such file"),
    Case("empty file", measure("empty"), "the file is empty (0 bytes)"),
    Case("truncated WAV", measure("cut"), "not a readable audio file"),
    Case("truncated FLAC", ("measure", "{x}/good.wav", "{x}/cut.flac"), "cut.flac"),
    Case("text named .wav", measure("text"), "not a readable audio file"),
    Case("zero samples", measure("none"), "holds no samples"),
    Case("a header that claims 2 GB", measure("huge"), "the decoded audio is silent"),
    Case("symlink loop as a file", measure("loop1"), "loop1.wav"),
    Case(
        "a folder for a file", ("measure", "{x}/good.wav", "{x}/void"), "two files or two folders"
    ),
    Case("folders without audio", ("measure", "{x}/void", "{x}/void"), "holds no audio files"),
    Case("one sample", measure("one", "pesq_wb,stoi", reference="one"), "too short for PESQ"),
    Case("unequal lengths", measure("short", "stoi"), "unequal lengths"),
    Case("unequal rates", measure("studio", "stoi"), "96000 Hz"),
    Case("NaN samples", measure("nan"), "NaN or infinite"),
    Case("silence decoded", measure("silent"), "the decoded audio is silent"),
    Case("silence as reference", measure("good", reference="silent"), "the reference is silent"),
    Case("DC", measure("dc", "si_sdr"), "si_sdr", 0),
    Case("full-scale clipping", measure("clipped", "si_sdr"), "si_sdr", 0),
    Case("eight channels", measure("eight", "si_sdr"), "100", 0),
    Case("96 kHz pair", measure("studio", "pesq_wb", reference="studio"), "4.64", 0),
    Case("unknown metric", measure("near", "pesk"), "unknown metric 'pesk'"),
    Case("unknown metric key", measure("near", "mcd:ordre=13"), "unknown key 'ordre'"),
    Case(
        "WER without a recogniser's file", measure("near", "wer:asr=/no/model.pt"), "/no/model.pt"
    ),
    Case("unknown codec", run("--codec", "opuss"), "did you mean opus"),
    Case("unknown spec key", run("--codec", "opus:bitrate=6"), "unknown key 'bitrate'"),
    Case("value out of range", run("--codec", "opus:kbps=1000"), "kbps"),
    Case("malformed spec", run("--codec", "opus:kbps="), "has no value"),
    Case("no codec", run(), "no codec is given"),
    Case(
        "external without a placeholder",
        run("--codec", EXTERNAL.replace("{bitstream}", "")),
        "{bitstream}",
    ),
    Case(
        "external program that is missing",
        run("--codec", EXTERNAL.replace("{program}", "no-such-program")),
        "no-such-program",
    ),
    Case("decoded folder that is missing", run("--codec", "decoded:dir={x}/nowhere"), "nowhere"),
    Case("bad TOML", ("run", "{x}/bad.toml"), "not valid TOML"),
    Case("unknown key in TOML", ("run", "{x}/unknown.toml"), "unknown key 'colour'"),
    Case("wrong type in TOML", ("run", "{x}/type.toml"), "subset"),
    Case("binary TOML", ("run", "{x}/binary.toml"), "not UTF-8"),
    Case("missing TOML", ("run", "{x}/nothing.toml"), "no run file"),
    Case("subset of none", run("--codec", "identity", "--subset", "0"), "subset"),
    Case("absurd rate", run("--codec", "identity", "--rate", "12"), "rate"),
    Case(
        "lost packets of anchors",
        run("--codec", "identity", "--packet-loss", "5%"),
        "packets cannot be lost with identity",
    ),
    Case("5 for 5 %", run("--codec", "lc3", "--packet-loss", "5"), "such as 5% or 0.05"),
    Case(
        "unknown corpus",
        run("--codec", "identity", "--corpus", "librispech"),
        "did you mean librispeech",
    ),
    Case(
        "corpus that is not here",
        run("--codec", "identity", "--corpus", "vctk", "--data-root", "{x}/void"),
        "data fetch vctk",
    ),
    Case(
        "wrong layout",
        run("--codec", "identity", "--corpus", "librispeech", "--data-root", "{x}/data"),
        "LibriSpeech",
    ),
    Case("folder without audio", run("--codec", "identity", "--corpus", "folder:{x}/void"), "void"),
    Case(
        "folder that is missing",
        run("--codec", "identity", "--corpus", "folder:{x}/nowhere"),
        "nowhere",
    ),
    Case(
        "symlink loop in a folder",
        run("--codec", "identity", "--corpus", "folder:{x}/looped", "--format", "csv"),
        "si_sdr",
        0,
    ),
    Case(
        "broken files in a folder",
        (
            "run",
            "--metrics",
            "si_sdr",
            "--out",
            "{x}/mixed-run",
            "--jobs",
            "1",
            "--codec",
            "identity",
            "--corpus",
            "folder:{x}/mixed",
            "--format",
            "csv",
        ),
        "si_sdr",
        0,
    ),
    Case(
        "list of unknown ids",
        run("--codec", "identity", "--utterances", "{x}/ids.txt"),
        "no-such-utterance",
    ),
    Case("malformed list", run("--codec", "identity", "--utterances", "{x}/ids.csv"), "ids.csv:2"),
    Case(
        "run folder is a file",
        ("run", "--codec", "identity", "--out", "{x}/good.wav"),
        "a file is in the way",
    ),
    Case(
        "run folder holds other things",
        ("run", "--codec", "identity", "--out", "{x}/occupied"),
        "not empty",
    ),
    Case("report of no run", ("report", "{x}/void"), "not a run folder"),
    Case("report of a damaged run", ("report", "{x}/damaged"), "damaged"),
    Case("text named .cbs", ("decode", "{x}/prose.cbs"), "not a codecbench bitstream"),
    Case("damaged bitstream", ("decode", "{x}/flipped.cbs"), "checksum"),
    Case("bitstream that would run commands", ("decode", "{x}/stranger.cbs"), "names commands"),
    Case("bitstream that names a folder", ("decode", "{x}/prying.cbs"), "names commands, files"),
    Case("bitstream that names a file", ("decode", "{x}/loading.cbs"), "names commands, files"),
    Case("bitstream with an address", ("decode", "{x}/fetching.cbs"), "files or addresses"),
    Case(
        "output exists",
        ("encode", "{x}/good.wav", "--codec", "identity", "-o", "{x}/near.wav"),
        "exists",
    ),
    Case(
        "output of unknown kind",
        ("decode", "{x}/stranger.cbs", "-o", "{x}/y.xyz", "--codec", "identity"),
        ".xyz",
    ),
    Case("unknown option", ("run", "--codek", "opus"), "--codek"),
    Case("unknown command", ("rum",), "rum"),
    Case("unknown card", ("describe", "opuss"), "opuss"),
    Case("unknown corpus to fetch", ("data", "fetch", "librispech"), "librispech"),
)


def arguments_of(case: Case, folder: Path) -> list[str]:
    """Put the folder of inputs into a case's arguments."""
    return [argument.replace("{x}", str(folder)) for argument in case.arguments]


def run_case(case: Case, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a case as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "codecbench", *arguments_of(case, folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CODECBENCH_DATA": ""},
        cwd=folder,
    )


def on_full_disk(check: Callable[[Path], None]) -> bool:
    """Call `check` with a folder on a disk of 300 kB; return False if none can be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return False
        try:
            check(Path(folder))
        finally:
            subprocess.run(["umount", folder], check=True)
    return True


def full_disk_command(disk: Path) -> list[str]:
    """Name a run whose results do not fit."""
    return [
        sys.executable, "-m", "codecbench", "run", "--codec", "mp3:kbps=64", "--metrics", "si_sdr",
        "--out", str(disk / "run"), "--jobs", "1",
    ]  # fmt: skip


def main() -> None:
    """Print every case with its status and message."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_inputs(folder)
        for case in CASES:
            done = run_case(case, folder)
            said = (done.stderr if done.returncode else done.stderr + done.stdout).strip()
            shown = said.replace(str(folder), "…").splitlines() or [""]
            print(f"{case.name} | {done.returncode} | {shown[0][:230]}", flush=True)

    def show(disk: Path) -> None:
        done = subprocess.run(full_disk_command(disk), capture_output=True, text=True, check=False)
        last = done.stderr.strip().splitlines()[-1]
        print(f"full disk | {done.returncode} | {last.replace(str(disk), '…')}")

    if not on_full_disk(show):
        print("full disk | not tried: no file system can be mounted here")


if __name__ == "__main__":
    main()
