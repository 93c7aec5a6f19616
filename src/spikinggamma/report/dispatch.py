"""Chooses the page for the paths given to `spikinggamma report`: folders of runs, or files of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.pages.cost_page import write_cost_page
from spikinggamma.report.pages.papers_page import write_papers_page
from spikinggamma.report.pages.run_page import write_page
from spikinggamma.report.pages.speed_page import write_speed_page
from spikinggamma.report.pages.timing_page import write_timing_page
from spikinggamma.runs import read_rows

__all__ = ["write_report"]

# Rows of these benchmarks have a page of their own, and all others share one.
_PAGES = {
    "cost": ("costs", write_cost_page),
    "papers": ("claims of papers", write_papers_page),
    "speed": ("speed", write_speed_page),
}
_SHARED = ("other benches", write_timing_page)


def write_report(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw runs (`write_page`), or rows where all paths end in .jsonl, by the page of their benchmark.

    A folder that is no run, but holds some, such as that of a sweep, stands for its runs.

    Raises:
        SpikingGammaError: Runs and rows are mixed, rows belong on different pages, or the page cannot be drawn.
    """
    found = [one for path in paths for one in _runs_in(path)]
    if out is None and len(paths) == 1 and found != list(paths):
        out = Path(paths[0]) / "report.html"
    paths = found
    rows = [path for path in paths if Path(path).suffix == ".jsonl"]
    if rows and len(rows) < len(paths):
        raise SpikingGammaError("PATH", "runs and rows together", "either folders of runs or .jsonl files of rows")
    if not rows:
        return write_page(paths, out)
    benches = [row.get("bench") for path in rows if Path(path).is_file() for row in read_rows(Path(path))]
    pages = dict(_PAGES.get(str(bench), _SHARED) for bench in benches) or dict([_SHARED])
    if len(pages) > 1:
        given = f"rows of {' and of '.join(sorted(pages))} together"
        raise SpikingGammaError("PATH", given, "rows of one of them, for a page each")
    (write,) = pages.values()
    return write(paths, out)


def _runs_in(path: str | Path) -> list[str | Path]:
    folder = Path(path)
    if not folder.is_dir() or (folder / "recipe.toml").exists():
        return [path]
    return sorted(one.parent for one in folder.glob("*/recipe.toml")) or [path]
