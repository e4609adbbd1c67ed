"""A tiny WavLM x-vector model with random weights, in the files that transformers writes."""

from __future__ import annotations

from pathlib import Path

DIMENSION = 8


def write_tiny_wavlm(folder: Path, seed: int = 0, normalize: bool = True) -> Path:
    """Save a random model and its preprocessing into a folder and return the folder.

    Convolutions and strides are the real model's, so that it needs as many samples.
    """
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector

    config = WavLMConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        tdnn_dim=(8, 8, 8, 8, 16),
        xvector_output_dim=DIMENSION,
        num_labels=2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        WavLMForXVector(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=normalize).save_pretrained(folder)
    return folder
