"""A tiny Whisper with random weights, in the format that Whisper's own checkpoints have."""

from __future__ import annotations

from pathlib import Path

ENGLISH_VOCABULARY, MULTILINGUAL_VOCABULARY = 51864, 51865


def write_tiny_whisper(path: Path, multilingual: bool = False, seed: int = 0) -> Path:
    """Save ``{"dims": …, "model_state_dict": …}`` of a random model and return its path."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=8,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=MULTILINGUAL_VOCABULARY if multilingual else ENGLISH_VOCABULARY,
        n_text_ctx=16,
        n_text_state=8,
        n_text_head=2,
        n_text_layer=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Whisper(dims)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    torch.save({"dims": vars(dims), "model_state_dict": model.state_dict()}, path)
    return path
