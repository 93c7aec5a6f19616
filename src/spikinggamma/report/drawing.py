"""What `spikinggamma report` is given: folders of runs, or files of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.page import write_page
from spikinggamma.report.timing_page import write_timing_page

__all__ = ["write_report"]


def write_report(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw runs (`write_page`), or rows of benches where all paths end in .jsonl (`write_timing_page`).

    Raises:
        SpikingGammaError: Runs and rows together; what drawing either raises.
    """
    rows = [path for path in paths if Path(path).suffix == ".jsonl"]
    if rows and len(rows) < len(paths):
        raise SpikingGammaError("PATH", "runs and rows together", "either folders of runs or .jsonl files of rows")
    return write_timing_page(paths, out) if rows else write_page(paths, out)
