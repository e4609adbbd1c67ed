"""Discriminators that neural codecs are trained against."""

from .ensemble import Discriminators, DiscriminatorsConfig, build_discriminators
from .multi_period import MultiPeriodConfig, MultiPeriodDiscriminator
from .multi_resolution import MultiResolutionConfig, MultiResolutionDiscriminator
from .multi_scale import MultiScaleConfig, MultiScaleDiscriminator
from .multi_scale_stft import MultiScaleStftConfig, MultiScaleStftDiscriminator
from .output import DiscriminatorOutput
from .stft import StftConfig, StftDiscriminator

__all__ = [
    "DiscriminatorOutput",
    "Discriminators",
    "DiscriminatorsConfig",
    "MultiPeriodConfig",
    "MultiPeriodDiscriminator",
    "MultiResolutionConfig",
    "MultiResolutionDiscriminator",
    "MultiScaleConfig",
    "MultiScaleDiscriminator",
    "MultiScaleStftConfig",
    "MultiScaleStftDiscriminator",
    "StftConfig",
    "StftDiscriminator",
    "build_discriminators",
]
