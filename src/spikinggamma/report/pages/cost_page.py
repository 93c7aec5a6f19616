"""The page of costs: what decisions cost, and the trade-off between sparsity and accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.report.figures.cost import energy_section, sparsity_section
from spikinggamma.report.html import rows_page_path, write_html
from spikinggamma.report.rows.cost_rows import COUNTS, CostRow, read_cost_rows
from spikinggamma.report.theme import grouped

__all__ = ["write_cost_page"]

_HEADINGS = (
    "net", "part", "thresholds", "accuracy", "interval", "spikes/neuron/s", "parameters", "counted", "synapses used",
    "multiply-accumulates", "accumulates", "state updates", "weights read [kB]", "state moved [kB]", "energy [µJ]",
    "energy [µJ/s]", "energies", "seeds",
)  # fmt: skip


def write_cost_page(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw rows of costs (`benchmarks/fsdd_cost.py` writes some) as one HTML page.

    Args:
        paths: Files of rows whose `bench` is "cost"; of several rows of one measurement the last is used.
        out: Path of the page; beside the first file, with its name, if not given.

    Returns:
        The path of the page, which is written atomically.

    Raises:
        SpikingGammaError: A file is missing or holds no such rows, or the page cannot be written.

    Example:
        >>> write_cost_page(["cost.jsonl"])  # doctest: +SKIP
        PosixPath('cost.html')
    """
    rows = read_cost_rows(paths)
    path = rows_page_path(rows, paths, out, wanted="at least one row of costs")
    sections = [energy_section(rows), sparsity_section(rows)]
    return write_html(
        path,
        "cost.html",
        sections=[section for section in sections if section is not None and section.panels],
        headings=_HEADINGS,
        rows=[_line(row, name) for row in rows for name in COUNTS],
        count=len(rows),
        seeds=sorted({seed for row in rows for seed in row.seeds}),
        commands=sorted({str(row.rest.get("command", "")) for row in rows}),
    )


def _line(row: CostRow, name: str) -> list[str]:
    figures = row.counts[name]
    moved = figures["state_bytes_read"] + figures["state_bytes_written"]
    return [
        row.net,
        row.part,
        f"x {row.threshold_scale:g}",
        f"{100.0 * row.accuracy:.1f}\u00a0%",
        f"{100.0 * row.low:.1f} to {100.0 * row.high:.1f}\u00a0%",
        f"{row.spikes_per_neuron_s:.1f}",
        grouped(row.rest["parameters"]),
        "by events" if name == "event" else name,
        *(
            grouped(round(figures[key]))
            for key in ("synaptic_operations", "multiply_accumulates", "accumulates", "state_updates")
        ),
        grouped(round(figures["weight_bytes_read"] / 1000.0)),
        grouped(round(moved / 1000.0)),
        f"{figures['energy_nj'] / 1000.0:.1f}",
        f"{figures['energy_nj_per_s'] / 1000.0:.1f}",
        row.energies,
        ", ".join(map(str, row.seeds)),
    ]
