"""lc3py's coders, one of each kind a process, started afresh for each utterance.

lc3py (1.1.3) never frees the memory of a coder and starts a program (``ldconfig``) for each one
it makes, so coders are kept and their memory is set up again, which is how liblc3 resets one.
"""

from __future__ import annotations

import functools
from typing import Any


def fresh_encoder(frame_ms: float, rate: int) -> Any:
    """Return the process's `lc3.Encoder` of this kind in its first state."""
    return _reset(_encoder(frame_ms, rate), "encoder")


def fresh_decoder(frame_ms: float, rate: int) -> Any:
    """Return the process's `lc3.Decoder` of this kind in its first state."""
    return _reset(_decoder(frame_ms, rate), "decoder")


@functools.cache
def _encoder(frame_ms: float, rate: int) -> Any:
    import lc3

    return lc3.Encoder(round(1000 * frame_ms), rate)


@functools.cache
def _decoder(frame_ms: float, rate: int) -> Any:
    import lc3

    return lc3.Decoder(round(1000 * frame_ms), rate)


def _reset(coder: Any, kind: str) -> Any:
    (handle,) = getattr(coder, f"_{type(coder).__name__}__{kind}s")
    setup = getattr(coder.lib, f"lc3_hr_setup_{kind}")
    setup(coder.hrmode, coder.frame_duration_us, coder.sample_rate_hz, coder.sample_rate_hz, handle)
    return coder
