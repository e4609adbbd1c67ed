"""Helpers of the tests of streaming modules."""

import torch


def split(x, sizes):
    """Cut the time axis into chunks of these sizes."""
    return x.split(list(sizes), dim=-1)


def streamed(module, chunks):
    """Pass chunks through a module one after another and join what comes out."""
    state = module.initial_state(len(chunks[0]))
    parts = []
    for chunk in chunks:
        part, state = module.step(chunk, state)
        parts.append(part)
    return torch.cat(parts, dim=-1)
