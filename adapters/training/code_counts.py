"""Counts of codes that go into a weights file when a training has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from ...corpora.base import Utterance
from ..nn.entropy import count_codes
from ..nn.network import CodecNetwork
from ..nn.weights import COUNTS, add_tensors, load_into, read_header, read_tensors


def add_code_counts(path: Path, network: CodecNetwork, utterances: Iterable[Utterance]) -> None:
    """Code speech with the weights of a file, count the codes and write them into the file.

    Parameters
    ----------
    path : Path
        Its network's state stays as it is; counts that it holds are replaced.
    network : CodecNetwork
        Of the file's configuration; its weights are overwritten.
    utterances : iterable of Utterance
        What the weights were trained on, whole and at their own level, as they will be coded.

    Raises
    ------
    UserError
        If the weights do not fit the network.
    """
    load_into(network, read_tensors(path), read_header(path).codec)
    network.eval()
    network.set_denoising(None)
    add_tensors(path, {COUNTS: count_codes(network, _waves(network, utterances))})


def _waves(network: CodecNetwork, utterances: Iterable[Utterance]) -> Iterator[Tensor]:
    for utterance in utterances:
        samples = utterance.audio().resampled(network.sample_rate).samples
        utterance.forget()
        yield torch.tensor(samples, device=network.device)[None]
