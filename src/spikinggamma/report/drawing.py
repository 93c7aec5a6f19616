"""What `spikinggamma report` is given: folders of runs, or files of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.cost_page import write_cost_page
from spikinggamma.report.page import write_page
from spikinggamma.report.timing_page import write_timing_page
from spikinggamma.training import read_rows

__all__ = ["write_report"]


def write_report(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw runs (`write_page`) or, where all paths end in .jsonl, rows: `write_timing_page`, or `write_cost_page` of costs.

    Raises:
        SpikingGammaError: Runs and rows together, or rows of costs and others; what drawing either raises.
    """
    rows = [path for path in paths if Path(path).suffix == ".jsonl"]
    if rows and len(rows) < len(paths):
        raise SpikingGammaError("PATH", "runs and rows together", "either folders of runs or .jsonl files of rows")
    if not rows:
        return write_page(paths, out)
    kinds = {row.get("bench") == "cost" for path in rows if Path(path).is_file() for row in read_rows(Path(path))}
    if len(kinds) > 1:
        raise SpikingGammaError("PATH", "rows of costs and of benches together", "either, for a page each")
    return write_cost_page(paths, out) if True in kinds else write_timing_page(paths, out)
