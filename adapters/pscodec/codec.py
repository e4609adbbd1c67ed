"""PSCodec: a low-rate codec whose decoder is told of the speaker by prompts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pydantic

from ...audio import Audio, read_audio
from ...bits import pack, unpack
from ...bitstream import Bitstream, Packet
from ...codec import Tokens
from ...errors import AudioError, BitstreamError, UserError
from ..nn.neural_base import BUNDLED, NeuralConfig
from ..nn.neural_codec import NeuralCodec

SHARES_AT_SECONDS = (2, 5, 15)
"""Lengths of utterances for which the card tells the side information's share."""


class PscodecConfig(NeuralConfig):
    """Configuration of `PscodecCodec`."""

    kbps: float | None = pydantic.Field(None, gt=0)
    """Rate of the stream in kbit/s, without the prompts, which are sent once an utterance and
    counted as well; the highest if not given."""
    variant: Literal["base", "drl-ict", "casan"] = "base"
    """``base``: learned fusion weights; ``drl-ict``: disentangled by a loss, in three stages;
    ``casan``: cascaded attention network."""
    prompt: str | None = None
    """Audio file of the speaker from which the prompts are taken, for all utterances alike; each
    utterance's own beginning if not given."""


class PscodecCodec(NeuralCodec):
    """PSCodec (Pan et al. 2024), reproduced from its abstract; the rest is inferred."""

    name = "pscodec"
    version = "1"
    Config = PscodecConfig
    config: PscodecConfig
    title = "PSCodec"
    description = (
        "Convolutional autoencoder with a grouped residual vector quantizer, whose decoder also"
        " hears quantized prompts: a voiceprint and a few mel vectors an utterance."
    )
    paper = (
        "Y. Pan et al., PSCodec: A series of high-fidelity low-bitrate neural speech codecs"
        " leveraging prompt encoders, arXiv 2404.02702"
    )
    folder = Path(__file__).parent
    variants = ("base", "drl-ict", "casan")

    @classmethod
    def network_config(cls) -> type[pydantic.BaseModel]:
        """Return `PscodecNetworkConfig`."""
        from .network import PscodecNetworkConfig

        return PscodecNetworkConfig

    @classmethod
    def build_network(cls, config: Any) -> Any:
        """Build a `PscodecNetwork`."""
        from .network import PscodecNetwork

        return PscodecNetwork(config)

    @property
    def variant(self) -> str:
        """The variant that the weights must be of."""
        return self.config.variant

    @property
    def weights_stem(self) -> str:
        """Name of the variant's bundled file."""
        return f"{BUNDLED}-{self.config.variant}"

    @property
    def names_outside_sources(self) -> bool:
        """Whether the spec names a file or an address."""
        return super().names_outside_sources or self.config.prompt is not None

    def check_available(self) -> None:
        """Raise if weights, speaker encoder or the prompt's file are not here."""
        from ...speaker import speaker_encoder_names

        super().check_available()
        wanted = self.shape.voiceprint
        if wanted is not None and wanted.encoder not in speaker_encoder_names():
            known = ", ".join(speaker_encoder_names())
            raise UserError(
                f"{self.weights_file.path}: there is no speaker encoder {wanted.encoder}"
                f" (known: {known})"
            )
        _ = self._prompt_audio

    # -- prompts -----------------------------------------------------------------------------

    @property
    def side_widths(self) -> tuple[int, ...]:
        """Bits of each code of the prompts."""
        widths: tuple[int, ...] = self.shape.side_widths
        return widths

    def prompt_of(self, audio: Audio) -> tuple[Packet, ...]:
        """Return the side information that makes a decoder sound like a speaker.

        Parameters
        ----------
        audio : Audio
            Speech of the speaker, at any rate.

        Returns
        -------
        tuple of Packet
            One packet; none for weights without prompt encoders.
        """
        widths = self.side_widths
        if not widths:
            return ()
        network: Any = self.network
        codes = network.prompt_codes(audio.resampled(int(self.shape.sample_rate)).samples)
        return (Packet(pack(codes, widths), sum(widths)),)

    def with_prompt(self, bitstream: Bitstream, prompt: tuple[Packet, ...]) -> Bitstream:
        """Return a bitstream with other side information; the stream does not depend on it."""
        return replace(bitstream, side_information=prompt)

    @cached_property
    def _prompt_audio(self) -> Audio | None:
        if self.config.prompt is None:
            return None
        try:
            audio = read_audio(self.config.prompt)
        except AudioError as error:
            raise UserError(f"{self.name}: prompt: {error}") from error
        if not audio.is_finite:
            raise UserError(f"{self.name}: prompt: {self.config.prompt}: NaN or infinite samples")
        return audio

    @cached_property
    def _given_prompt(self) -> tuple[Packet, ...] | None:
        return None if self._prompt_audio is None else self.prompt_of(self._prompt_audio)

    def _side_information(
        self, waves: npt.NDArray[np.float32], samples: npt.NDArray[np.int64]
    ) -> tuple[tuple[Packet, ...], ...]:
        rate, given = int(self.shape.sample_rate), self._given_prompt
        return tuple(
            self.prompt_of(Audio(wave[:count], rate)) if given is None else given
            for wave, count in zip(waves, samples, strict=True)
        )

    def _waves_of(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        import torch

        network: Any = self.network
        with torch.inference_mode():
            sides = tokens.side_information or ((),) * len(tokens)
            prompts = network.prompts_of(self._prompt_codes(sides))
            codes = torch.from_numpy(tokens.codes).to(network.device)
            waves = network.decode(network.quantizer.decode(codes), prompts)
        decoded: npt.NDArray[np.float32] = waves.float().cpu().numpy()
        return decoded

    def _prompt_codes(self, sides: Sequence[tuple[Packet, ...]]) -> npt.NDArray[np.int64]:
        """Unpack side information into codes, shape (items, codes)."""
        widths = self.side_widths
        codes = np.zeros((len(sides), len(widths)), np.int64)
        for row, side in zip(codes, sides, strict=True):
            self.check_side_information(side)
            if widths:
                row[:] = unpack(side[0].data, widths)
        if (codes >= np.asarray(self._prompt_sizes)).any():
            raise BitstreamError(f"{self.name}: a prompt's code lies outside its codebook")
        return codes

    @cached_property
    def _prompt_sizes(self) -> list[int]:
        parts = [part for part in (self.shape.voiceprint, self.shape.mel_prompt) if part]
        return [part.quantizer.codebook_size for part in parts for _ in part.widths]

    # -- card --------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """Hash of what a result belongs to, the prompt that was given included."""
        plain = super().identity
        if self._prompt_audio is None:
            return plain
        return hashlib.sha256(f"{plain}\n{self._prompt_audio.sha256()}".encode()).hexdigest()[:16]

    @property
    def latency_ms(self) -> float | None:
        """Infinite, as prompts are taken from the whole utterance, unless one is given."""
        given = self.config.prompt is not None or not self.side_widths
        return self.streaming_latency_ms if given else math.inf

    @cached_property
    def streaming_latency_ms(self) -> float:
        """Latency when the prompts have been sent before.

        Infinite with encoders that normalize over the whole signal, and with entropy coding.
        """
        if self.config.entropy:
            return math.inf
        import torch

        from ..nn.lookahead import lookahead_samples

        with torch.device("meta"):
            network = self.build_network(self.shape)
        samples = lookahead_samples(
            network.encoder, network.decoder, network.hop_length, network.fusion.lookahead
        )
        milliseconds: float = 1000 * (samples + network.delay_samples) / network.sample_rate
        return milliseconds

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a table must know."""
        bits = sum(self.side_widths)
        if not bits:
            return super().notes
        return (*super().notes, self._note_on_rate(bits), *self._notes_on_prompts())

    def _note_on_rate(self, bits: int) -> str:
        main = 1000 * self.rates[self.layers - 1]
        shares = [100 * bits / (bits + main * seconds) for seconds in SHARES_AT_SECONDS]
        listed = ", ".join(f"{share:.1f}" for share in shares)
        lengths = ", ".join(str(seconds) for seconds in SHARES_AT_SECONDS)
        return (
            f"{bits} bits of prompts an utterance are sent and counted: {listed} % of the nominal"
            f" rate at {lengths} s"
        )

    def _notes_on_prompts(self) -> list[str]:
        found, latency = [], self.streaming_latency_ms
        if self.config.prompt is None and not math.isinf(latency):
            found.append(f"latency {latency:g} ms when the prompts have been sent before")
        if self.shape.voiceprint is not None:
            found.append(
                f"its decoder is told the speaker by {self.shape.voiceprint.encoder.upper()}:"
                " similarity by the same encoder flatters it"
            )
        return found
