"""Counts the codes of a recipe's training speech into weights that came without counts.

    python tools/add_code_counts.py adapters/soundstream/weights/nano.safetensors \
        adapters/soundstream/nano.toml --data-root /data

`codecbench train` does the same at its end; ``entropy=on`` needs the counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from codecbench.adapters.nn.weights import read_header
from codecbench.adapters.training.code_counts import add_code_counts
from codecbench.adapters.training.corpora import divide, gather
from codecbench.adapters.training.recipe import read_recipe
from codecbench.registry import CODECS, component_class


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data-root", type=Path)
    options = parser.parse_args()
    header = read_header(options.weights)
    codec = component_class(CODECS, header.codec)
    network = codec.build_network(codec.network_config().model_validate(header.config))
    config = read_recipe(options.recipe).recipe.data
    speech = gather(config.corpora, options.data_root)
    data = divide(speech, config.reserved_speakers, config.speaker_corpus)
    add_code_counts(options.weights, network, data.training)
    print(f"{options.weights}: codes of {len(data.training)} utterances counted")


if __name__ == "__main__":
    main()
