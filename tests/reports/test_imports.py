"""Reports rest on results and statistics, not on the engine nor on what is made of reports."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "codecbench"


@pytest.mark.parametrize("package", ["reports", "results"])
def test_nothing_above_is_imported(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        depth = len(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth and node.module:
                first = node.module.partition(".")[0]
                assert first not in {"engine", "gate", "figures", "leaderboard", "cli"}, path
