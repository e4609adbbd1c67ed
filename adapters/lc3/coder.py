"""lc3py's coders: the library is loaded once a kind and process, each signal has its own memory.

lc3py (1.1.3) never frees the memory of a coder and starts a program (``ldconfig``) for each one
it makes, so one of each kind is kept and copied, with memory that Python owns.
"""

from __future__ import annotations

import copy
import ctypes
import functools
from typing import Any

import numpy as np
import numpy.typing as npt


def fresh_encoder(frame_ms: float, rate: int) -> Any:
    """Return an `lc3.Encoder` in its first state, independent of all others."""
    return _fresh(_encoder(frame_ms, rate), "encoder")


def fresh_decoder(frame_ms: float, rate: int) -> Any:
    """Return an `lc3.Decoder` in its first state, independent of all others."""
    return _fresh(_decoder(frame_ms, rate), "decoder")


def concealed(decoder: Any) -> npt.NDArray[np.float32]:
    """Return what liblc3 puts in the place of a lost frame.

    lc3py's `decode` takes no lost frames; ``lc3_decode`` does, without data.
    """
    handle = getattr(decoder, f"_{type(decoder).__name__}__decoders")[0]
    pcm_format, sample = decoder._resolve_pcm_format(None)
    pcm = (sample * decoder.get_frame_samples())()
    decoder.lib.lc3_decode(handle, None, 0, pcm_format, pcm, 1)
    return np.array(pcm, np.float32)


@functools.cache
def _encoder(frame_ms: float, rate: int) -> Any:
    import lc3

    return lc3.Encoder(round(1000 * frame_ms), rate)


@functools.cache
def _decoder(frame_ms: float, rate: int) -> Any:
    import lc3

    return lc3.Decoder(round(1000 * frame_ms), rate)


def _fresh(coder: Any, kind: str) -> Any:
    fresh = copy.copy(coder)
    kind_of_state = (coder.hrmode, coder.frame_duration_us, coder.sample_rate_hz)
    size = getattr(coder.lib, f"lc3_hr_{kind}_size")(*kind_of_state)
    fresh.memory = ctypes.create_string_buffer(size)
    setup = getattr(coder.lib, f"lc3_hr_setup_{kind}")
    handle = setup(*kind_of_state, coder.sample_rate_hz, fresh.memory)
    setattr(fresh, f"_{type(coder).__name__}__{kind}s", [handle])
    return fresh
