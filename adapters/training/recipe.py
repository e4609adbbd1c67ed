"""Recipes: everything that decides what is trained, read from one TOML file."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import math
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from ...component import first_fault
from ...errors import UserError
from ...toml_file import read_toml
from ..nn.discriminators import DiscriminatorsConfig
from ..nn.losses import LossesConfig
from ..nn.weights import Precision
from .noise import SyntheticNoise


class Table(pydantic.BaseModel):
    """Base of the tables of a recipe."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Decibel = Annotated[float, pydantic.Field(ge=-120, le=120, allow_inf_nan=False)]
Decibels = tuple[Decibel, Decibel]
Fraction = Annotated[float, pydantic.Field(ge=0, lt=1)]
Count = Annotated[int, pydantic.Field(ge=1)]
Positive = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, pydantic.Field(gt=0, le=1)]
NotNegative = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]


class DataConfig(Table):
    """What is trained on, and how crops of it are varied."""

    corpora: tuple[str, ...] = ()
    """Corpus specs; relative folders are looked for in ``CODECBENCH_DATA`` too."""
    speaker_corpus: str | None = None
    """Registered corpus whose speakers the data's speakers are; each utterance's own if None."""
    reserved_speakers: int = pydantic.Field(0, ge=0)
    """Speakers kept for model selection, chosen by a hash of their names."""
    crop_seconds: float = pydantic.Field(1.0, gt=0, le=600)
    prompt_seconds: Positive | None = pydantic.Field(None, le=600)
    """Length of a second excerpt of the same recording, from which networks with prompts take
    them; None: there is none."""
    in_memory: bool = True
    """Whether all audio is held in memory; else crops are read from the files."""
    level_rms: float | None = pydantic.Field(None, gt=0, le=1)
    """Root mean square that each crop is brought to before its gain; None: as recorded."""
    gain_db: Decibels = (0.0, 0.0)
    """Range of the random gain of each crop."""
    speeds: tuple[Positive, ...] = pydantic.Field((1.0,), min_length=1)
    """Speeds of playing drawn for each crop; they move pitch and formants."""
    polarity_flip: bool = False
    """Whether half of the crops are inverted."""
    noise: tuple[str, ...] = ()
    """Corpus specs of noise that is added to crops."""
    synthetic_noise: tuple[SyntheticNoise, ...] = ()
    """Kinds of noise made on the spot; each is drawn as often as all recorded noise together."""
    noise_targets: Literal["switched", "clean"] = "switched"
    """What is to come back of a noisy crop: the noisy one, or the clean one where the network's
    denoising switch is set; or the clean one always, for networks without a switch."""
    noisy_share: float = pydantic.Field(0.5, gt=0, le=1)
    """Share of the crops that get noise."""
    noise_gain_db: Decibels = (-30.0, 0.0)
    """Range of the noise's peak over the speech's peak."""
    workers: Count = 2
    """Threads that prepare batches ahead."""

    @property
    def is_noisy(self) -> bool:
        """Whether any crops get noise."""
        return bool(self.noise or self.synthetic_noise)

    @pydantic.model_validator(mode="after")
    def _check_prompts(self) -> DataConfig:
        if self.is_noisy and self.prompt_seconds is not None:
            raise ValueError("prompt_seconds: crops with noise get no prompts")
        return self

    @pydantic.field_validator("gain_db", "noise_gain_db")
    @classmethod
    def _ordered(cls, value: Decibels) -> Decibels:
        if value[0] > value[1]:
            raise ValueError("the first value must not be above the second")
        return value


class CodebookConfig(Table):
    """How codebooks learn beside the gradient; see `CodebookLearner`."""

    decay: Fraction = 0.99
    """Of running means and usage."""
    dead_below: NotNegative = 2.0
    """Running usage a batch below which a code is replaced."""
    balanced: bool = False
    """Whether every layer learns from every item and all layers' losses count alike; else a layer
    learns, and counts, by the items that use it (plain quantizer dropout)."""
    kmeans_batches: Count = 8
    """Batches whose latents the codebooks are started from."""


class SideCodebookConfig(Table):
    """How codebooks of what is sent once a signal learn, which see few vectors a batch."""

    memory: Positive = 20.0
    """Uses that the running mean of an evenly used code is of."""
    dead_below: Fraction = 0.05
    """Part of even use below which a code is replaced."""
    kmeans_batches: Count = 100
    """Batches whose vectors the codebooks are started from."""

    def at(self, even_use: float) -> CodebookConfig:
        """Return the settings of codebooks whose codes are used this often a batch if evenly."""
        decay = max(0.0, 1 - even_use / self.memory)
        return CodebookConfig(decay=decay, dead_below=self.dead_below * even_use)


