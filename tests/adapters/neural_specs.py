"""What the shared tester of neural codecs runs on: small random networks, bundled weights.

A neural codec joins by a row in `TINY`, one configuration for each kind of network that it has.
Weights that lie in its folder's ``weights/`` join by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from codecbench.registry import CODECS, component_class


@dataclass(frozen=True)
class NeuralSpec:
    """A codec with random weights of a configuration, or with weights that come with it.

    Parameters
    ----------
    codec : str
        Registered name.
    label : str
        Names the case in test ids.
    model : dict or None
        The network's configuration; None: bundled weights.
    keys : str
        Further keys of the spec.
    variant : str
        What the weights are of.
    streams : bool
        Whether the network is causal.
    """

    codec: str
    label: str
    model: dict[str, Any] | None = field(default=None, hash=False)
    keys: str = ""
    variant: str = ""
    streams: bool = True

    @property
    def id(self) -> str:
        return f"{self.codec}-{self.label}"


SEANET = {
    "strides": (2, 4, 4),
    "encoder_channels": (4, 6, 8, 12),
    "decoder_channels": (4, 6, 8, 12),
    "latent_channels": 12,
}
"""Hop 32."""

PATCHES = {
    "first_stride": 8,
    "kernel_size": 16,
    "mdct_start": True,
    "zero_start": True,
    "strides": (2, 2),
    "encoder_channels": (10, 12, 16),
    "decoder_channels": (8, 12, 16),
    "latent_channels": 12,
}
"""Hop 32, of which 8 samples overlap."""

AUDIODEC = {
    **SEANET,
    "linear_path": True,
    "biases": "strided",
    "frame_end": "first",
    "transposed_past": "repeat",
}
"""Hop 32."""

BACKBONE = {
    "strides": (2, 4, 4),
    "stride_kernels": (4, 9, 8),
    "encoder_channels": (4, 16, 16, 16),
    "decoder_channels": (4, 6, 8, 12),
    "latent_channels": 12,
    "kernel_sizes": (3, 5),
    "dilations": ((1, 2), (1,)),
}
"""Hop 32."""

PROMPTS = {
    "voiceprint": {"channels": 6, "quantizer": {"codebooks": 2, "groups": 2, "codebook_size": 20}},
    "mel_prompt": {"channels": 10, "bins": 20, "window": 256, "hop_length": 64, "vectors": 3},
}

TINY: tuple[NeuralSpec, ...] = (
    NeuralSpec(
        "soundstream",
        "plain",
        {"sample_rate": 16_000, "seanet": SEANET, "quantizer": {"codebooks": 3}},
    ),
    NeuralSpec(
        "soundstream",
        "denoising",
        {
            "sample_rate": 8_000,
            "seanet": PATCHES,
            # 20 entries cost 5 bits, and twelve of 32 bit patterns are no code.
            "quantizer": {"codebooks": 4, "codebook_size": 20},
            "denoising_switch": True,
        },
        keys="denoise=on",
    ),
    NeuralSpec(
        "soundstream",
        "looking-ahead",
        {
            "sample_rate": 16_000,
            "seanet": {**SEANET, "causal": False},
            "quantizer": {"codebooks": 2, "codebook_size": 64},
        },
        streams=False,
    ),
    NeuralSpec(
        "svcodec",
        "plain",
        {
            "sample_rate": 8_000,
            "seanet": {**PATCHES, "linear_path": True},
            "companding": {"bands": 2, "exponent": 0.7},
            "quantizer": {"codebooks": 3, "update": "gradient"},
        },
        variant="final",
    ),
    NeuralSpec(
        "svcodec",
        "grouped-cosine",
        {
            "sample_rate": 8_000,
            "seanet": SEANET,
            "quantizer": {
                "codebooks": 2,
                "codebook_size": 100,
                "groups": 2,
                "codebook_channels": 4,
                "lookup": "cosine",
                "update": "gradient",
            },
        },
        keys="variant=v2",
        variant="v2",
    ),
    NeuralSpec(
        "audiodec",
        "symmetric",
        {"sample_rate": 8_000, "seanet": AUDIODEC, "quantizer": {"codebooks": 2}},
    ),
    NeuralSpec(
        "audiodec",
        "activated",
        {
            "sample_rate": 8_000,
            "seanet": {
                **AUDIODEC,
                "linear_path": "encoder_blocks",
                "output_activation": "tanh",
            },
            "quantizer": {"codebooks": 2, "codebook_size": 64},
        },
    ),
    NeuralSpec(
        "audiodec",
        "groups",
        {
            "sample_rate": 8_000,
            "seanet": AUDIODEC,
            "quantizer": {"codebooks": 2, "codebook_size": 64},
            "vocoder": {"channels": 16, "strides": (4, 4, 2), "kernel_sizes": (3,), "groups": 3},
        },
        keys="warm_up=on",
    ),
    NeuralSpec(
        "audiodec",
        "receptive-fields",
        {
            "sample_rate": 8_000,
            "seanet": AUDIODEC,
            "quantizer": {"codebooks": 2, "codebook_size": 64},
            "vocoder": {
                "channels": 16,
                "strides": (4, 4, 2),
                "kernel_sizes": (3, 5),
                "dilations": ((1, 3), (1, 2)),
                "undilated": False,
            },
        },
    ),
    NeuralSpec(
        "audiodec",
        "patches",
        {
            "sample_rate": 8_000,
            "seanet": {**PATCHES, "linear_path": True},
            "companding": {"bands": 2, "exponent": 0.7},
            "quantizer": {"codebooks": 2, "codebook_size": 64},
            "vocoder": {
                "channels": 12,
                "stage_channels": (12, 8),
                "strides": (2, 2),
                "last_stride": 8,
                "activation": "elu",
                "linear_path": True,
                "transposed_past": "silence",
                "kernel_sizes": (3, 5),
                "dilations": ((1, 3), (1, 2)),
                "output_activation": "none",
            },
        },
    ),
    NeuralSpec(
        "pscodec",
        "weighted",
        {
            "sample_rate": 16_000,
            "backbone": BACKBONE,
            "quantizer": {"codebooks": 2, "codebook_size": 64, "groups": 2, "update": "gradient"},
            **PROMPTS,
        },
        keys="variant=base",
        variant="base",
        streams=False,
    ),
    NeuralSpec(
        "pscodec",
        "attention",
        {
            "sample_rate": 8_000,
            "backbone": {
                "first_stride": 8,
                "mdct_start": True,
                "linear_path": True,
                "zero_start": True,
                "norm": "none",
                "strides": (2, 2),
                "stride_kernels": None,
                "encoder_channels": (10, 12, 16),
                "decoder_channels": (8, 12, 16),
                "latent_channels": 12,
                "kernel_sizes": (3, 5),
                "dilations": ((1,), (1,)),
                "groups": 2,
                "activation": "elu",
                "output_activation": "none",
            },
            "companding": {"bands": 2, "exponent": 0.7},
            "quantizer": {"codebooks": 3, "groups": 2, "codebook_size": 20},
            "fusion": {"kind": "cascaded_attention", "reach": 2, "heads": 2},
            **PROMPTS,
        },
        keys="variant=casan",
        variant="casan",
        streams=False,
    ),
    NeuralSpec(
        "pscodec",
        "without-prompts",
        {
            "sample_rate": 8_000,
            "backbone": {**BACKBONE, "norm": "none", "output_activation": "none"},
            "quantizer": {"codebooks": 2, "codebook_size": 64},
            "voiceprint": None,
            "mel_prompt": None,
        },
        keys="variant=drl-ict",
        variant="drl-ict",
        streams=False,
    ),
)

STREAMING = [row for row in TINY if row.streams]

PARAMETERS: dict[tuple[int, int], float] = {
    (32, 32): 8.4,
    (16, 16): 2.4,
    (16, 32): 5.5,
    (8, 32): 4.8,
    (32, 16): 5.3,
    (32, 8): 4.4,
}
"""Million parameters of SoundStream by first encoder and decoder channels (arXiv 2107.03312,
Table I). All six fit 256 latent channels and residual kernels of 3, without the codebooks."""


def bundled() -> list[NeuralSpec]:
    """List the weights that lie in the folders of the codecs of `TINY`."""
    found = []
    for codec in sorted({spec.codec for spec in TINY}):
        codec_class: Any = component_class(CODECS, codec)
        stems = sorted(
            path.stem for path in (codec_class.folder / "weights").glob("nano*.safetensors")
        )
        for stem in stems:
            rest = stem.partition("-")[2]
            key = "variant" if codec_class.variants != ("",) else "weights"
            value = rest if key == "variant" else stem
            found.append(NeuralSpec(codec, stem, keys=f"{key}={value}" if rest else ""))
    return found
