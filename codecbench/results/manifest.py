"""`manifest.json`: what a run was measured with, and what it refuses to be mixed with."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pydantic

from ..errors import UserError
from ..files import write_text_atomic
from ..packet_loss import PacketLoss

FORMAT = 1
PROTOCOL = 1
"""Version of the protocol of measurement; raised when its numbers change."""

RELEVANT_PACKAGES = (
    "ai-edge-litert", "av", "codecbench", "jiwer", "lc3py", "librosa", "numba", "numpy",
    "onnxruntime", "openai-whisper", "pesq", "pocketsphinx", "pycodec2", "pystoi", "pyworld",
    "resemblyzer", "scipy", "soundfile", "soxr", "speechmos", "torch", "transformers",
    "visqol-python", "webrtcvad",
)  # fmt: skip
"""Packages whose version can change a number."""


class CodecEntry(pydantic.BaseModel):
    """A codec of the run: identity, card and the delay that the engine removes."""

    identity: str
    version: str
    card: dict[str, Any]
    delay_samples: int | None = None
    delay_estimates: int = 0
    """Utterances that the delay was estimated from; 0 where the card declares it."""
    delay_probed: int = 0
    """Utterances that there were to estimate it from."""


class MetricEntry(pydantic.BaseModel):
    """A metric of the run and its definition card."""

    identity: str
    card: dict[str, Any]
    is_default: bool
    """Whether this is the metric's default configuration."""


class Session(pydantic.BaseModel):
    """One command that worked on the run."""

    started: str
    finished: str | None = None
    command: list[str]
    python: str
    platform: str
    cpu: str
    cpu_count: int | None
    packages: dict[str, str]
    jobs: int
    device: str


class Manifest(pydantic.BaseModel):
    """All that is recorded of a run besides its rows."""

    format: int = FORMAT
    protocol: int = PROTOCOL
    resampler: str = "soxr VHQ"
    rate: int | None = None
    packet_loss: PacketLoss | None = None
    corpora: list[str] = []
    codecs: dict[str, CodecEntry] = {}
    metrics: dict[str, MetricEntry] = {}
    sessions: list[Session] = []

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        UserError
            If it is missing, damaged or of a newer format.
        """
        try:
            manifest = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UserError(f"{path.parent} is not a run folder (it has no {path.name})") from error
        except pydantic.ValidationError as error:
            what = error.errors()[0]["msg"]
            raise UserError(f"{path} is damaged or not a codecbench manifest: {what}") from error
        if manifest.format > FORMAT:
            raise UserError(f"{path} was written by a newer codecbench; upgrade to read it")
        return manifest

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=True)
        write_text_atomic(path, text + "\n")

    def require_same_protocol(self, rate: int | None, packet_loss: PacketLoss | None) -> None:
        """Refuse to mix protocols in one run."""
        if self.protocol != PROTOCOL:
            raise UserError(
                f"this run used protocol {self.protocol}, this codecbench uses {PROTOCOL};"
                " choose another --out"
            )
        if self.rate != rate:
            raise UserError(
                f"this run was made with --rate {_rate(self.rate)}, not {_rate(rate)};"
                " choose another --out"
            )

        if self.packet_loss != packet_loss:
            raise UserError(
                f"this run was made {_losses(self.packet_loss)}, not {_losses(packet_loss)};"
                " choose another --out"
            )

    def require_same_codec(self, spec: str, entry: CodecEntry) -> None:
        """Refuse another implementation or other weights under the name of a recorded codec."""
        known = self.codecs.get(spec)
        if known is not None and known.identity != entry.identity:
            raise UserError(
                f"{spec} has changed since this run measured it (implementation version"
                f" {known.version} then, {entry.version} now, or other weights);"
                " choose another --out"
            )

    def require_same_metric(self, spec: str, entry: MetricEntry) -> None:
        """Refuse another definition under the name of a recorded metric."""
        known = self.metrics.get(spec)
        if known is not None and known.identity != entry.identity:
            raise UserError(
                f"the definition of {spec} has changed since this run measured it (version"
                f" {known.card.get('version')} then, {entry.card.get('version')} now);"
                " choose another --out"
            )

    def package_changes(self, packages: dict[str, str]) -> list[str]:
        """Say which relevant packages differ from the run's first session."""
        if not self.sessions:
            return []
        return version_changes(self.sessions[0].packages, packages)


def version_changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Say which packages' versions differ."""
    return [
        f"{name} {before.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted(set(before) | set(now))
        if before.get(name) != now.get(name)
    ]


def _rate(rate: int | None) -> str:
    return "of the corpus" if rate is None else f"{rate}"


def _losses(packet_loss: PacketLoss | None) -> str:
    return f"with --packet-loss {packet_loss}" if packet_loss else "without --packet-loss"


def new_session(command: list[str], jobs: int, device: str) -> Session:
    """Record where and with what a command runs."""
    return Session(
        started=now(),
        command=command,
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=cpu_model(),
        cpu_count=os.cpu_count(),
        packages=package_versions(),
        jobs=jobs,
        device=device,
    )


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that can change a number."""
    wanted = set(RELEVANT_PACKAGES)
    found = ((dist.metadata["Name"].lower(), dist.version) for dist in distributions())
    return {name: version for name, version in sorted(found) if name in wanted}


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
