"""AudioDec: a streaming codec of an autoencoder and, in a second stage, a vocoder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pydantic

from ...errors import UserError
from ..nn.neural_base import BUNDLED, NeuralConfig
from ..nn.neural_codec import NeuralCodec
from ..nn.weights import OFFICIAL, WeightsSource, found_here, is_outside_source
from .official import OfficialModel

if TYPE_CHECKING:
    from torch import Tensor

    from ...codec import CodecCard
    from ..nn.network import CodecNetwork
    from ..nn.weights import OfficialWeights, WeightsFile
    from .checkpoint import AuthorsWeights

_AUTHORS_LICENCE = "CC-BY-NC-4.0 (the authors' weights)"
_AUTHORS_SPEAKERS = (
    "the authors' weights: trained on speakers of VCTK or LibriTTS that they do not list, so that"
    " none are left out of tables"
)


class AudioDecConfig(NeuralConfig):
    """Configuration of `AudioDecCodec`."""

    weights: WeightsSource = BUNDLED
    """``nano`` (comes with the package), ``official`` (the authors'), a folder of an authors'
    autoencoder, a file, or an address that ends in ``#sha256=`` and the file's checksum."""
    model: OfficialModel | None = None
    """Which of the authors' models is meant by ``weights=official``."""
    vocoder: str | None = None
    """``nano``, or a folder of an authors' vocoder, that decodes; the symmetric decoder if not
    given. A file of weights holds its decoder already."""
    steps: int | None = pydantic.Field(default=None, ge=0)
    """Which of an authors' autoencoder folder's checkpoints is used; the latest if not given."""
    vocoder_steps: int | None = pydantic.Field(default=None, ge=0)
    """The same of the vocoder's folder."""
    warm_up: bool = False
    """Start from what silence leaves behind, as the authors' streams do, not from an empty past."""

    @pydantic.model_validator(mode="after")
    def _check_together(self) -> AudioDecConfig:
        official = self.weights == OFFICIAL
        if official and self.model is None:
            raise ValueError(f"weights=official needs model={'|'.join(get_args(OfficialModel))}")
        if self.model is not None and not official:
            raise ValueError("model is for weights=official")
        if self.vocoder is not None and official:
            raise ValueError("vocoder is not for weights=official, whose model names its decoder")
        if (self.vocoder == BUNDLED) and self.weights != BUNDLED:
            raise ValueError("vocoder=nano goes with weights=nano")
        if self.vocoder not in (None, BUNDLED) and self.weights == BUNDLED:
            raise ValueError("vocoder=FOLDER needs weights=FOLDER of the authors; or vocoder=nano")
        if self.steps is not None and not is_outside_source(self.weights):
            raise ValueError("steps is for weights=FOLDER of the authors")
        if self.vocoder_steps is not None and self.vocoder in (None, BUNDLED):
            raise ValueError("vocoder_steps is for vocoder=FOLDER of the authors")
        return self


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

    @classmethod
    def official_weights(cls) -> OfficialWeights:
        """Return the archive with all of the authors' models."""
        from .official import official_weights

        return official_weights()

    @property
    def weights_stem(self) -> str:
        """Name of the bundled file: that of a vocoder holds encoder and quantizer as well."""
        return f"{BUNDLED}-vocoder" if self.config.vocoder == BUNDLED else str(self.config.weights)

    @cached_property
    def authors(self) -> AuthorsWeights | None:
        """The authors' folders, if the spec names such or their release."""
        from .checkpoint import AuthorsFolder, AuthorsWeights

        if self.config.model is not None:
            return self._released(self.config.model)
        folder = found_here("weights", self.config.weights, Path.is_dir)
        if not is_outside_source(self.config.weights) or folder is None:
            return None
        autoencoder = AuthorsFolder(folder, self.config.steps)
        if self.config.vocoder is None:
            return AuthorsWeights(autoencoder, None)
        vocoder = found_here("vocoder", self.config.vocoder, Path.is_dir)
        if vocoder is None:
            raise UserError(f"{self.name}: vocoder={self.config.vocoder}: there is no such folder")
        return AuthorsWeights(autoencoder, AuthorsFolder(vocoder, self.config.vocoder_steps))

    def _released(self, name: OfficialModel) -> AuthorsWeights:
        """Return the model's folders, fetched first if they are not here."""
        from ..nn.weights import locate
        from .checkpoint import AuthorsFolder, AuthorsWeights
        from .official import MODELS, root_of

        official = self.official_weights()
        root = root_of(locate(OFFICIAL, self.folder, official=official, codec=self.name))
        model = MODELS[name]
        autoencoder = AuthorsFolder(model.autoencoder.inside(root), model.autoencoder.steps)
        if model.vocoder is None:
            return AuthorsWeights(autoencoder, None)
        vocoder = AuthorsFolder(model.vocoder.inside(root), model.vocoder.steps)
        return AuthorsWeights(autoencoder, vocoder)

    @cached_property
    def weights_file(self) -> WeightsFile:
        """What the weights say of themselves; see `NeuralBase.weights_file`."""
        from ..nn.weights import FORMAT, WeightsFile

        authors = self.authors
        if authors is None:
            self._refuse_keys_of_folders()
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

    def _refuse_keys_of_folders(self) -> None:
        """Refuse what says nothing about a file of weights, which holds its decoder already."""
        idle = [key for key in ("steps", "vocoder") if getattr(self.config, key) is not None]
        if idle and is_outside_source(self.config.weights):
            raise UserError(
                f"{self.name}: {idle[0]} goes with a folder of the authors as weights;"
                f" {self.config.weights} is no folder"
            )

    @property
    def card(self) -> CodecCard:
        """The card of this configuration; the authors' weights are under a licence of their own."""
        card = super().card
        if self.authors is None:
            return card
        folders = {"autoencoder": self.authors.autoencoder, "vocoder": self.authors.vocoder}
        sums = [f"{name} {one.sha256}" for name, one in folders.items() if one is not None]
        notes = (*card.notes, _AUTHORS_SPEAKERS, f"SHA-256 of checkpoints: {', '.join(sums)}")
        licence = f"Apache-2.0 (this implementation), {_AUTHORS_LICENCE}"
        return replace(card, licence=licence, notes=notes)

    @property
    def weights_label(self) -> str:
        """How tables call the weights."""
        if self.config.model is not None:
            return f"official {self.config.model}"
        return super().weights_label

    def setup(self, device: str = "cpu") -> None:
        """Load the network and set how it starts."""
        super().setup(device)
        network: Any = self.network
        network.warms_up = self.config.warm_up
