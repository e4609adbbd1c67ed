"""How PSCodec's decoder combines the quantized stream with the prompts."""

from __future__ import annotations

from typing import Literal

import pydantic
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import Attention, LocalSelfAttention, small_linear
from .prompts import Prompts


class FusionConfig(pydantic.BaseModel):
    """How the quantized stream and the prompts are combined."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["weighted", "cascaded_attention"] = "weighted"
    """``weighted``: learned weights of Base and DRL-ICT; ``cascaded_attention``: CasAN."""
    heads: int = pydantic.Field(default=4, ge=1, le=64)
    """Of the cascaded attention."""
    reach: int = pydantic.Field(default=16, ge=1, le=1024)
    """Frames to either side that a frame of the stream attends to in the cascaded attention."""
    voiceprint_tokens: int = pydantic.Field(default=4, ge=1, le=256)
    """Vectors that the voiceprint is split in for the cascaded attention."""


class WeightedFusion(nn.Module):
    """Weighted sum of the stream, the voiceprint and what each frame finds in the mel prompt.

    Weights are a softmax, times their number: all streams count as they are while these are equal.

    Parameters
    ----------
    channels : int
        Of the latents.
    voiceprint_channels, mel_channels : int or None
        Of the prompts; None where there is none.
    """

    def __init__(
        self, channels: int, voiceprint_channels: int | None, mel_channels: int | None
    ) -> None:
        super().__init__()
        self.voiceprint = (
            None if voiceprint_channels is None else small_linear(voiceprint_channels, channels)
        )
        self.mel = None if mel_channels is None else Attention(channels, mel_channels, 1)
        parts = 1 + (self.voiceprint is not None) + (self.mel is not None)
        self.logits = nn.Parameter(torch.zeros(parts))

    @property
    def lookahead(self) -> int:
        """Frames that it looks ahead."""
        return 0

    def forward(self, latents: Tensor, prompts: Prompts) -> tuple[Tensor, list[Tensor]]:
        """Combine.

        Parameters
        ----------
        latents : Tensor, shape (batch, channels, frames)
            Quantized.
        prompts : Prompts

        Returns
        -------
        fused : Tensor, shape (batch, channels, frames)
        maps : list of Tensor, each (batch, channels, frames)
            What each prompt contributes to every frame, unweighted.
        """
        maps = []
        if self.voiceprint is not None:
            assert prompts.voiceprint is not None
            vector = self.voiceprint(prompts.voiceprint[..., 0])
            maps.append(vector[..., None].expand_as(latents))
        if self.mel is not None:
            assert prompts.mel_prompt is not None
            frames = F.layer_norm(latents.transpose(1, 2), latents.shape[1:2])
            maps.append(self.mel(frames, prompts.mel_prompt.transpose(1, 2)).transpose(1, 2))
        weights = len(self.logits) * self.logits.softmax(0)
        parts = [latents, *maps]
        fused = torch.stack([w * part for w, part in zip(weights, parts, strict=True)]).sum(0)
        return fused, maps


class CascadedAttention(nn.Module):
    """CasAN: attention within each stream, then of the stream to the mel prompt and voiceprint.

    Every step is added to the stream behind a layer norm, so that the stream passes unchanged
    where attention finds nothing.

    Parameters
    ----------
    channels : int
        Of the latents; a multiple of the heads.
    voiceprint_channels, mel_channels : int or None
        Of the prompts; None where there is none.
    config : FusionConfig
    """

    def __init__(
        self,
        channels: int,
        voiceprint_channels: int | None,
        mel_channels: int | None,
        config: FusionConfig,
    ) -> None:
        super().__init__()
        self.tokens = config.voiceprint_tokens
        self.stream = LocalSelfAttention(channels, config.heads, config.reach)
        self.split: nn.Linear | None = None
        self.voiceprint: PromptAttention | None = None
        self.mel: PromptAttention | None = None
        if mel_channels is not None:
            self.mel = PromptAttention(channels, mel_channels, config.heads)
        if voiceprint_channels is not None:
            self.split = nn.Linear(voiceprint_channels, self.tokens * voiceprint_channels)
            self.voiceprint = PromptAttention(channels, voiceprint_channels, config.heads)

    @property
    def lookahead(self) -> int:
        """Frames that it looks ahead."""
        return self.stream.reach

    def forward(self, latents: Tensor, prompts: Prompts) -> tuple[Tensor, list[Tensor]]:
        """Combine; see `WeightedFusion.forward`."""
        x = latents.transpose(1, 2)
        x = x + self.stream(F.layer_norm(x, x.shape[-1:]))
        maps = []
        if self.mel is not None:
            assert prompts.mel_prompt is not None
            maps.append(self.mel(x, prompts.mel_prompt.transpose(1, 2)))
            x = x + maps[-1]
        if self.voiceprint is not None and self.split is not None:
            assert prompts.voiceprint is not None
            tokens = self.split(prompts.voiceprint[..., 0]).reshape(len(x), self.tokens, -1)
            maps.append(self.voiceprint(x, tokens))
            x = x + maps[-1]
        return x.transpose(1, 2), [one.transpose(1, 2) for one in maps]


class PromptAttention(nn.Module):
    """Self-attention within a prompt and attention of the stream to it.

    Parameters
    ----------
    channels, prompt_channels, heads : int
    """

    def __init__(self, channels: int, prompt_channels: int, heads: int) -> None:
        super().__init__()
        self.within = Attention(prompt_channels, prompt_channels, 1)
        self.across = Attention(channels, prompt_channels, heads)

    def forward(self, x: Tensor, prompt: Tensor) -> Tensor:
        """Return what frames (batch, time, channels) find in a prompt (batch, items, c)."""
        normed = F.layer_norm(prompt, prompt.shape[-1:])
        prompt = prompt + self.within(normed, normed)
        found: Tensor = self.across(F.layer_norm(x, x.shape[-1:]), prompt)
        return found


def build_fusion(
    config: FusionConfig,
    channels: int,
    voiceprint_channels: int | None,
    mel_channels: int | None,
) -> WeightedFusion | CascadedAttention:
    """Build what the configuration names."""
    if config.kind == "weighted":
        return WeightedFusion(channels, voiceprint_channels, mel_channels)
    return CascadedAttention(channels, voiceprint_channels, mel_channels, config)
