"""AudioDec: a streaming codec of an autoencoder and, in a second stage, a vocoder."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from ..nn.neural_base import NeuralConfig
from ..nn.neural_codec import NeuralCodec
from ..nn.weights import WeightsSource

if TYPE_CHECKING:
    from torch import Tensor

    from ..nn.network import CodecNetwork
    from ..nn.weights import WeightsFile
    from .checkpoint import AuthorsWeights


class AudioDecConfig(NeuralConfig):
    """Configuration of `AudioDecCodec`."""

    weights: WeightsSource
    """Folder of an authors' autoencoder, a file, or an address that ends in ``#sha256=`` and the
    file's checksum; none come with the package."""
    vocoder: str | None = None
    """Folder of an authors' vocoder that decodes; the symmetric decoder if not given."""
    steps: int | None = pydantic.Field(default=None, ge=0)
    """Which of an authors' autoencoder folder's checkpoints is used; the latest if not given."""
    vocoder_steps: int | None = pydantic.Field(default=None, ge=0)
    """The same of the vocoder's folder."""
    warm_up: bool = False
    """Start from what silence leaves behind, as the authors' streams do, not from an empty past."""


class AudioDecCodec(NeuralCodec):
    """AudioDec (Wu et al. 2023), reproduced from the paper."""

    name = "audiodec"
    version = "1"
    Config = AudioDecConfig
    config: AudioDecConfig
    title = "AudioDec"
    description = (
        "Causal convolutional autoencoder with a residual vector quantizer, decoded by its"
        " symmetric decoder or by a HiFi-GAN vocoder trained on its codes."
    )
    paper = "Y.-C. Wu et al., AudioDec: An Open-source Streaming Codec, arXiv 2305.16608"
    folder = Path(__file__).parent

    @classmethod
    def network_config(cls) -> type[pydantic.BaseModel]:
        """Return `AudioDecNetworkConfig`."""
        from .network import AudioDecNetworkConfig

        return AudioDecNetworkConfig

    @classmethod
    def build_network(cls, config: Any) -> Any:
        """Build an `AudioDecNetwork`."""
        from .network import AudioDecNetwork

        return AudioDecNetwork(config)

    @cached_property
    def authors(self) -> AuthorsWeights | None:
        """The authors' folders, if the spec names such."""
        from .checkpoint import AuthorsFolder, AuthorsWeights

        path = Path(self.config.weights).expanduser()
        if not path.is_dir():
            return None
        vocoder = self.config.vocoder
        return AuthorsWeights(
            AuthorsFolder(path, self.config.steps),
            None
            if vocoder is None
            else AuthorsFolder(Path(vocoder).expanduser(), self.config.vocoder_steps),
        )

    @cached_property
    def weights_file(self) -> WeightsFile:
        """What the weights say of themselves; see `NeuralBase.weights_file`."""
        from ..nn.weights import FORMAT, WeightsFile

        authors = self.authors
        if authors is None:
            return super().weights_file
        metadata = {"format": FORMAT, "codec": self.name, "config": json.dumps(authors.config)}
        folders = [one for one in (authors.autoencoder, authors.vocoder) if one is not None]
        joined = "".join(folder.sha256 for folder in folders)
        sha256 = hashlib.sha256(joined.encode()).hexdigest() if len(folders) > 1 else joined
        return WeightsFile(authors.autoencoder.checkpoint, sha256, metadata)

    def read_weights(self, skeleton: CodecNetwork) -> dict[str, Tensor]:
        """Read the weights; see `NeuralCodec.read_weights`."""
        if self.authors is None:
            return super().read_weights(skeleton)
        return self.authors.tensors(skeleton, self.shape)

    def setup(self, device: str = "cpu") -> None:
        """Load the network and set how it starts."""
        super().setup(device)
        network: Any = self.network
        network.warms_up = self.config.warm_up
