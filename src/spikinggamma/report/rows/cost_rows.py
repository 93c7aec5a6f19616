"""Rows of evaluations with costs for the figures of a page: checked, and one for each net and scale of thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.rows.bench_rows import check_fields, read_bench_rows
from spikinggamma.report.theme import SERIES

__all__ = ["COUNTS", "CostRow", "as_trained", "curves", "nets_of", "read_cost_rows"]

# Keys of a row's cost: event-driven and dense.
COUNTS = ("event", "dense")
_FIGURES = (
    "synaptic_operations", "state_updates", "multiply_accumulates", "accumulates", "weight_bytes_read", "state_bytes_read",
    "state_bytes_written", "arithmetic_nj", "weights_nj", "states_nj", "energy_nj", "energy_nj_per_s",
)  # fmt: skip
_TEXTS = ("net", "model", "part")
_NUMBERS = ("threshold_scale", "accuracy", "ci_low", "ci_high", "spikes_per_neuron_s", "samples", "parameters")


class CostRow(NamedTuple):
    """The evaluation of a net at one scale of thresholds, with the mean recording's cost."""

    net: str
    model: str
    part: str
    threshold_scale: float
    accuracy: float
    low: float
    high: float
    spikes_per_neuron_s: float
    energies: str
    seconds: float
    counts: dict[str, dict[str, float]]
    seeds: tuple[int, ...]
    rest: dict[str, Any]


def read_cost_rows(paths: Sequence[str | Path]) -> list[CostRow]:
    """Return the rows of several files in order; of rows of one net, part, scale and energy table the last is used.

    Raises:
        SpikingGammaError: A file is missing, or a row lacks a field.
    """
    found: dict[tuple[object, ...], CostRow] = {}
    for where, row in read_bench_rows(paths, "cost"):
        one = _parsed(row, where)
        found[one.net, one.part, one.threshold_scale, one.energies] = one
    return list(found.values())


def nets_of(rows: Sequence[CostRow]) -> dict[str, str]:
    """Return the nets in order, each with a colour."""
    names = dict.fromkeys(row.net for row in rows)
    return {name: SERIES[index % len(SERIES)] for index, name in enumerate(names)}


def as_trained(rows: Sequence[CostRow], energies: str) -> list[CostRow]:
    """Return one row for each net on test recordings, with its own thresholds."""
    return [row for row in rows if row.threshold_scale == 1.0 and row.part == "test" and row.energies == energies]


def curves(rows: Sequence[CostRow], part: str) -> dict[str, list[CostRow]]:
    """Return the rows of each net that was evaluated at several scales on that part, from the smallest scale."""
    found: dict[str, dict[float, CostRow]] = {}
    for row in rows:
        if row.part == part:
            found.setdefault(row.net, {}).setdefault(row.threshold_scale, row)
    return {net: [own[scale] for scale in sorted(own)] for net, own in found.items() if len(own) > 1}


def _parsed(row: dict[str, Any], where: str) -> CostRow:
    check_fields(where, row, _TEXTS, _NUMBERS, ("seeds",))
    cost = row.get("cost")
    if not isinstance(cost, dict) or not all(isinstance(cost.get(name), dict) for name in COUNTS):
        raise SpikingGammaError(f"{where}: cost", type(cost).__name__, "what `spikinggamma evaluate` counted")
    for name in COUNTS:
        check_fields(f"{where}: cost.{name}", cost[name], (), _FIGURES)
    check_fields(f"{where}: cost", cost, ("energies",), ("seconds",))
    return CostRow(
        net=row["net"],
        model=row["model"],
        part=row["part"],
        threshold_scale=float(row["threshold_scale"]),
        accuracy=float(row["accuracy"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        spikes_per_neuron_s=float(row["spikes_per_neuron_s"]),
        energies=cost["energies"],
        seconds=float(cost["seconds"]),
        counts={name: cost[name] for name in COUNTS},
        seeds=tuple(row["seeds"]),
        rest=row,
    )
