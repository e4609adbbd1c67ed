"""Reads the folders in which the authors publish autoencoders and vocoders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UserError
from ..nn.weights.header import file_sha256
from .layout import (
    autoencoder_config,
    autoencoder_names,
    convolution_tensors,
    convolutions,
    generator_of,
    vocoder_config,
    vocoder_names,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .network import AudioDecNetworkConfig

_CONFIGS = ("config.yml", "config.yaml")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)steps\.pkl")
_LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True)
class AuthorsFolder:
    """A folder with ``config.yml`` and ``checkpoint-*steps.pkl``.

    Parameters
    ----------
    path : Path
    steps : int or None
        Of the checkpoint; the one of most steps if None.
    """

    path: Path
    steps: int | None = None

    @cached_property
    def checkpoint(self) -> Path:
        """The checkpoint.

        Raises
        ------
        UserError
            If there is none, or none of these steps.
        """
        try:
            names = sorted(file.name for file in self.path.iterdir())
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read ({error.strerror})") from error
        found = {int(match[1]): name for name in names if (match := _CHECKPOINT.fullmatch(name))}
        if not found:
            raise UserError(f"{self.path} holds no checkpoint-*steps.pkl")
        steps = max(found) if self.steps is None else self.steps
        if steps not in found:
            known = ", ".join(map(str, sorted(found)))
            raise UserError(f"{self.path} has checkpoints of {known} steps, not of {steps}")
        return self.path / found[steps]

    @cached_property
    def config_path(self) -> Path:
        """The configuration file.

        Raises
        ------
        UserError
            If there is none.
        """
        for name in _CONFIGS:
            if (self.path / name).is_file():
                return self.path / name
        raise UserError(f"{self.path} holds no {_CONFIGS[0]}; is this an AudioDec folder?")

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the configuration file holds.

        Raises
        ------
        UserError
            If it cannot be read or is no table.
        """
        import yaml

        path = self.config_path
        try:
            if path.stat().st_size > _LARGEST_CONFIG:
                raise UserError(f"{path} is too large for a configuration")
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise UserError(f"{path}: is no YAML that could be read") from error
        if not isinstance(content, dict):
            raise UserError(f"{path}: is no table of keys and values")
        return content

    def generator(self) -> dict[str, Tensor]:
        """Read the generator's tensors, named as theirs.

        Raises
        ------
        UserError
        """
        from ..nn.weights import read_tensors

        return generator_of(read_tensors(self.checkpoint), str(self.checkpoint))

    @cached_property
    def sha256(self) -> str:
        """Hash of the checkpoint."""
        return file_sha256(self.checkpoint)


