"""Any codec that is a pair of commands: WAV to a bitstream file, bitstream file to WAV."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pydantic

from ...audio import Audio, read_audio, write_audio
from ...bitstream import Bitstream, Packet
from ...codec import Codec, CodecCard
from ...component import Config
from ...errors import AudioError, BitstreamError, CodecError, UnavailableError, UserError
from ..commands import run_command
from ..delay_option import Delay, declared

TIMEOUT_VARIABLE = "CODECBENCH_COMMAND_TIMEOUT"
DEFAULT_TIMEOUT_SECONDS = 600.0
_LARGEST_BITSTREAM = 500_000_000

_ENCODE = ("{in}", "{bitstream}")
_DECODE = ("{bitstream}", "{out}")


class ExternalConfig(Config):
    """Configuration of `ExternalCodec`."""

    encode: str
    """Command with the placeholders {in} (a mono 16-bit WAV file) and {bitstream}."""
    decode: str
    """Command with the placeholders {bitstream} and {out} (a WAV file to write)."""
    rate: int = pydantic.Field(default=16_000, ge=1_000, le=192_000)
    """Sample rate in Hz of the WAV files, in and out."""
    delay: Delay = "auto"
    """Samples by which the decoded audio is late; auto: one delay is estimated for the codec."""
    name: str | None = pydantic.Field(default=None, min_length=1, max_length=80)
    """What tables call it."""

    @pydantic.field_validator("encode")
    @classmethod
    def _encode_command(cls, command: str) -> str:
        return _checked(command, _ENCODE)

    @pydantic.field_validator("decode")
    @classmethod
    def _decode_command(cls, command: str) -> str:
        return _checked(command, _DECODE)


def _checked(command: str, placeholders: Sequence[str]) -> str:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command cannot be split into words: {error}") from error
    if not words:
        raise ValueError("the command is empty")
    for placeholder in placeholders:
        if not any(placeholder in word for word in words[1:]):
            raise ValueError(f"the command needs the placeholder {placeholder}")
    if any("\0" in word for word in words):
        raise ValueError("the command holds a NUL character")
    return command


def _filled(command: str, paths: Mapping[str, Path]) -> list[str]:
    """Split a command into words, then put the paths in: they are never split or interpreted."""
    pattern = re.compile("|".join(re.escape(placeholder) for placeholder in paths))
    words = shlex.split(command)
    return [pattern.sub(lambda found: str(paths[found[0]]), word) for word in words]


def _file(path: Path, command: str, placeholder: str) -> Path:
    """Return the file that a placeholder stands for: ``{bitstream}.opus`` adds a suffix."""
    found = re.search(re.escape(placeholder) + r"(\.[A-Za-z0-9]+)", command)
    return Path(f"{path}{found[1]}") if found else path


def command_timeout() -> float:
    """Return the time limit of a command in seconds (``CODECBENCH_COMMAND_TIMEOUT``).

    Raises
    ------
    UserError
        If the variable is not a positive number.
    """
    text = os.environ.get(TIMEOUT_VARIABLE, "")
    try:
        seconds = float(text) if text else DEFAULT_TIMEOUT_SECONDS
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise UserError(f"{TIMEOUT_VARIABLE}={text}: give a positive number of seconds")
    return seconds


class ExternalCodec(Codec):
    """Runs an encoder and a decoder command; the bytes of the bitstream file are counted."""

    name = "external"
    example = 'external:encode="cp {in} {bitstream}",decode="cp {bitstream} {out}"'
    Config = ExternalConfig
    config: ExternalConfig

    @property
    def names_outside_sources(self) -> bool:
        """Always: its spec is commands."""
        return True

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        config = self.config
        return CodecCard(
            name=self.name,
            title=config.name or Path(shlex.split(config.encode)[0]).name,
            description=f"encode: {config.encode}; decode: {config.decode}",
            licence="unknown",
            sample_rate=config.rate,
            delay_samples=declared(config.delay),
            notes=(
                "the whole bitstream file is counted, container included",
                "its identity is the command's text: a new version needs another name",
            ),
        )

    def check_available(self) -> None:
        """Raise `UnavailableError` if one of the programs is not on this machine."""
        super().check_available()
        command_timeout()
        for command in (self.config.encode, self.config.decode):
            program = shlex.split(command)[0]
            if shutil.which(program) is None:
                raise UnavailableError(
                    f"external cannot run here: '{program}' is not a program on the PATH"
                )

    def encode(self, audio: Audio) -> Bitstream:
        """Write a WAV file, run the encoder and take the file it wrote as the one packet.

        With a declared delay, as many zeros follow the signal, so that its end gets through.
        """
        tail = max(0, declared(self.config.delay) or 0)
        with tempfile.TemporaryDirectory(prefix="codecbench-") as name:
            source, target = Path(name, "in.wav"), Path(name, "bitstream")
            write_audio(source, audio.fitted(len(audio) + tail))
            words = _filled(self.config.encode, {"{in}": source, "{bitstream}": target})
            run_command(words, command_timeout())
            data = _content(_file(target, self.config.encode, "{bitstream}"))
        return self.bitstream(audio, [Packet.whole(data)])

    def decode(self, bitstream: Bitstream) -> Audio:
        """Run the decoder in a new folder that holds nothing but the bitstream file."""
        if len(bitstream.packets) != 1 or bitstream.packets[0].bits % 8:
            raise BitstreamError("external codecs have one packet of whole bytes")
        with tempfile.TemporaryDirectory(prefix="codecbench-") as name:
            source, target = Path(name, "bitstream"), Path(name, "out.wav")
            coded = _file(source, self.config.decode, "{bitstream}")
            coded.write_bytes(bitstream.packets[0].data)
            words = _filled(self.config.decode, {"{bitstream}": source, "{out}": target})
            run_command(words, command_timeout())
            return self._decoded(_file(target, self.config.decode, "{out}"))

    def _decoded(self, path: Path) -> Audio:
        _require_file(path, "decoder")
        try:
            audio = read_audio(path)
        except AudioError as error:
            reason = str(error).replace(f"{path}: ", "")
            raise CodecError(f"the decoder's output cannot be used: {reason}") from error
        if audio.sample_rate != self.config.rate:
            raise CodecError(
                f"the decoder wrote {audio.sample_rate} Hz where rate={self.config.rate} was agreed"
            )
        return audio


def _content(path: Path) -> bytes:
    _require_file(path, "encoder")
    if path.stat().st_size > _LARGEST_BITSTREAM:
        raise CodecError(f"the encoder wrote more than {_LARGEST_BITSTREAM} bytes")
    return path.read_bytes()


def _require_file(path: Path, program: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise CodecError(f"the {program} ended without an error but wrote no file")
