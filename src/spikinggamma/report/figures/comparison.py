"""Comparison of several runs: their differing settings, results and learning curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from spikinggamma.evaluation.metrics import ACCURACY, R2, metric_of_row
from spikinggamma.recipes import Recipe
from spikinggamma.report.figures.curves import best_epoch, epoch_axis, mean_rate
from spikinggamma.report.theme import INK, MUTED, PALETTE, SERIES, Panel, Section, draw_svg, percent_axis, tidy
from spikinggamma.runs import Run

__all__ = ["Comparison", "comparison"]

_KEYS = 8  # columns for differing settings: more would not fit beside the figures
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


class Comparison(NamedTuple):
    """The top part of a page with several runs; a row is (CSS colour, dash, name of the run, cells)."""

    keys: list[str]
    rows: list[tuple[str, str, str, list[str]]]
    omitted: int
    section: Section


def comparison(runs: Sequence[Run], names: Sequence[str]) -> Comparison:
    """Return a table of the runs and their learning curves on common axes."""
    keys, omitted = _differing([run.recipe for run in runs])
    rows = []
    for index, (run, name) in enumerate(zip(runs, names, strict=True)):
        flat = _flat(run.recipe)
        cells = [_text(flat.get(key)) for key in keys]
        colour, dash = _look(index)
        role = next(role for role, pair in PALETTE.items() if pair[0] == colour)
        rows.append((role, str(_DASHES.index(dash)), name, cells))
    curves = [
        (
            "train_loss",
            "Training loss",
            "Which runs learn faster, epoch by epoch.",
            "cross-entropy [nats]",
        ),
        *(
            (
                f"validation_{metric.name}",
                f"Validation {metric.title}",
                "Whether an early advantage lasts to the end.",
                metric.title,
            )
            for metric in (ACCURACY, R2)
            if any(run.metrics and metric_of_row(run.metrics[0]) is metric for run in runs)
        ),
        (
            "spikes_per_neuron_s",
            "Spikes",
            "Which runs spike less while they learn (mean of the hidden layers, validation).",
            "spikes per neuron per second",
        ),
    ]
    panels = [
        Panel(
            title,
            caption,
            draw_svg(f"compare-{key}", partial(_draw_curves, runs, key, label), width=440.0, height=250.0),
        )
        for key, title, caption, label in curves
        if any(run.metrics for run in runs)
    ]
    if sum(_has_price(run) for run in runs) > 1:
        caption = "Up and to the left is better: high accuracy with few spikes. Vertical bars are 95 % intervals."
        panels.append(
            Panel(
                "Accuracy against spikes",
                caption,
                draw_svg("compare-price", partial(_draw_price, runs), width=440.0, height=250.0),
            )
        )
    section = Section("compare", "Comparison", "Colours and dashes are those of the table.", panels, columns=2)
    return Comparison(keys, rows, omitted, section)


def _draw_curves(runs: Sequence[Run], key: str, label: str, figure: Figure) -> None:
    ax = figure.add_subplot()
    highest = []
    for index, run in enumerate(runs):
        if run.metrics and key in run.metrics[0] and not (key == "spikes_per_neuron_s" and run.recipe.net.analogue):
            values = [mean_rate(run, row[key]) if isinstance(row[key], list) else row[key] for row in run.metrics]
            highest.append(max(values))
            colour, dash = _look(index)
            epochs = [row["epoch"] for row in run.metrics]
            marker = "o" if len(epochs) == 1 else None
            ax.plot(epochs, values, color=colour, linestyle=dash, linewidth=1.6, marker=marker, markersize=4)
            best = best_epoch(run)
            if best in epochs:
                ax.plot(best, values[epochs.index(best)], "o", color=colour, markersize=5)
    if key == "validation_accuracy":
        ax.set_ylim(0.0, 1.0)
        percent_axis(ax.yaxis)
    elif key == "validation_r2":
        ax.set_ylim(-0.05, 1.0)
    else:
        ax.set_ylim(0.0, 1.08 * max([*highest, 0.0]) or 1.0)
    epoch_axis(ax, max(row["epoch"] for run in runs for row in run.metrics))
    tidy(ax, x="epoch (dot: best epoch)", y=label)


def _draw_price(runs: Sequence[Run], figure: Figure) -> None:
    ax = figure.add_subplot()
    for index, run in enumerate(runs):
        if run.result is not None and _has_price(run):
            colour, _ = _look(index)
            x, row = run.result["spikes_per_neuron_s"], run.result
            ax.vlines(x, row["ci_low"], row["ci_high"], color=colour, linewidth=2.0, alpha=0.5)
            ax.plot(x, row["accuracy"], "o", color=colour, markersize=6.5)
            ax.annotate(
                str(index + 1), (x, row["accuracy"]), xytext=(7, 4), textcoords="offset points", color=INK, fontsize=9.0
            )
    ax.set_xlim(
        0.0, 1.15 * max(run.result["spikes_per_neuron_s"] for run in runs if run.result and _has_price(run)) or 1.0
    )
    percent_axis(ax.yaxis)
    ax.tick_params(colors=MUTED)
    tidy(ax, x="spikes per neuron per second", y="test accuracy")


def _has_price(run: Run) -> bool:
    """Return whether a run has an accuracy on the test part and spikes."""
    return run.result is not None and "accuracy" in run.result and not run.recipe.net.analogue


def _look(index: int) -> tuple[str, Any]:
    """Return the colour and dash of a run; up to seven runs differ in colour."""
    return SERIES[index % len(SERIES)], _DASHES[index // len(SERIES) % len(_DASHES)]


def _differing(recipes: Sequence[Recipe]) -> tuple[list[str], int]:
    """Return the keys whose values differ between recipes, and the number of further ones that are not shown."""
    tables = [_flat(recipe) for recipe in recipes]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    differing = [key for key in keys if len({_text(table.get(key)) for table in tables}) > 1]
    return differing[:_KEYS], max(0, len(differing) - _KEYS)


def _flat(recipe: Recipe) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for section, values in recipe.model_dump(mode="json").items():
        if isinstance(values, dict):
            for key, value in values.items():
                nested = value.items() if isinstance(value, dict) else ()
                flat |= {f"{section}.{key}.{inner}": content for inner, content in nested}
                if not isinstance(value, dict):
                    flat[f"{section}.{key}"] = value
        else:
            flat[section] = values
    return flat


def _text(value: object) -> str:
    if value is None:
        return "default"
    return value if isinstance(value, str) else json.dumps(value)
