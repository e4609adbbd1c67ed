"""What every codec is tested with: representative specs and the bits of their frames."""

from __future__ import annotations

SPECS: dict[str, tuple[str, ...]] = {
    "aac": ("aac", "aac:kbps=16", "aac:kbps=64,rate=44100"),
    "amr-nb": tuple(f"amr-nb:kbps={k:g}" for k in (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)),
    "audiodec": (),
    "codec2": tuple(f"codec2:bps={bps}" for bps in (700, 1200, 1300, 1400, 1600, 2400, 3200)),
    "decoded": (),
    "external": (),
    "g722": ("g722",),
    "g726": ("g726:kbps=16", "g726:kbps=24", "g726:kbps=32", "g726:kbps=40"),
    "identity": ("identity",),
    "lc3": ("lc3", "lc3:kbps=34,frame_ms=7.5", "lc3:kbps=64,rate=48000"),
    "lowpass": ("lowpass:hz=3500",),
    "mp3": ("mp3", "mp3:kbps=16", "mp3:kbps=64,rate=44100"),
    "mulaw": ("mulaw",),
    "opus": (
        "opus:kbps=6",
        "opus:kbps=12",
        "opus",
        "opus:kbps=64",
        "opus:kbps=16,application=voip,frame_ms=60,vbr=off",
        "opus:kbps=32,bandwidth=fb,frame_ms=10",
    ),
    "pscodec": (),
    "soundstream": (),
    "speex": ("speex",),
    "svcodec": (),
}
"""Representative specs of each codec; `decoded` cannot encode, `external` has its own tests, and
neural codecs have their rows in `neural_specs`."""

STANDARD_FRAMES: dict[str, tuple[int, int]] = {
    "amr-nb:kbps=4.75": (160, 95),
    "amr-nb:kbps=5.15": (160, 103),
    "amr-nb:kbps=5.9": (160, 118),
    "amr-nb:kbps=6.7": (160, 134),
    "amr-nb:kbps=7.4": (160, 148),
    "amr-nb:kbps=7.95": (160, 159),
    "amr-nb:kbps=10.2": (160, 204),
    "amr-nb:kbps=12.2": (160, 244),
    "codec2:bps=700": (320, 28),
    "codec2:bps=1200": (320, 48),
    "codec2:bps=1300": (320, 52),
    "codec2:bps=1400": (320, 56),
    "codec2:bps=1600": (320, 64),
    "codec2:bps=2400": (160, 48),
    "codec2:bps=3200": (160, 64),
    "g722": (2, 8),
    "g726:kbps=16": (1, 2),
    "g726:kbps=24": (1, 3),
    "g726:kbps=32": (1, 4),
    "g726:kbps=40": (1, 5),
    "lc3": (160, 320),
    "lc3:kbps=34,frame_ms=7.5": (120, 248),
    "lc3:kbps=64,rate=48000": (480, 640),
}
"""Samples and bits of a frame, by spec as in `SPECS`.

AMR-NB: 3GPP TS 26.101. G.722, G.726: bits of two samples, of one. Codec 2: the modes' definitions.
LC3: whole bytes a frame (34 kbit/s over 7.5 ms is 31.9 bytes, of which 31 fit).
"""
