"""Rows of the resolution benchmark for its figures: checked, one for each net and step, with display names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.rows.bench_rows import check_fields, colours_of, read_bench_rows
from spikinggamma.report.theme import SERIES

__all__ = ["ResolutionRow", "carried", "model_colours", "model_name", "read_resolution_rows", "trained"]

# Colours as in the other figures of a page; OTTT has one that no model of the timing suite uses.
_MODELS = {
    "spikinggamma": ("SpikingGamma", SERIES[0]),
    "lif": ("LIF, BPTT", SERIES[1]),
    "lif_ottt": ("LIF, OTTT", SERIES[4]),
}
_NAMES = {
    "lif_es_d_rtrl": "LIF, ES-D-RTRL",
    "lif_fptt": "LIF, FPTT",
    "spikinggamma_instantaneous": "SpikingGamma, instantaneous",
}
_MAPPINGS = {"none": "as if at its own step", "exact": "rediscretised"}
_NUMBERS = (
    "recipe_dt_ms", "trained_dt_ms", "run_dt_ms", "accuracy", "ci_low", "ci_high", "accuracy_lost", "spikes_per_neuron_s"
)  # fmt: skip
_TEXTS = ("task", "model", "mode")


class ResolutionRow(NamedTuple):
    """Result of nets trained at one time step and run at one."""

    task: str
    model: str
    mode: str
    recipe_dt_ms: float
    trained_dt_ms: float
    run_dt_ms: float
    accuracy: float
    low: float
    high: float
    accuracy_lost: float
    spikes_per_neuron_s: float
    seeds: tuple[int, ...]
    quick: bool
    rest: dict[str, Any]


def read_resolution_rows(paths: Sequence[str | Path]) -> list[ResolutionRow]:
    """Return the rows of several files, sorted by task, model and steps; of rows of one net and step the last is used.

    Raises:
        SpikingGammaError: A file is missing, a row lacks a field, or its benchmark has no page.
    """
    found: dict[tuple[object, ...], ResolutionRow] = {}
    for where, row in read_bench_rows(paths, "resolution"):
        one = _parsed(row, where)
        found[one.task, one.model, one.trained_dt_ms, one.run_dt_ms] = one
    order = list(_MODELS)
    return sorted(
        found.values(),
        key=lambda row: (
            row.task != "localisation",
            row.task,
            order.index(row.model) if row.model in order else len(order),
            row.model,
            row.trained_dt_ms,
            row.run_dt_ms,
        ),
    )


def trained(rows: Sequence[ResolutionRow], task: str, model: str) -> list[ResolutionRow]:
    """Return the rows of nets that run at the step of their training, from the finest."""
    own = [row for row in rows if (row.task, row.model) == (task, model) and row.trained_dt_ms == row.run_dt_ms]
    return sorted(own, key=lambda row: row.run_dt_ms)


def carried(rows: Sequence[ResolutionRow], task: str, model: str) -> list[ResolutionRow]:
    """Return the rows of the net that was trained at the recipe's step and run at every step, from the finest."""
    own = [row for row in rows if (row.task, row.model) == (task, model) and row.trained_dt_ms == row.recipe_dt_ms]
    return sorted(own, key=lambda row: row.run_dt_ms)


def model_name(model: str) -> str:
    """Return the display name of a model.

    Example:
        >>> model_name("lif_ottt")
        'LIF, OTTT'
    """
    kind, _, mapping = model.partition("/")
    name = _MODELS[kind][0] if kind in _MODELS else _NAMES.get(kind, kind)
    return f"{name}, {_MAPPINGS.get(mapping, mapping)}" if mapping else name


def model_colours(rows: Sequence[ResolutionRow]) -> dict[str, str]:
    """Return a colour for each model; known models have the same colour on every page."""
    return colours_of((row.model for row in rows), {model: colour for model, (_, colour) in _MODELS.items()})


def _parsed(row: dict[str, Any], where: str) -> ResolutionRow:
    check_fields(where, row, _TEXTS, _NUMBERS, ("seeds",))
    for name in ("recipe_dt_ms", "trained_dt_ms", "run_dt_ms"):
        if row[name] <= 0:
            raise SpikingGammaError(f"{where}: {name}", row[name], "a step above 0 ms")
    return ResolutionRow(
        task=row["task"],
        # A net that is carried by a mapping is drawn as a model of its own.
        model="/".join(filter(None, (row["model"], row.get("mapping", "")))),
        mode=row["mode"],
        recipe_dt_ms=float(row["recipe_dt_ms"]),
        trained_dt_ms=float(row["trained_dt_ms"]),
        run_dt_ms=float(row["run_dt_ms"]),
        accuracy=float(row["accuracy"]),
        accuracy_lost=float(row["accuracy_lost"]),
        spikes_per_neuron_s=float(row["spikes_per_neuron_s"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        seeds=tuple(row["seeds"]),
        quick=row.get("quick") is True,
        rest=row,
    )
