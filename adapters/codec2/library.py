"""libcodec2 loaded afresh for each utterance, because its noise generator cannot be reseeded.

The decoder draws the phases of unvoiced harmonics from a static variable of the library that
all decoders of a process share and that has no function to set it. Decoding through pycodec2
would therefore depend on all that the process decoded before.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.metadata
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import CodecError, UnavailableError


class PrivateLibrary:
    """A private copy of libcodec2 with its variables as at the start of a process.

    A context manager: the copy is unloaded at the end of the block.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> PrivateLibrary:
        path = self._stack.enter_context(_copy_of(library_path()))
        self._library = ctypes.CDLL(path)
        self._stack.callback(_unload, self._library)
        self._library.codec2_create.restype = ctypes.c_void_p
        self._library.codec2_create.argtypes = [ctypes.c_int]
        self._library.codec2_destroy.argtypes = [ctypes.c_void_p]
        decode = self._library.codec2_decode
        decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def decode(self, mode: int, packets: Sequence[bytes], samples: int) -> bytes:
        """Decode frames into 16-bit PCM of the machine's byte order.

        Parameters
        ----------
        mode : int
            As ``codec2_create`` takes it.
        packets : sequence of bytes
            Each of exactly a frame's bytes.
        samples : int
            Of a frame.

        Raises
        ------
        CodecError
            If the library does not know the mode.
        """
        state = self._library.codec2_create(mode)
        if not state:
            raise CodecError(f"libcodec2 does not know its mode {mode}")
        speech = (ctypes.c_int16 * samples)()
        output = bytearray()
        try:
            for packet in packets:
                self._library.codec2_decode(state, speech, packet)
                output += bytes(speech)
        finally:
            self._library.codec2_destroy(state)
        return bytes(output)


@functools.cache
def library_path() -> Path:
    """Return the libcodec2 that pycodec2 uses: shipped in its wheel, or the system's.

    Raises
    ------
    UnavailableError
    """
    shipped = importlib.metadata.files("pycodec2") or ()
    paths = [Path(str(file.locate())) for file in shipped if file.name.startswith("libcodec2")]
    for path in [*paths, *_mapped_libraries()]:
        if path.is_file():
            return path
    raise UnavailableError("codec2 cannot run here: pycodec2's libcodec2 is not found")


def _mapped_libraries() -> list[Path]:
    """List the copies of libcodec2 that importing pycodec2 brings into memory (Linux)."""
    import pycodec2  # noqa: F401

    maps = Path("/proc/self/maps")
    if not maps.exists():
        return []
    files = {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if "/" in line}
    return [Path(file) for file in sorted(files) if Path(file).name.startswith("libcodec2")]


@contextlib.contextmanager
def _copy_of(library: Path) -> Iterator[str]:
    """Yield the path of a copy, which the loader takes for another library than the original."""
    data = library.read_bytes()
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(library.name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{descriptor}"
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, library.name)
        copy.write_bytes(data)
        yield str(copy)


def _unload(library: ctypes.CDLL) -> None:
    import _ctypes

    _ctypes.dlclose(library._handle)
