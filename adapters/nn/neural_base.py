"""What a neural codec is configured with, its weights, its rates and its card."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pydantic

from ...bits import bits_for
from ...codec import CodecCard, TokenCodec
from ...component import Config, canonical_spec, first_fault
from ...errors import UserError
from ...streaming import StreamingCodec
from .weights import OFFICIAL, WeightsSource, is_outside_source

if TYPE_CHECKING:
    from .network import CodecNetwork
    from .weights import OfficialWeights, WeightsFile

BUNDLED = "nano"
"""The weights that come with the package."""


class NeuralConfig(Config):
    """What every neural codec is configured with."""

    positional = "kbps"

    kbps: float | None = pydantic.Field(None, gt=0)
    """Rate in kbit/s, chosen by the number of codebooks that are sent; the highest if not given."""
    weights: WeightsSource = BUNDLED
    """``nano`` (comes with the package), ``official`` (the authors'), a file, or an address that
    ends in ``#sha256=`` and the file's checksum."""
    entropy: bool = False
    """Arithmetic-code each utterance into one packet: fewer bits, no streaming."""


class NeuralBase(TokenCodec, StreamingCodec):
    """The half of `NeuralCodec` that needs no loaded network."""

    Config: ClassVar[type[Config]] = NeuralConfig
    config: Any
    title: ClassVar[str]
    description: ClassVar[str]
    paper: ClassVar[str]
    licence: ClassVar[str] = "Apache-2.0 (this implementation and its weights)"
    folder: ClassVar[Path]
    """The adapter's folder, which holds recipes and weights."""
    variants: ClassVar[tuple[str, ...]] = ("",)
    """What weights may call their variant; one empty name if there are no variants."""

    # -- what a codec gives ------------------------------------------------------------------

    @classmethod
    def network_config(cls) -> type[pydantic.BaseModel]:
        """Return the class of the network's configuration, a recipe's ``[model]`` table."""
        from .network import SeanetNetworkConfig

        return SeanetNetworkConfig

    @classmethod
    def build_network(cls, config: Any) -> CodecNetwork:
        """Build the network with fresh weights; also asked for on the device ``meta``."""
        from .network import SeanetNetwork

        return SeanetNetwork(config)

    @classmethod
    def official_weights(cls) -> OfficialWeights | None:
        """Tell where the authors' weights are; None if none were published."""
        return None

    @property
    def weights_stem(self) -> str:
        """Name of the bundled file, without suffix."""
        return str(self.config.weights)

    @property
    def variant(self) -> str:
        """The variant that the weights must be of; empty if there is only one."""
        return ""

    # -- weights and rate --------------------------------------------------------------------

    @cached_property
    def weights_file(self) -> WeightsFile:
        """The weights' header; fetched first if they are not here.

        Raises
        ------
        UnavailableError, UserError
        """
        from .weights import check_format, locate, read_header

        official = self.official_weights()
        name = self.weights_stem if self.config.weights == BUNDLED else self.config.weights
        header = read_header(locate(name, self.folder, official=official, codec=self.name))
        check_format(header, self.name)
        if header.variant != self.variant:
            raise UserError(
                f"{header.path} holds variant '{header.variant}' of {self.name},"
                f" not '{self.variant}'"
            )
        return header

    @cached_property
    def shape(self) -> Any:
        """The network's configuration, as the weights state it."""
        try:
            return self.network_config().model_validate(self.weights_file.config)
        except pydantic.ValidationError as error:
            where, what = first_fault(error)
            raise UserError(
                f"{self.weights_file.path}: not a configuration of {self.name}: {where}: {what}"
            ) from error

    @property
    def names_outside_sources(self) -> bool:
        """Whether the spec names a file or an address."""
        return is_outside_source(self.config.weights)

    @property
    def hop_length(self) -> int:
        """Samples a frame."""
        hop: int = self.shape.hop_length
        return hop

    @property
    def layer_widths(self) -> tuple[int, ...]:
        """Bits of one frame's codes in one residual layer, one number a group."""
        quantizer = self.shape.quantizer
        width = bits_for(quantizer.codebook_size)
        return (width,) * int(quantizer.groups)

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of one code of each codebook that is sent; asked for every frame of a stream."""
        return self.layer_widths * self.layers

    @property
    def side_widths(self) -> tuple[int, ...]:
        """Bits of each code of the side information, which is one packet; empty: there is none."""
        return ()

    @property
    def rates(self) -> tuple[float, ...]:
        """Rates in kbit/s that the weights offer."""
        frame_rate = self.shape.sample_rate / self.hop_length
        layer = sum(self.layer_widths) * frame_rate / 1000
        return tuple(layer * count for count in range(1, self.shape.quantizer.codebooks + 1))

    @cached_property
    def layers(self) -> int:
        """Residual layers that are sent at the configured rate.

        Raises
        ------
        UserError
            If the weights do not offer the rate.
        """
        rates = self.rates
        if self.config.kbps is None:
            return len(rates)
        for count, rate in enumerate(rates, start=1):
            if abs(rate - self.config.kbps) < 1e-6 * rate:
                return count
        known = ", ".join(f"{rate:g}" for rate in rates)
        raise UserError(f"{self.name}: kbps={self.config.kbps:g} is no rate of it; it has {known}")

    @property
    def spec(self) -> str:
        """The canonical spec, with the rate that is used."""
        rate = round(self.rates[self.layers - 1], 9)
        return canonical_spec(self.name, self.config.model_copy(update={"kbps": rate}))

    @property
    def card(self) -> CodecCard:
        """The card of this configuration."""
        shape, header = self.shape, self.weights_file
        return CodecCard(
            name=self.name,
            title=f"{self.title} ({self.weights_label})",
            description=self.description,
            licence=self.licence,
            paper=self.paper,
            sample_rate=shape.sample_rate,
            frame_rate=shape.sample_rate / self.hop_length,
            codebook_sizes=(shape.quantizer.codebook_size,)
            * (self.layers * shape.quantizer.groups),
            bandwidth_hz=None,
            causal=shape.causal,
            delay_samples=shape.delay_samples,
            algorithmic_latency_ms=self.latency_ms,
            nominal_kbps=self.rates[self.layers - 1],
            parameters=header.parameters,
            weights=str(self.config.weights),
            weights_sha256=header.sha256,
            training_speakers=header.training_speakers,
            notes=self.notes,
        )

    @property
    def weights_label(self) -> str:
        """How tables call the weights."""
        own = is_outside_source(self.config.weights)
        return Path(self.config.weights).stem if own else self.weights_stem

    @property
    def latency_ms(self) -> float | None:
        """That of a causal network; None (unknown) of one that looks ahead.

        Infinite with entropy coding, which sends nothing before the utterance has ended.
        """
        shape = self.shape
        if self.config.entropy:
            return math.inf
        if not shape.causal:
            return None
        return 1000 * int(shape.latency_samples) / int(shape.sample_rate)

    @property
    def streaming_latency_ms(self) -> float | None:
        """Latency when the side information, if there is any, has been sent before."""
        return self.latency_ms

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a table must know."""
        notes = []
        if not is_outside_source(self.config.weights) and self.config.weights != OFFICIAL:
            notes.append("nano: a small network trained by this project; not the paper's model")
        if self.config.entropy:
            notes.append("entropy-coded: one packet an utterance; the nominal rate is without")
        return tuple(notes)

    # -- training ----------------------------------------------------------------------------

    @classmethod
    def trainer(cls) -> Callable[..., Any]:
        """Return the function that trains a recipe of this codec."""
        from ..training.trainer import train

        return train
