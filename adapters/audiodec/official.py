"""The models that the authors published, and the archive that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...corpora.base import Archive
from ..nn.weights import OfficialWeights

OfficialModel = Literal[
    "libritts_v1",
    "libritts_sym",
    "vctk_v1",
    "vctk_sym",
    "vctk_v0",
    "vctk_v2",
    "vctk_denoise",
    "vctk_univ",
    "vctk_univ_sym",
]

ARCHIVE = Archive(
    "https://github.com/facebookresearch/AudioDec/releases/download/pretrain_models_v02/exp.zip"
)
"""All models; no checksum of it is published."""

_LIBRITTS = "symAD_libritts_24000_hop300"
_VCTK = "symAD_vctk_48000_hop300"
_UNIVERSAL = "symADuniv_vctk_48000_hop300"


@dataclass(frozen=True)
class Place:
    """A folder of the archive, and the steps of the checkpoint in it that the authors use."""

    folder: str
    steps: int

    def inside(self, root: Path) -> Path:
        """Return the folder in the unpacked archive."""
        return root / self.folder


@dataclass(frozen=True)
class Model:
    """An autoencoder, with a vocoder or, where the symmetric decoder decodes, without.

    The symmetric decoder goes on learning while encoder and quantizer are frozen, so that
    its last checkpoint holds all three.
    """

    autoencoder: Place
    vocoder: Place | None = None


def _autoencoder(tag: str, steps: int, kind: str = "autoencoder") -> Place:
    return Place(f"exp/{kind}/{tag}", steps)


def _vocoder(version: int, tag: str) -> Place:
    return Place(f"exp/vocoder/AudioDec_v{version}_{tag}_clean", 500_000)


MODELS: dict[OfficialModel, Model] = {
    "libritts_v1": Model(_autoencoder(_LIBRITTS, 500_000), _vocoder(1, _LIBRITTS)),
    "libritts_sym": Model(_autoencoder(_LIBRITTS, 1_000_000)),
    "vctk_v1": Model(_autoencoder(_VCTK, 200_000), _vocoder(1, _VCTK)),
    "vctk_sym": Model(_autoencoder(_VCTK, 700_000)),
    "vctk_v0": Model(_autoencoder(_VCTK, 200_000), _vocoder(0, _VCTK)),
    "vctk_v2": Model(_autoencoder(_VCTK, 200_000), _vocoder(2, _VCTK)),
    "vctk_denoise": Model(_autoencoder(_VCTK, 200_000, "denoise"), _vocoder(1, _VCTK)),
    "vctk_univ": Model(_autoencoder(_UNIVERSAL, 500_000), _vocoder(3, _UNIVERSAL)),
    "vctk_univ_sym": Model(_autoencoder(_UNIVERSAL, 1_000_000)),
}


def official_weights() -> OfficialWeights:
    """Return the archive with all models."""
    return OfficialWeights((ARCHIVE,), f"exp/autoencoder/{_LIBRITTS}/config.yml", first_use=True)


def root_of(member: Path) -> Path:
    """Return the folder that the archive was unpacked into."""
    return member.parents[3]
