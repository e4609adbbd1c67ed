"""What codecs, metrics and corpora share: a validated configuration and a canonical spec."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pydantic

from .errors import UnavailableError, UserError
from .spec import POSITIONAL, Spec, format_spec


class Config(pydantic.BaseModel):
    """Base of configurations; fields stand in the order of the canonical spec.

    Every field must change the result: what does not (device, cache) is not configuration.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    positional: ClassVar[str | None] = None
    """The field that a value without a key belongs to."""


@dataclass(frozen=True)
class Requirement:
    """Something a component needs from the machine.

    Parameters
    ----------
    kind : {"module", "program"}
        A Python module to import, or a program on the PATH.
    name : str
    hint : str
        How to get it, as a command or a short sentence.
    """

    kind: str
    name: str
    hint: str

    @property
    def is_met(self) -> bool:
        """Whether it is there (without importing or running it)."""
        if self.kind == "program":
            return shutil.which(self.name) is not None
        return importlib.util.find_spec(self.name) is not None


class Component:
    """A configured, named thing that a spec string can name.

    Parameters
    ----------
    config : Config, optional
        An instance of the class's `Config`; default configuration if None.
    """

    name: ClassVar[str]
    """The registered name."""
    version: ClassVar[str] = "1"
    """Of the implementation: raised whenever the same input may give another result."""
    requirements: ClassVar[tuple[Requirement, ...]] = ()
    example: ClassVar[str | None] = None
    """A spec that works as it stands; for components with required keys."""

    Config: ClassVar[type[Config]] = Config

    def __init__(self, config: Any = None) -> None:
        if config is None:
            config = build_config(self.name, self.Config, {})
        self.config = config

    @classmethod
    def from_spec(cls, spec: Spec, **options: Any) -> Self:
        """Build from a parsed spec.

        Raises
        ------
        UserError
            If a key is unknown or a value does not fit.
        """
        params = dict(spec.params)
        if POSITIONAL in params:
            key = cls.Config.positional
            if key is None or key in params:
                raise UserError(f"'{spec}': write key=value; {cls._known_keys(spec.name)}")
            params[key] = params.pop(POSITIONAL)
        return cls(build_config(spec.name, cls.Config, params), **options)

    @classmethod
    def _known_keys(cls, name: str) -> str:
        keys = list(cls.Config.model_fields)
        return f"{name} knows {', '.join(keys)}" if keys else f"{name} takes no keys"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec}>"

    @classmethod
    def required_keys(cls) -> tuple[str, ...]:
        """Name the configuration keys that a spec must give."""
        return _required(cls.Config)

    @property
    def spec(self) -> str:
        """The canonical spec: every value explicit, keys in declared order."""
        return canonical_spec(self.name, self.config)

    @classmethod
    def missing_requirements(cls) -> list[Requirement]:
        """List what the machine lacks for this component."""
        return [requirement for requirement in cls.requirements if not requirement.is_met]

    def check_available(self) -> None:
        """Raise `UnavailableError` naming what is missing, before any work is done.

        Components override this to check files and weights as well.
        """
        missing = self.missing_requirements()
        if missing:
            what = "; ".join(f"{item.name} is not installed: {item.hint}" for item in missing)
            raise UnavailableError(f"{self.name} cannot run here: {what}")

    def setup(self, device: str = "cpu") -> None:
        """Load models onto `device`; called once in each worker. May be called again."""


def _required(model: type[Config]) -> tuple[str, ...]:
    return tuple(key for key, field in model.model_fields.items() if field.is_required())


def build_config(name: str, model: type[Config], params: dict[str, str]) -> Config:
    """Validate spec parameters against a configuration class.

    Raises
    ------
    UserError
        In one line: the key, what is wrong with it, and which keys there are.
    """
    unknown = sorted(set(params) - set(model.model_fields))
    if unknown:
        known = ", ".join(model.model_fields) or "no keys"
        raise UserError(f"{name}: unknown key '{unknown[0]}' (known: {known})")
    missing = [key for key in _required(model) if key not in params]
    if missing:
        keys = f"{'keys' if len(missing) > 1 else 'key'} {' and '.join(missing)}"
        raise UserError(f"{name} needs the {keys}; see `codecbench describe {name}`")
    try:
        return model.model_validate(params)
    except pydantic.ValidationError as error:
        where, what = first_fault(error)
        given = f" (got {params[where]})" if where in params else ""
        raise UserError(f"{name}: {where + ': ' if where else ''}{what}{given}") from error


def first_fault(error: pydantic.ValidationError) -> tuple[str, str]:
    """Return where the first fault of a configuration is (``a.b``, or nothing) and what it is."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return where, first["msg"].removeprefix("Value error, ")


def canonical_spec(name: str, config: Config) -> str:
    """Write the spec with all values explicit; fields that are None are left out."""
    values = ((key, getattr(config, key)) for key in type(config).model_fields)
    return format_spec(name, ((key, _text(value)) for key, value in values if value is not None))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)