@dataclass(frozen=True)
class AuthorsWeights:
    """An autoencoder, with a vocoder or without.

    Parameters
    ----------
    autoencoder : AuthorsFolder
    vocoder : AuthorsFolder or None
    """

    autoencoder: AuthorsFolder
    vocoder: AuthorsFolder | None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The configuration of our network.

        Raises
        ------
        UserError
        """
        folder = self.autoencoder
        config = autoencoder_config(folder.config, str(folder.config_path))
        if self.vocoder is not None:
            origin = str(self.vocoder.config_path)
            config["vocoder"] = vocoder_config(self.vocoder.config, origin)
            self._check_together(config, origin)
        return config

    def _check_together(self, config: dict[str, Any], origin: str) -> None:
        assert self.vocoder is not None
        theirs = self.vocoder.config.get("sampling_rate", config["sample_rate"])
        if theirs != config["sample_rate"]:
            raise UserError(
                f"{origin}: the vocoder is for {theirs} Hz, the autoencoder for"
                f" {config['sample_rate']} Hz"
            )
        inputs = self.vocoder.config["generator_params"].get("in_channels")
        if inputs != config["seanet"]["latent_channels"]:
            raise UserError(
                f"{origin}: the vocoder takes {inputs} channels, the autoencoder gives"
                f" {config['seanet']['latent_channels']}"
            )

    def tensors(self, network: nn.Module, config: AudioDecNetworkConfig) -> dict[str, Tensor]:
        """Read all tensors, named as our network's.

        Parameters
        ----------
        network : AudioDecNetwork
            Of the configuration; its values are not looked at.
        config : AudioDecNetworkConfig

        Raises
        ------
        UserError
            If a checkpoint holds other tensors than its configuration says.
        """
        theirs = self.autoencoder.generator()
        found: dict[str, Tensor] = {}
        pairs = list(autoencoder_names(config))
        for part in ("encoder", "decoder"):
            names = [name for where, name in pairs if where == part]
            if part == "encoder" or self.vocoder is None:
                found |= _moved(theirs, names, network.get_submodule(part), part)
            else:
                for name in names:
                    convolution_tensors(theirs, name, name)
        for index in range(config.quantizer.codebooks):
            entries = theirs.pop(f"quantizer.codebook.layers.{index}.embed", None)
            if entries is not None:
                found[f"quantizer.codebooks.{index}.entries"] = entries.T.contiguous()
        _refuse_rest(theirs, self.autoencoder.checkpoint)
        if self.vocoder is not None:
            found |= self._vocoder_tensors(network, config)
        return found

    def _vocoder_tensors(
        self, network: nn.Module, config: AudioDecNetworkConfig
    ) -> dict[str, Tensor]:
        assert self.vocoder is not None
        theirs = self.vocoder.generator()
        statistics = _statistics(self.vocoder, theirs, config.latent_channels)
        names = list(vocoder_names(config))
        found = _moved(theirs, names, network.get_submodule("decoder"), "decoder")
        _refuse_rest(theirs, self.vocoder.checkpoint)
        found |= {f"decoder.layers.0.{name}": value for name, value in statistics.items()}
        return found


def _moved(
    theirs: dict[str, Tensor], names: list[str], module: nn.Module, part: str
) -> dict[str, Tensor]:
    """Take convolutions out of their tensors and name them as a part of our network."""
    found: dict[str, Tensor] = {}
    for name, ours in zip(names, convolutions(module), strict=True):
        found |= convolution_tensors(theirs, name, f"{part}.{ours}")
    return found


def _refuse_rest(theirs: dict[str, Tensor], origin: Path) -> None:
    if theirs:
        raise UserError(f"{origin}: its network has {next(iter(theirs))[:200]!a}, which is unknown")


def _statistics(
    vocoder: AuthorsFolder, theirs: dict[str, Tensor], channels: int
) -> dict[str, Tensor]:
    """Return mean and scale of the vocoder's input: the checkpoint's, else the file's.

    Raises
    ------
    UserError
        If the configuration names a file that is not there or does not fit.
    """
    import torch

    if "mean" in theirs and "scale" in theirs:
        return {"mean": theirs.pop("mean"), "scale": theirs.pop("scale")}
    named = vocoder.config["generator_params"].get("stats")
    if named is None:
        return {"mean": torch.zeros(channels), "scale": torch.ones(channels)}
    path = _statistics_path(vocoder.path, str(named))
    values = _read_npy(path)
    if values.shape != (2, channels):
        raise UserError(f"{path}: has the shape {values.shape}, needed is (2, {channels})")
    rows = torch.from_numpy(values).float()
    return {"mean": rows[0], "scale": rows[1]}


def _statistics_path(folder: Path, named: str) -> Path:
    """Find the file: in the folder, or where the authors' tree has it."""
    name = Path(named).name
    places = [folder / name, folder / "stats" / name]
    places += [above / "stats" / name for above in folder.resolve().parents[:3]]
    for place in places:
        if place.is_file():
            return place
    raise UserError(f"{folder}: the statistics {named} are missing; put {name} into the folder")


def _read_npy(path: Path) -> Any:
    import numpy as np

    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as an array of numbers") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise UserError(f"{path}: holds no array of numbers")
    return values.reshape(values.shape[0], -1) if values.ndim > 1 else values
