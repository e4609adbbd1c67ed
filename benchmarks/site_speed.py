"""Seconds until a leaderboard of 200 codecs × 50 metrics is open in Chromium.

python benchmarks/site_speed.py --codecs 200 --metrics 50
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from codecbench.metric import Column
from codecbench.reports.cells import Cell
from codecbench.reports.table import Row, Table
from codecbench.site.folder import SiteFolder
from codecbench.site.leaderboard import boards_of_table

SEED = 1


def made_up_table(codecs: int, metrics: int) -> Table:
    """Return a table of drawn numbers."""
    draw = np.random.default_rng(SEED)
    columns = {"kbps": Column("kbps", "kbps", "kbit/s", "lower", pooled=True, digits=2)}
    columns |= {f"m{k}": Column(f"m{k}", f"Metric {k}", "MOS", "higher") for k in range(1, metrics)}
    rows = []
    for k in range(codecs):
        cells = {}
        for name in columns:
            value = 1 + 3 * draw.random() + (k % 20 if name == "kbps" else 0)
            cells[name] = Cell(value, value - 0.1, value + 0.1, 60, 20, 60,
                               method="speaker bootstrap")  # fmt: skip
        rows.append(Row(f"made-up-{k // 20}:kbps={1 + k % 20}", ("corpus",), cells))
    labels = {row.codec: row.codec for row in rows}
    return Table(("corpus",), columns, tuple(rows), ("made up",), labels)


def write_site(out: Path, codecs: int, metrics: int) -> Path:
    """Write a site of a made-up leaderboard and return its first page."""
    boards = boards_of_table(made_up_table(codecs, metrics), {}, "made up", "r1")
    folder = SiteFolder(out)
    folder.assets()
    folder.page("index.html", "index.html", boards=boards, title="Speed", has_utterances=False,
                listening=[])  # fmt: skip
    folder.finish()
    return out / "index.html"


def opened(browser: Any, page: Path) -> dict[str, float]:
    """Open a page in a fresh context; return seconds since the start of navigation.

    `loaded` is the end of the load event, when the table can be read and used; `settled` the first
    frame after it, with the plot. `cpu` is what the page's main thread was busy with until then,
    which other processes of the machine hardly lengthen.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(600_000)
    session = context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(page.as_uri())
    settled = tab.evaluate(
        "new Promise((done) => requestAnimationFrame(() =>"
        " setTimeout(() => done(performance.now() / 1000))))"
    )
    loaded = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {"loaded": loaded, "settled": settled, "cpu": found["TaskDuration"]}


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codecs", type=int, default=200)
    parser.add_argument("--metrics", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = write_site(Path(folder) / "site", options.codecs, options.metrics)
        print(f"{page.stat().st_size / 1e6:.2f} MB of HTML")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=600_000
        )
        times = [opened(browser, page) for _ in range(options.repeats)]
        browser.close()
    for kind in times[0]:
        values = [one[kind] for one in times]
        print(f"{kind:<8} median {statistics.median(values):.3f} s, worst {max(values):.3f} s")


if __name__ == "__main__":
    main()
