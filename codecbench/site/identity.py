"""What tells the pages of one run from those of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..files import safe_name
from ..results.run_folder import Run


def identities_of(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run of a site, the same whenever the same runs are given.

    Runs that measured the same are told apart by their order: neither a folder's place nor the
    time of a run may change the names of pages that people have linked to.
    """
    seen: Counter[str] = Counter()
    found = []
    for run in runs:
        parts = _parts(run)
        alike = safe_name(*parts)
        found.append(safe_name(*parts, seen[alike]) if seen[alike] else alike)
        seen[alike] += 1
    return found


def _parts(run: Run) -> list[str]:
    """List what makes two runs the same for a reader: audio, codecs, metrics and protocol."""
    manifest = run.manifest
    codecs = sorted(f"{spec} {entry.identity}" for spec, entry in manifest.codecs.items())
    metrics = sorted(f"{spec} {entry.identity}" for spec, entry in manifest.metrics.items())
    conditions = [str(manifest.protocol), str(manifest.rate), str(manifest.packet_loss)]
    return [*sorted(manifest.corpora), *codecs, *metrics, *conditions]
