"""Parameters of the reconstruction losses; a recipe's optional ``[losses]`` table."""

from __future__ import annotations

from typing import Annotated, Self

import pydantic

from ..sizes import Bins, Floor, Window
from ..spectrum import Resolution
from .spectra import MelScale

Overlap = Annotated[int, pydantic.Field(ge=1, le=4)]
Lengths = Annotated[tuple[Window, ...], pydantic.Field(min_length=1)]
BinCounts = Annotated[tuple[Bins, ...], pydantic.Field(min_length=1)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class MelConfig(_Table):
    """Terms ``mel`` and ``log_mel``: see `codecbench.adapters.nn.losses.mel`."""

    windows: Lengths = (256, 512, 1024, 2048)
    """Samples."""
    overlap: Overlap = 4
    """Windows that cover each sample: the hop is the window over it. 2 halves the cost."""
    bins: BinCounts = (20, 40, 80, 128)
    """Mel bins of each window; few at small windows, whose spectra have few lines."""
    floor: Floor = 0.03
    """Added before the logarithm; limits its gradient to 1 / floor times that of ``mel``."""

    @pydantic.model_validator(mode="after")
    def _one_bin_count_a_window(self) -> Self:
        if len(self.windows) != len(self.bins):
            raise ValueError(f"{len(self.windows)} windows need as many bins, not {self.bins}")
        return self

    @property
    def scales(self) -> tuple[MelScale, ...]:
        """One mel scale a window."""
        pairs = zip(self.windows, self.bins, strict=True)
        return tuple(
            MelScale(Resolution(size, size // self.overlap, size), bins) for size, bins in pairs
        )


class MultiScaleMelConfig(_Table):
    """Term ``multi_scale_mel`` (SoundStream)."""

    windows: Lengths = (64, 128, 256, 512, 1024, 2048)
    """Samples; the hop is a quarter."""
    bins: Bins = 64
    floor: Floor = 0.01
    """Added before the logarithm, of spectra that are not normalized; not in the paper. About
    the noise of quiet recordings."""

    @property
    def scales(self) -> tuple[MelScale, ...]:
        """One mel scale a window."""
        return tuple(
            MelScale(Resolution(size, size // 4, size), self.bins) for size in self.windows
        )


class StftConfig(_Table):
    """Term ``stft`` (Parallel WaveGAN); its defaults are that paper's."""

    fft: Lengths = (512, 1024, 2048)
    hop: Lengths = (50, 120, 240)
    window: Lengths = (240, 600, 1200)
    """Samples, at most `fft`."""

    @pydantic.model_validator(mode="after")
    def _as_many_of_each(self) -> Self:
        if not len(self.fft) == len(self.hop) == len(self.window):
            raise ValueError("fft, hop and window must be lists of the same length")
        if any(window > fft for window, fft in zip(self.window, self.fft, strict=True)):
            raise ValueError(f"windows {self.window} must not be longer than fft {self.fft}")
        return self

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """One resolution an entry."""
        return tuple(map(Resolution, self.fft, self.hop, self.window))


class ComplexStftConfig(_Table):
    """Term ``complex_stft``."""

    windows: Lengths = (512, 1024)
    """Samples."""
    overlap: Overlap = 4
    """Windows that cover each sample: the hop is the window over it. 2 halves the cost."""
    power: float = pydantic.Field(default=0.3, gt=0, le=1)
    """Of the magnitude, in compression."""
    floor: Floor = 1e-3
    """Magnitude below which compression fades; limits its gradient to floor ** (power - 1)."""

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """One resolution a window."""
        return tuple(Resolution(size, size // self.overlap, size) for size in self.windows)


class HifiganMelConfig(_Table):
    """Term ``hifigan_mel``; the defaults are AudioDec's at 24 and 48 kHz."""

    fft: Window = 2048
    hop: Window = 300
    bins: Bins = 80
    floor: Floor = 1e-5
    """Smaller mel magnitudes are raised to it before the logarithm."""

    @property
    def scale(self) -> MelScale:
        """The mel scale."""
        return MelScale(Resolution(self.fft, self.hop, self.fft), self.bins, "slaney")


class LossesConfig(_Table):
    """Parameters of the reconstruction losses; a recipe's optional ``[losses]`` table."""

    mel: MelConfig = MelConfig()
    multi_scale_mel: MultiScaleMelConfig = MultiScaleMelConfig()
    stft: StftConfig = StftConfig()
    complex_stft: ComplexStftConfig = ComplexStftConfig()
    hifigan_mel: HifiganMelConfig = HifiganMelConfig()