class StageConfig(Table):
    """One stage of training: its length, its optimizers and its losses."""

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9_-]+$")
    steps: Count
    batch_size: Count
    """Crops a step of each process."""
    quantize: bool = True
    """Whether latents pass the quantizer."""
    learning_rate: Rate = 1e-3
    final_learning_rate: NotNegative = 0.0
    """Reached at the stage's end, unless the schedule is constant."""
    warmup_steps: int = pydantic.Field(0, ge=0)
    """Steps over which the learning rate rises from zero."""
    schedule: Literal["linear", "constant", "cosine"] = "linear"
    betas: tuple[Fraction, Fraction] = (0.8, 0.99)
    weight_decay: NotNegative = 0.0
    clip_norm: NotNegative = 1.0
    """Largest norm of the gradient; 0: not limited."""
    start: Literal["principal_components", "code_statistics", "symmetric_decoder"] | None = None
    """How the network starts; for the first stage. ``code_statistics``: a vocoder's input is
    scaled by mean and deviation of the quantized latents, as AudioDec's is. ``symmetric_decoder``:
    a vocoder starts as the decoder of the initial weights."""
    train: tuple[str, ...] = ()
    """Named parts of the network that learn; all if empty."""
    start_flattening: float = pydantic.Field(0.0, ge=0, le=1)
    """Exponent by which that start flattens the average spectrum, so that quantization noise
    follows speech; for networks whose outer convolutions start as an MDCT."""
    layers: Literal["uniform", "stratified", "all"] | tuple[Count, ...] = "uniform"
    """Residual layers that each item uses: drawn uniformly from all depths; every depth in
    equal share; all layers; or drawn from a list."""
    codebooks: CodebookConfig = CodebookConfig()
    side_codebooks: SideCodebookConfig = SideCodebookConfig()
    """The same for the quantizers of what is sent once a signal."""
    commitment_scale: Literal["latent_power"] | Positive = "latent_power"
    """What the commitment is divided by; ``latent_power``: the variance of the latents, measured
    once when quantizing starts."""
    losses: dict[str, NotNegative]
    """Weights of the loss terms; terms of weight 0 are not computed."""
    balance: bool = False
    """Whether weights mean shares of the gradient at the output (EnCodec's balancer)."""
    adversarial_loss: Literal["hinge", "least_squares"] = "hinge"
    relative_features: bool = False
    """Whether feature matching is relative to the features' magnitude, as in EnCodec."""
    discriminator_learning_rate: Rate | None = None
    """The generator's if None; it follows the same schedule."""
    discriminator_every: Count = 1
    """Steps between updates of the discriminators."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> StageConfig:
        if not any(self.losses.values()):
            raise ValueError("losses: give at least one term a weight above 0")
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps must not exceed the {self.steps} steps of the stage")
        if self.final_learning_rate > self.learning_rate:
            raise ValueError("final_learning_rate must not be above learning_rate")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Terms of a weight above 0."""
        return {name: weight for name, weight in self.losses.items() if weight}

    @property
    def starts_vocoder(self) -> bool:
        """Whether a vocoder starts from the codes of an encoder that is there already."""
        return self.start in ("code_statistics", "symmetric_decoder")

    @property
    def is_adversarial(self) -> bool:
        """Whether discriminators take part."""
        return bool({"adversarial", "feature_matching"} & set(self.weights))

    def rate_factor(self, step: int) -> float:
        """Return the learning rate at a step of the stage, over `learning_rate`."""
        final = self.final_learning_rate / self.learning_rate
        done = step / self.steps
        shape = {
            "constant": 1.0,
            "linear": 1 - done,
            "cosine": 0.5 + 0.5 * math.cos(math.pi * done),
        }
        level = final + (1 - final) * shape[self.schedule]
        return level * min(1.0, (step + 1) / (self.warmup_steps + 1))


class AverageConfig(Table):
    """Exponential moving average of the weights; what is judged and written."""

    decay: Fraction = 0.999


class SelectionConfig(Table):
    """How the best weights are found, on reserved speakers."""

    every: Count = 1000
    """Steps between two judgements."""
    utterances: Count = 15
    """Of the reserved speakers, in turn."""
    seconds: Positive = 6.0
    """Longer utterances are cut."""
    metrics: tuple[str, ...] = ("pesq", "stoi")
    best: str = "pesq_wb"
    """Column that decides; which way is better is taken from the metric."""
    rates: tuple[Count, ...] = ()
    """Residual layers that are judged, besides all of them, which decide."""


class LogConfig(Table):
    """What is told on the way."""

    every: Count = 50
    """Steps between two entries."""
    checkpoint_minutes: Positive = 5.0
    """Between two checkpoints; one is also written after each judgement and at every stop."""


class ExportConfig(Table):
    """How weights are written."""

    precision: Precision = "float32"
    """float32, float16, or int8 with one scale for each row of a matrix."""


