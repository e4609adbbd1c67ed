"""Encodes and decodes in a process of its own: ``python fresh_process.py SPEC FOLDER``.

Prints one line of JSON a step and keeps going after errors that a codec may raise; any other
error, or a crash inside a coder's C code, ends it with a non-zero status.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from codecbench.audio import Audio
from codecbench.bitstream import Bitstream
from codecbench.codec import Codec
from codecbench.errors import BitstreamError, CodecError
from codecbench.registry import load_codec


def main(spec: str, folder: Path) -> None:
    codec = load_codec(spec)
    assert isinstance(codec, Codec)
    rate = int((folder / "rate.txt").read_text())
    audio = Audio(np.load(folder / "audio.npy"), rate)
    report("encoded", hashlib.sha256(codec.encode(audio).to_bytes()).hexdigest())
    for path in sorted(folder.glob("*.cbs")):
        report(path.stem, outcome(codec, Bitstream.from_bytes(path.read_bytes())))


def outcome(codec: Codec, bitstream: Bitstream) -> str:
    try:
        return codec.decode(bitstream).sha256()
    except (BitstreamError, CodecError) as error:
        return f"{type(error).__name__}: {error}"


def report(step: str, result: str) -> None:
    sys.stdout.write(json.dumps([step, result]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
