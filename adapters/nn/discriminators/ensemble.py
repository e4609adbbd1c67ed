"""All discriminators of a recipe; its ``[discriminators]`` table."""

from __future__ import annotations

from collections.abc import Iterator

import pydantic
from torch import Tensor, nn

from ....errors import UserError
from .layers import Discriminator
from .multi_period import MultiPeriodConfig, MultiPeriodDiscriminator
from .multi_resolution import MultiResolutionConfig, MultiResolutionDiscriminator
from .multi_scale import MultiScaleConfig, MultiScaleDiscriminator
from .multi_scale_stft import MultiScaleStftConfig, MultiScaleStftDiscriminator
from .output import DiscriminatorOutput
from .stft import StftConfig, StftDiscriminator


class DiscriminatorsConfig(pydantic.BaseModel):
    """Which discriminators judge; a recipe's ``[discriminators]`` table. None: not this kind.

    Every network weighs the same in the losses: five periods weigh five times as much as one
    spectrum.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    multi_scale: MultiScaleConfig | None = None
    multi_period: MultiPeriodConfig | None = None
    stft: StftConfig | None = None
    multi_scale_stft: MultiScaleStftConfig | None = None
    multi_resolution: MultiResolutionConfig | None = None


class Discriminators(Discriminator):
    """Several discriminators as one.

    Parameters
    ----------
    kinds : dict of str to Discriminator
        By name; at least one.
    """

    def __init__(self, kinds: dict[str, Discriminator]) -> None:
        super().__init__()
        self.kinds = nn.ModuleDict(kinds)
        self.shortest = max(kind.shortest for kind in kinds.values())

    def forward(self, waves: Tensor) -> list[DiscriminatorOutput]:
        """Judge waveforms (batch, 1, samples), the outputs of all kinds in one list.

        Raises
        ------
        UserError
            If they are shorter than one of the discriminators needs.
        """
        if waves.shape[-1] < self.shortest:
            raise UserError(
                f"the discriminators need signals of at least {self.shortest} samples, "
                f"not {waves.shape[-1]}"
            )
        return [output for kind in self.kinds.values() for output in kind(waves)]


def build_discriminators(config: DiscriminatorsConfig, sample_rate: int) -> Discriminators:
    """Build what a recipe asks for.

    Parameters
    ----------
    config : DiscriminatorsConfig
    sample_rate : int
        In Hz. One second of signal must be enough for every discriminator.

    Raises
    ------
    UserError
        If no kind is asked for, or one needs more than a second of signal.
    """
    kinds = dict(_built(config))
    if not kinds:
        names = ", ".join(DiscriminatorsConfig.model_fields)
        raise UserError(f"[discriminators] names none; there are {names}")
    for name, kind in kinds.items():
        if kind.shortest > sample_rate:
            raise UserError(
                f"discriminator {name} needs {kind.shortest} samples, more than the {sample_rate} "
                "of a second: choose a smaller window or period"
            )
    return Discriminators(kinds)


def _built(config: DiscriminatorsConfig) -> Iterator[tuple[str, Discriminator]]:
    if config.multi_scale is not None:
        yield "multi_scale", MultiScaleDiscriminator(config.multi_scale)
    if config.multi_period is not None:
        yield "multi_period", MultiPeriodDiscriminator(config.multi_period)
    if config.stft is not None:
        yield "stft", StftDiscriminator(config.stft)
    if config.multi_scale_stft is not None:
        yield "multi_scale_stft", MultiScaleStftDiscriminator(config.multi_scale_stft)
    if config.multi_resolution is not None:
        yield "multi_resolution", MultiResolutionDiscriminator(config.multi_resolution)