class Recipe(Table):
    """A whole recipe."""

    codec: str
    """Registered name."""
    variant: str = ""
    """One of the codec's variants, which the weights will be; empty if it has none."""
    seed: int = pydantic.Field(0, ge=0)
    initial_weights: Annotated[str, pydantic.Field(min_length=1)] | None = None
    """Weights file to start from, beside the recipe if relative; its codebooks are kept."""
    initial_parts: tuple[str, ...] = ()
    """Named parts of the network that are taken from it; all if empty."""
    model: dict[str, Any]
    """The network's configuration; its keys are the codec's."""
    data: DataConfig
    losses: LossesConfig = LossesConfig()
    """Parameters of the spectral losses."""
    discriminators: DiscriminatorsConfig | None = None
    """Configuration of the discriminators; None: there are none."""
    stages: tuple[StageConfig, ...] = pydantic.Field(min_length=1)
    ema: AverageConfig | None = None
    selection: SelectionConfig | None = None
    log: LogConfig = LogConfig()
    export: ExportConfig = ExportConfig()

    @pydantic.model_validator(mode="after")
    def _check(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError("stages: every stage needs a name of its own")
        for stage in self.stages[1:]:
            if stage.start is not None:
                raise ValueError(f"stages: only the first stage has a start, not {stage.name}")
        if self.initial_parts and self.initial_weights is None:
            raise ValueError("initial_parts: needs initial_weights to take them from")
        if self.stages[0].starts_vocoder and not {"encoder", "quantizer"} <= {*self.initial_parts}:
            raise ValueError(
                f"stages: start = {self.stages[0].start} needs initial_weights, and"
                ' initial_parts = ["encoder", "quantizer"]'
            )
        if self.selection is not None and self.data.noise_targets == "clean":
            raise ValueError("selection: judges clean speech, which says nothing of a denoiser")
        if self.selection is not None and not self.data.reserved_speakers:
            raise ValueError("data.reserved_speakers: selection needs at least one")
        for stage in self.stages:
            if stage.is_adversarial and self.discriminators is None:
                raise ValueError(f"stages: {stage.name} is adversarial; add [discriminators]")
        return self

    @property
    def has_codebooks(self) -> bool:
        """Whether the initial weights bring codebooks, which then are not started anew."""
        return self.brings("quantizer")

    def brings(self, part: str) -> bool:
        """Tell whether the initial weights bring a part of the network."""
        brings = not self.initial_parts or part in self.initial_parts
        return self.initial_weights is not None and brings

    @property
    def quantizes(self) -> bool:
        """Whether any stage uses the quantizer."""
        return any(stage.quantize for stage in self.stages)

    def first_step(self, stage: int) -> int:
        """Return how many steps lie before a stage."""
        return sum(before.steps for before in self.stages[:stage])


@dataclass(frozen=True)
class RecipeFile:
    """A recipe and the file it was read from.

    Parameters
    ----------
    path : Path
    text : str
    recipe : Recipe
        With the command line's data and seed.
    fingerprint : str
        SHA-256 of the text and of what the command line replaced.
    """

    path: Path
    text: str
    recipe: Recipe
    fingerprint: str

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_recipe(path: Path, corpora: tuple[str, ...] = (), seed: int | None = None) -> RecipeFile:
    """Read and validate a recipe.

    Parameters
    ----------
    path : Path
    corpora : tuple of str
        Specs that replace the recipe's, if any; its `speaker_corpus` does not hold for them.
    seed : int, optional
        Replaces the recipe's.

    Raises
    ------
    UserError
        In one line: the file, the key and what is wrong with it.
    """
    text, values = read_toml(path, "recipe")
    if corpora and isinstance(values.setdefault("data", {}), dict):
        # Other speech has other speakers: each utterance's own.
        values["data"] |= {"corpora": list(corpora), "speaker_corpus": None}
    if seed is not None:
        values["seed"] = seed
    recipe: Recipe = validated(Recipe, values, str(path))
    if not recipe.data.corpora:
        raise UserError(f"{path}: data.corpora: name what is trained on (or give --data)")
    fingerprint = hashlib.sha256(repr((text, corpora, seed)).encode()).hexdigest()
    return RecipeFile(path, text, recipe, fingerprint)


def validated(model: type[pydantic.BaseModel], values: Any, origin: str) -> Any:
    """Validate values against a model.

    Raises
    ------
    UserError
        In one line that begins with `origin`.
    """
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        raise UserError(f"{origin}: {_in_one_line(model, error)}") from error


def _in_one_line(model: type[pydantic.BaseModel], error: pydantic.ValidationError) -> str:
    first = error.errors()[0]
    where, what = first_fault(error)
    if first["type"] == "extra_forbidden":
        *table, key = first["loc"]
        known = _keys_at(model, table)
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return f"unknown key {where} ({hint})"
    return f"{where}: {what}" if where else what


def _keys_at(model: type[pydantic.BaseModel], table: list[int | str]) -> list[str]:
    """List the keys of a table inside a model."""
    for part in table:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> typing.Iterator[type[pydantic.BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models_in(part)
