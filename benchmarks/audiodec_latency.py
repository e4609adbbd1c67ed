"""Processing time of AudioDec's streams at the authors' size, beside what the paper states.

python benchmarks/audiodec_latency.py --threads 4
python benchmarks/audiodec_latency.py --device cuda

The networks are those of the paper (48 kHz, hop 300) with random weights, on which time does not
depend. Windows go through encoder and quantizer, and through codebooks and decoder, one after
another; the figures are medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from codecbench.adapters.audiodec.network import AudioDecNetwork, AudioDecNetworkConfig
from codecbench.adapters.nn.network import in_eval_mode

RATE, HOP = 48_000, 300
SEANET = {
    "strides": (3, 4, 5, 5),
    "encoder_channels": (32, 64, 128, 256, 512),
    "decoder_channels": (32, 64, 128, 256, 512),
    "latent_channels": 64,
    "linear_path": True,
    "biases": "strided",
    "frame_end": "first",
    "transposed_past": "repeat",
}
DECODERS: dict[str, dict[str, Any] | None] = {
    "symAD": None,
    "v0": {"kernel_sizes": (3, 7, 11), "dilations": ((1, 3, 5),) * 3},
    "v1": {"kernel_sizes": (11,), "groups": 3},
    "v2": {"kernel_sizes": (3,), "groups": 3},
}
WINDOWS_MS = (12.5, 25.0, 50.0, 100.0)

PAPER: dict[str, dict[str, tuple[float, ...]]] = {
    "cuda": {
        "encoder": (4.8, 6.0, 5.2, 5.1),
        "symAD": (3.0, 3.8, 3.3, 3.2),
        "v0": (12.7, 13.1, 14.0, 13.2),
        "v1": (5.6, 5.8, 6.7, 6.0),
        "v2": (5.4, 5.5, 6.2, 5.7),
    },
    "cpu": {
        "encoder": (6.8, 8.2, 9.0, 11.8),
        "symAD": (6.8, 8.6, 9.4, 13.1),
        "v0": (28.7, 35.1, 37.6, 45.1),
        "v1": (18.5, 22.8, 29.4, 45.5),
        "v2": (9.5, 11.2, 14.1, 21.2),
    },
}
"""Milliseconds for each window: arXiv 2305.16608, Tables 4 (RTX 3090) and 5 (Threadripper 3970X,
4 threads)."""


def network(decoder: str, device: str) -> AudioDecNetwork:
    """Build a network with random weights."""
    config = AudioDecNetworkConfig.model_validate(
        {
            "sample_rate": RATE,
            "seanet": SEANET,
            "quantizer": {"codebooks": 8, "codebook_size": 1024},
            "vocoder": DECODERS[decoder],
        }
    )
    built = in_eval_mode(AudioDecNetwork(config), device)
    assert isinstance(built, AudioDecNetwork)
    return built


def median_ms(step: Callable[[], None], device: str, repeats: int) -> float:
    """Return the median time of a step, after a few that do not count."""
    times = []
    for _ in range(repeats + 5):
        begin = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times[5:])


def encoding(built: AudioDecNetwork, window: int) -> Callable[[], None]:
    """Return a step that encodes the next window."""
    wave, state = torch.randn(1, 1, window, device=built.device), [built.encoder_state(1)]

    def step() -> None:
        latents, state[0] = built.encoder.step(wave, state[0])
        built.quantizer.encode(latents)

    return step


def decoding(built: AudioDecNetwork, window: int) -> Callable[[], None]:
    """Return a step that decodes the next window's codes."""
    codes = torch.randint(1024, (1, 8, window // HOP), device=built.device)
    state = [built.decoder_state(1)]

    def step() -> None:
        _, state[0] = built.decoder.step(built.quantizer.decode(codes), state[0])

    return step


def main() -> None:
    """Print a line a part of the codec, a column a window."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("ms a window".ljust(12), *(f"{window:>16g} ms" for window in WINDOWS_MS))
    parts = {"encoder": (network("symAD", options.device), encoding)}
    parts |= {name: (network(name, options.device), decoding) for name in DECODERS}
    with torch.inference_mode():
        for name, (built, work) in parts.items():
            cells = []
            for window, paper in zip(WINDOWS_MS, PAPER[options.device][name], strict=True):
                step = work(built, round(window * RATE / 1000))
                found = median_ms(step, options.device, options.repeats)
                cells.append(f"{found:6.1f} ({paper:4.1f} paper)")
            print(name.ljust(12), *(cell.rjust(19) for cell in cells))


if __name__ == "__main__":
    main()
