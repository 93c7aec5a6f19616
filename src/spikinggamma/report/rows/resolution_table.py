"""The table of all rows of the resolution benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from spikinggamma.report.rows.resolution_rows import ResolutionRow, model_name
from spikinggamma.report.rows.timing_rows import place_title

__all__ = ["HEADINGS", "resolution_table"]

HEADINGS = (
    "task", "model", "trained at [ms]", "run at [ms]", "mode", "accuracy", "interval", "below the best", "demand",
    "spikes/neuron/s", "of those at home", "demand", "seeds", "steps", "samples", "epochs", "parameters", "rule",
)  # fmt: skip


def resolution_table(rows: Sequence[ResolutionRow]) -> list[list[str]]:
    """Return a line for each row; its demand is kept, missed, or not made."""
    return [
        [
            place_title((row.task, "")),
            model_name(row.model),
            f"{row.trained_dt_ms:g}",
            f"{row.run_dt_ms:g}",
            row.mode,
            _percent(row.accuracy),
            f"{_percent(row.low)} to {_percent(row.high)}",
            f"{100.0 * row.accuracy_lost:.1f}",
            _kept(row.rest.get("accuracy_holds")),
            f"{row.spikes_per_neuron_s:.1f}",
            _ratio(row.rest.get("spikes_ratio")),
            _kept(row.rest.get("spikes_hold")),
            ", ".join(map(str, row.seeds)),
            *(str(row.rest.get(name, "")) for name in ("steps", "samples", "epochs", "parameters", "rule")),
        ]
        for row in rows
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"


def _kept(holds: object) -> str:
    return "" if holds is None else "kept" if holds else "missed"


def _ratio(ratio: object) -> str:
    return f"{100 * ratio:.0f}\u00a0%" if isinstance(ratio, int | float) else ""
