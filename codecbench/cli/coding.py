"""``codecbench encode`` and ``codecbench decode``: real files through one codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .formats import PlainFormat, write_record

Force = Annotated[bool, typer.Option("--force", help="Overwrite the output file.")]
Device = Annotated[str, typer.Option("--device", help="Torch device of neural codecs.")]
Format = Annotated[PlainFormat, typer.Option("--format", "-f", help="Format of the summary.")]


def encode(
    file: Annotated[Path, typer.Argument(help="Audio file (WAV, FLAC, Ogg, MP3 …).")],
    codec: Annotated[str, typer.Option("--codec", "-c", help="Codec spec, such as opus:kbps=12.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Bitstream. [default: FILE.cbs]")
    ] = None,
    force: Force = False,
    device: Device = "cpu",
    format: Format = PlainFormat.rich,  # noqa: A002 - the option's name
) -> None:
    """Encode an audio file into a bitstream file and print its counted rate.

    Example:

    ```
    codecbench encode speech.wav --codec opus:kbps=12 -o speech.cbs
    ```
    """
    from .. import protocol
    from ..audio import read_audio
    from ..bitstream import SUFFIX, Bitstream
    from ..files import write_bytes_atomic

    encoder = _real_codec(codec, device)
    audio = read_audio(file)
    target = output or file.with_suffix(SUFFIX)
    check_target(target, force)
    data = protocol.encode(encoder, audio).data
    write_bytes_atomic(target, data)
    write_record(_summary(Bitstream.from_bytes(data), target, len(data)), format)


def decode(
    file: Annotated[Path, typer.Argument(help="Bitstream file (.cbs).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="WAV or FLAC. [default: FILE.wav]")
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option("--codec", "-c", help="Codec spec. [default: the one in the file]"),
    ] = None,
    packet_loss: Annotated[
        str | None,
        typer.Option(
            "--packet-loss", help="Share of packets to lose, such as 5% or 5%,burst=3,seed=1."
        ),
    ] = None,
    force: Force = False,
    device: Device = "cpu",
    format: Format = PlainFormat.rich,  # noqa: A002 - the option's name
) -> None:
    """Decode a bitstream file at the codec's rate; its declared delay is removed.

    Example:

    ```
    codecbench decode speech.cbs -o speech.wav
    codecbench decode speech.cbs -o torn.wav --packet-loss 5%
    ```
    """
    from .. import protocol
    from ..audio import container_of, write_audio
    from ..bitstream import Bitstream
    from ..errors import BitstreamError, UserError

    target = output or file.with_suffix(".wav")
    container_of(target)
    check_target(target, force)
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{file}: no such file") from error
    try:
        bitstream = Bitstream.from_bytes(data)
    except BitstreamError as error:
        raise BitstreamError(f"{file}: {error}") from error
    decoder = _real_codec(codec or _trusted_spec(bitstream.codec), device)
    if decoder.spec != bitstream.codec:
        raise UserError(f"{file} was made by {bitstream.codec}, not by {decoder.spec}")
    lost = _lost_packets(packet_loss, decoder, len(bitstream.packets))
    audio = protocol.restore(decoder, bitstream, lost)
    write_audio(target, audio)
    summary = _summary(bitstream, target, len(data))
    write_record(summary if lost is None else {**summary, "lost_packets": len(lost)}, format)


def _lost_packets(text: str | None, decoder: Any, packets: int) -> frozenset[int] | None:
    """Draw lost packets; the same for every file, as a file is no named utterance."""
    from ..packet_loss import PacketLoss, require_streaming

    if text is None:
        return None
    packet_loss = PacketLoss.parse(text)
    require_streaming([decoder])
    return packet_loss.draw(packets)


def check_target(target: Path, force: bool) -> None:
    """Refuse to overwrite a file unless asked to."""
    from ..errors import UserError

    if target.exists() and not force:
        raise UserError(f"{target} exists; give another -o or --force")


def _real_codec(spec: str, device: str) -> Any:
    from ..codec import Codec
    from ..errors import UserError
    from ..registry import load_codec

    codec = load_codec(spec, device)
    if not isinstance(codec, Codec):
        raise UserError(f"{codec.spec} holds audio decoded elsewhere; it cannot encode or decode")
    return codec


def _trusted_spec(spec: str) -> str:
    """Refuse a spec from a file if obeying it would run, open or fetch what a stranger named."""
    from ..errors import UserError
    from ..registry import codec_of

    if codec_of(spec).names_outside_sources:
        raise UserError(
            f"the bitstream's spec names commands, files or addresses ({spec});"
            " if you trust it, repeat it with --codec"
        )
    return spec


def _summary(bitstream: Any, target: Path, size: int) -> dict[str, object]:
    seconds = bitstream.seconds
    return {
        "file": str(target),
        "codec": bitstream.codec,
        "sample_rate": bitstream.sample_rate,
        "seconds": round(seconds, 6),
        "main_bits": bitstream.main_bits,
        "side_bits": bitstream.side_bits,
        "kbps": round(bitstream.bits / seconds / 1000, 6) if seconds else None,
        "kbps_file": round(size * 8 / seconds / 1000, 6) if seconds else None,
    }
