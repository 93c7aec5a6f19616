"""Rows of the timing suite for its page: checked, one for each cell, with display names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import NETS, NEURONS
from spikinggamma.report.rows.bench_rows import check_fields, colours_of, read_bench_rows
from spikinggamma.report.theme import SERIES

__all__ = ["Place", "TimingRow", "colours", "model_title", "place_title", "places", "read_timing_rows", "undisturbed"]

Place = tuple[str, str]  # a task and its variant
_FIRST = ("spikinggamma", "lif", "lif_delay", "mlp")  # always in this order and colour; others follow
_TASKS = {
    "isi": "Inter-spike intervals",
    "polychrony": "Polychrony",
    "coincidence": "Coincidence",
    "localisation": "Sound localisation",
    "fsdd": "Spoken digits",
    "hd": "HD through our cochlea",
}
_NUMBERS = ("level", "accuracy", "ci_low", "ci_high", "spikes_per_neuron_s")
_TEXTS = ("task", "variant", "model", "perturbation", "mode")


class TimingRow(NamedTuple):
    """A cell of the suite; `floors` and `ceiling` are accuracies with reasons."""

    task: str
    variant: str
    model: str
    perturbation: str
    mode: str
    level: float
    accuracy: float
    low: float
    high: float
    spikes_per_neuron_s: float
    seeds: tuple[int, ...]
    floors: tuple[tuple[float, str], ...]
    ceiling: tuple[float, str] | None
    quick: bool
    rest: dict[str, Any]

    @property
    def place(self) -> Place:
        """Task and variant."""
        return self.task, self.variant


def read_timing_rows(paths: Sequence[str | Path]) -> list[TimingRow]:
    """Return the rows of several files; of rows of one cell the last is used.

    Raises:
        SpikingGammaError: A file is missing, a row lacks a field, or its benchmark has no page.
    """
    found: dict[tuple[object, ...], TimingRow] = {}
    for where, row in read_bench_rows(paths, "timing"):
        one = _parsed(row, where)
        found[one.place, one.model, one.perturbation, one.mode, one.level] = one
    order = list(_FIRST)
    return sorted(found.values(), key=lambda row: (order.index(row.model) if row.model in order else 99, row.model))


def places(rows: Sequence[TimingRow]) -> list[Place]:
    """Return tasks and variants, known ones first and in their order."""
    tasks, variants = list(_TASKS), ["", "whole", "part", "norm"]
    variants += [f"{variant}_as_published" for variant in variants[1:]]

    def order(place: Place) -> tuple[int, str, int, str]:
        task, variant = place
        return (
            tasks.index(task) if task in tasks else len(tasks),
            task,
            variants.index(variant) if variant in variants else len(variants),
            variant,
        )

    return sorted({row.place for row in rows}, key=order)


def place_title(place: Place) -> str:
    """Return the display name of a task.

    Example:
        >>> place_title(("fsdd", "norm"))
        'Spoken digits, norm'
    """
    task, variant = place
    words = "pairs anywhere" if variant == "anywhere" else variant.replace("_", " ")
    return ", ".join(part for part in (_TASKS.get(task, task), words) if part)


def model_title(model: str) -> str:
    """A model's name for people."""
    kind, delayed = model.removesuffix("_delay"), model.endswith("_delay")
    kind = "count_mlp" if kind == "mlp" else kind
    if kind not in NETS and kind not in NEURONS:
        return model
    entry = NETS[kind] if kind in NETS else NEURONS[kind]
    return f"{entry.title}, delays" if delayed else entry.title


def colours(rows: Sequence[TimingRow]) -> dict[str, str]:
    """A colour for each model: those that are known keep theirs whatever else is on the page."""
    return colours_of((row.model for row in rows), {model: SERIES[index] for index, model in enumerate(_FIRST)})


def undisturbed(rows: Sequence[TimingRow], place: Place, model: str) -> TimingRow | None:
    """Return a model's row on unperturbed recordings of a task, or else on the easiest of the task's settings."""
    own = [row for row in rows if row.place == place and row.model == model]
    plain = [row for row in own if row.level == 0.0]
    return min(plain or own, key=lambda row: (row.perturbation != "replacement", row.level), default=None)


def _parsed(row: dict[str, Any], where: str) -> TimingRow:
    check_fields(where, row, _TEXTS, _NUMBERS, ("seeds",))
    ceiling = row.get("ceiling")
    try:
        floors = tuple((float(bound["accuracy"]), str(bound["why"])) for bound in row.get("floors", ()))
        top = None if ceiling is None else (float(ceiling["accuracy"]), str(ceiling["why"]))
    except (TypeError, KeyError, ValueError):
        expected = "floors and ceiling that say an accuracy and why"
        raise SpikingGammaError(where, "bounds of another kind", expected) from None
    texts = {name: row[name] for name in _TEXTS}
    return TimingRow(
        **texts,
        level=float(row["level"]),
        accuracy=float(row["accuracy"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        spikes_per_neuron_s=float(row["spikes_per_neuron_s"]),
        seeds=tuple(row["seeds"]),
        floors=floors,
        ceiling=top,
        quick=row.get("quick") is True,
        rest=row,
    )
