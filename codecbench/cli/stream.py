"""``codecbench stream``: a file or a microphone through a codec, chunk by chunk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .coding import Device, Force, check_target
from .formats import PlainFormat, write_record

if TYPE_CHECKING:
    from ..live import LiveLink, Samples

MICROPHONE, SPEAKER = "mic", "speaker"
_COLUMNS = ("chunk", "samples", "bits", "encode_ms", "decode_ms", "pending_samples", "rtf")


def stream(
    spec: Annotated[str, typer.Argument(help="Spec of a codec that streams, such as soundstream.")],
    source: Annotated[str, typer.Option("--in", help="Audio file, or mic.")],
    target: Annotated[
        str | None,
        typer.Option("--out", help="WAV or FLAC file, or speaker. [default: nothing is kept]"),
    ] = None,
    chunk_ms: Annotated[
        float | None,
        typer.Option("--chunk-ms", min=0.1, help="Length of a chunk. [default: a frame]"),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Stop after this much of the input.")
    ] = None,
    chunks: Annotated[
        Path | None, typer.Option("--chunks", help="CSV of what every chunk cost.")
    ] = None,
    force: Force = False,
    device: Device = "cpu",
    format: Annotated[  # noqa: A002 - the option's name
        PlainFormat, typer.Option("--format", "-f", help="Format of the summary.")
    ] = PlainFormat.rich,
) -> None:
    """Send audio through encoder and decoder chunk by chunk; report delay and real-time factor.

    The delay is a chunk's way from its first sample in to its coming out: the chunk itself or what
    the codec holds back, and the time of coding. What is written is what a listener hears: the
    codec's delay is left in it. A microphone is stopped by Ctrl-C; mic and speaker need the
    package sounddevice.

    Examples:

    ```
    codecbench stream soundstream --in speech.wav --out heard.wav --chunk-ms 25
    codecbench stream svcodec:kbps=2 --in mic --out speaker --seconds 30
    ```
    """
    from ..audio import Audio, container_of, write_audio
    from ..live import LiveLink

    if target is not None and target != SPEAKER:
        container_of(Path(target))
        check_target(Path(target), force)
    if chunks is not None:
        check_target(chunks, force)
    codec = _streaming(spec, device)
    rate = int(codec.card.sample_rate)
    size = _chunk_samples(codec, chunk_ms)
    link = LiveLink(codec, rate)
    heard: list[Samples] = []
    with ExitStack() as stack:
        play = _speaker(stack, rate) if target == SPEAKER else heard.append
        _run(link, _chunks_of(source, rate, size, seconds, stack), play)
    if target is not None and target != SPEAKER:
        write_audio(Path(target), Audio(_joined(heard), rate))
    if chunks is not None:
        _write_chunks(chunks, link)
    record: dict[str, object] = {"codec": codec.spec, "sample_rate": rate}
    latency = codec.card.algorithmic_latency_ms
    record["algorithmic_latency_ms"] = None if latency is None else round(latency, 3)
    write_record({**record, **link.summary()}, format)


def _run(link: LiveLink, chunks: Iterator[Samples], play: Callable[[Samples], object]) -> None:
    """Send everything through; Ctrl-C ends the input."""
    try:
        for chunk in chunks:
            play(link.push(chunk))
    except KeyboardInterrupt:
        pass
    play(link.finish())


def _streaming(spec: str, device: str) -> Any:
    from ..errors import UserError
    from ..processes import limit_torch_threads
    from ..registry import load_codec
    from ..streaming import StreamingCodec

    codec = load_codec(spec, device)
    if not isinstance(codec, StreamingCodec):
        raise UserError(f"{codec.spec} does not run chunk by chunk here; neural codecs do")
    codec.check_streams()
    limit_torch_threads()  # more wait for each other: chunks are short
    return codec


def _chunk_samples(codec: Any, chunk_ms: float | None) -> int:
    rate = int(codec.card.sample_rate)
    if chunk_ms is not None:
        return max(1, round(float(chunk_ms) * rate / 1000))
    frame = codec.card.frame_rate
    return int(round(rate / frame) if frame else round(0.02 * rate))


def _chunks_of(
    source: str, rate: int, size: int, seconds: float | None, stack: ExitStack
) -> Iterator[Samples]:
    """Yield the input in chunks at the codec's rate."""
    from ..audio import read_audio

    if source == MICROPHONE:
        return _microphone(stack, rate, size, seconds)
    samples = read_audio(source).resampled(rate).samples
    samples = samples if seconds is None else samples[: round(seconds * rate)]
    return (samples[start : start + size] for start in range(0, len(samples), size))


def _microphone(stack: ExitStack, rate: int, size: int, seconds: float | None) -> Iterator[Samples]:
    device = stack.enter_context(_opened("InputStream", rate, size))
    left = None if seconds is None else round(seconds * rate)
    while left is None or left > 0:
        samples, _ = device.read(size)
        chunk = samples[:, 0] if left is None else samples[:left, 0]
        left = None if left is None else left - len(chunk)
        yield chunk


def _speaker(stack: ExitStack, rate: int) -> Callable[[Samples], object]:
    device = stack.enter_context(_opened("OutputStream", rate, 0))
    return lambda samples: device.write(samples[:, None]) if len(samples) else None


def _opened(kind: str, rate: int, size: int) -> Any:
    """Open the default device.

    Raises
    ------
    UnavailableError
        If sounddevice is not installed.
    UserError
        If there is no such device or it does not take the rate.
    """
    from ..errors import UnavailableError, UserError

    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: no PortAudio
        raise UnavailableError(
            "mic and speaker need sounddevice and PortAudio: pip install 'codecbench[live]'"
        ) from error
    try:
        return getattr(sounddevice, kind)(
            samplerate=rate, channels=1, blocksize=size, dtype="float32", latency="low"
        )
    except sounddevice.PortAudioError as error:
        raise UserError(f"the sound device cannot be opened at {rate} Hz: {error}") from error


def _joined(parts: list[Samples]) -> Samples:
    import numpy as np

    return np.concatenate([np.zeros(0, np.float32), *parts])


def _write_chunks(path: Path, link: LiveLink) -> None:
    from ..files import write_text_atomic

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, chunk in enumerate(link.chunks):
        spent = chunk.encode_seconds + chunk.decode_seconds
        writer.writerow(
            [
                number,
                chunk.samples,
                chunk.bits,
                round(1000 * chunk.encode_seconds, 4),
                round(1000 * chunk.decode_seconds, 4),
                chunk.pending,
                round(spent * link.sample_rate / chunk.samples, 5),
            ]
        )
    write_text_atomic(path, text.getvalue())
