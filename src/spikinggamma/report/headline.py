"""The head of a run's page: accuracy, known bounds, spikes, and the settings needed to repeat the run."""

from __future__ import annotations

from typing import Any, NamedTuple

from spikinggamma.data import DataInfo
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.metrics import Metric, metric_of
from spikinggamma.nn import NETS
from spikinggamma.recipes import dump_recipe, net_class
from spikinggamma.report.figures.curves import best_epoch, mean_rate
from spikinggamma.report.recipe_text import augmentation, count, data_words, lowered, net_facts, rule_and_loss
from spikinggamma.runs import Run, build_net

__all__ = ["Bar", "Headline", "Tile", "check_metrics", "headline"]


class Tile(NamedTuple):
    """A number in large type, with its title and a note."""

    label: str
    value: str
    note: str


class Bar(NamedTuple):
    """An accuracy on a scale from 0 to 1, with its interval where it was measured."""

    label: str
    value: float
    low: float
    high: float
    measured: bool

    @property
    def text(self) -> str:
        """The value as text."""
        return percent(self.value)


class Headline(NamedTuple):
    """The content above the first figure of a run; `cells` are the same figures for a table of runs."""

    name: str
    title: str
    status: str
    tiles: list[Tile]
    scale: list[Bar]
    facts: list[tuple[str, str]]
    cells: list[str]
    command: str
    folder: str
    recipe_name: str
    recipe_text: str


def headline(run: Run, name: str) -> Headline:
    """Return the head of a run's part of the page; an unfinished run shows its best epoch so far."""
    recipe, info = run.recipe, run.data_info()
    learning, tiles = recipe.learning, _tiles(run)
    facts = [
        ("task", f"{info.title}, {_asked(info)}; {data_words(recipe)}"),
        ("input", f"{info.n_channels} channels, steps of {recipe.data.dt_ms:g} ms"),
        *net_facts(recipe, info.n_channels, info.n_classes),
        ("rule and loss", rule_and_loss(recipe)),
        ("augmentation", augmentation(recipe)),
        (
            "optimiser",
            f"{learning.optimiser}, {learning.learning_rate:g} ({learning.schedule}), "
            f"{recipe.training.batch_size} recordings a batch, {count(recipe.training.epochs, 'epoch')}",
        ),
        ("seed", str(recipe.training.seed)),
        ("device", f"{run.info.get('device', 'unknown')}, {count(recipe.training.threads, 'thread')}"),
        ("versions", ", ".join(f"{key} {value}" for key, value in run.info.get("versions", {}).items()) or "unknown"),
        ("began", str(run.info.get("started", "unknown"))),
        ("folder", str(run.path)),
    ]
    return Headline(
        name=name,
        title=info.title,
        status=_status(run),
        tiles=tiles,
        scale=_scale(run),
        facts=facts,
        cells=[_accuracy_cell(run), *(tile.value for tile in tiles[1:])],
        command=str(run.info.get("command") or "unknown"),
        folder=str(run.path),
        recipe_name=recipe.name,
        recipe_text=dump_recipe(recipe),
    )


def check_metrics(run: Run) -> None:
    """Raise an error that names the first row that cannot be drawn.

    Raises:
        SpikingGammaError: A row lacks a key, or a value is not a number.
    """
    metric = metric_of(run.recipe)
    keys: tuple[str, ...] = ("epoch", "train_loss", "validation_loss", f"validation_{metric.name}")
    keys += ("learning_rate", "gradient_norm", "seconds") + (("train_accuracy",) if metric.share else ())
    path, layers = run.path / "metrics.jsonl", len(build_net(run.recipe).hidden)
    for place, row in enumerate(run.metrics, start=1):
        for key in keys:
            value = row.get(key)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SpikingGammaError(f"{path}, row {place}", f"{key} = {value!r}", f"a number for `{key}`")
        rates = row.get("spikes_per_neuron_s")
        if not (
            isinstance(rates, list) and len(rates) == layers and all(isinstance(rate, int | float) for rate in rates)
        ):
            expected = f"{count(layers, 'number')} for `spikes_per_neuron_s`, one per hidden layer"
            raise SpikingGammaError(f"{path}, row {place}", f"spikes_per_neuron_s = {rates!r}", expected)


def _asked(info: DataInfo) -> str:
    what = {"values": "values of each recording", "step_values": "values at each step"}.get(info.answer, "classes")
    return f"{info.n_classes} {what}"


def percent(value: float) -> str:
    """Return a share in per cent with one decimal."""
    return f"{100.0 * value:.1f}\u00a0%"


def grouped(value: int) -> str:
    """Return a whole number with narrow spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def _tiles(run: Run) -> list[Tile]:
    row, epochs = run.result, run.recipe.training.epochs
    parameters = run.info.get("parameters") or (row or {}).get("parameters")
    size = Tile("parameters", grouped(parameters), "") if parameters else Tile("parameters", "–", "not known yet")
    metric = metric_of(run.recipe)
    if row is not None:
        tiles = [
            _test_tile(row, metric),
            _spikes(run, row["spikes_per_neuron_s"], row["spikes_per_neuron_s_by_layer"], "test"),
        ]
        kept = f"{row['best_epoch']} of {epochs}"
        note = f"best on validation ({_text(metric, row[f'validation_{metric.name}'])}); tested once"
    elif run.metrics:
        best = next(row for row in run.metrics if row["epoch"] == best_epoch(run))
        rates = best["spikes_per_neuron_s"]
        tiles = [
            Tile(
                f"validation {metric.title}",
                _text(metric, best[f"validation_{metric.name}"]),
                "not tested yet: the run is not finished",
            ),
            _spikes(run, mean_rate(run, rates), rates, "validation"),
        ]
        kept = f"{best['epoch']} of {run.metrics[-1]['epoch']}"
        note = f"best so far, of {count(epochs, 'epoch')}"
    else:
        tiles = [Tile(metric.title, "–", "no epoch is finished yet"), Tile("spikes per neuron per second", "–", "")]
        kept, note = "–", ""
    spent = sum(metrics["seconds"] for metrics in run.metrics)
    return [*tiles, size, Tile("epoch", kept, note), Tile("time", _duration(spent), "training and validation")]


def _test_tile(row: dict[str, Any], metric: Metric) -> Tile:
    if not metric.share:
        value = "–" if row["r2"] is None else _text(metric, row["r2"])
        rse = "" if row["rse"] is None else f"RSE {row['rse']:.3f}, "
        note = f"{rse}MAE {row['mae']:.4g}, {grouped(row['known'])} values of {grouped(row['samples'])} recordings"
        return Tile("test R²", value, note)
    interval = f"95\u00a0% interval {percent(row['ci_low'])} to {percent(row['ci_high'])}"
    return Tile("test accuracy", percent(row["accuracy"]), f"{interval}, {grouped(row['samples'])} recordings")


def _text(metric: Metric, value: float) -> str:
    return percent(value) if metric.share else metric.text(value)


def _accuracy_cell(run: Run) -> str:
    metric = metric_of(run.recipe)
    if run.result is not None:
        row = run.result
        if not metric.share:
            return "–" if row["r2"] is None else f"R² {_text(metric, row['r2'])}"
        return f"{percent(row['accuracy'])} ({percent(row['ci_low'])} to {percent(row['ci_high'])})"
    if run.metrics:
        best = next(row for row in run.metrics if row["epoch"] == best_epoch(run))
        return f"{_text(metric, best[f'validation_{metric.name}'])} on validation"
    return "–"


def _spikes(run: Run, overall: float, by_layer: list[float], part: str) -> Tile:
    if run.recipe.net.analogue:
        return Tile("spikes per neuron per second", "–", "the signal itself is passed")
    if not net_class(run.recipe).spikes:
        return Tile("spikes per neuron per second", "–", lowered(NETS[run.recipe.net.model].summary))
    note = f"by layer {', '.join(f'{rate:.1f}' for rate in by_layer)}; {part}" if len(by_layer) > 1 else part
    return Tile("spikes per neuron per second", f"{overall:.1f}", note)


def _scale(run: Run) -> list[Bar]:
    info = run.data_info()
    bars = [Bar(bound.why, bound.accuracy, bound.accuracy, bound.accuracy, False) for bound in info.floors]
    if run.result is not None and "accuracy" in run.result:
        row = run.result
        bars.append(Bar("this net", row["accuracy"], row["ci_low"], row["ci_high"], True))
    if info.ceiling is not None:
        ceiling = info.ceiling
        bars.append(Bar(f"ceiling: {ceiling.why}", ceiling.accuracy, ceiling.accuracy, ceiling.accuracy, False))
    return bars


def _status(run: Run) -> str:
    if run.result is not None:
        return ""
    status = run.info.get("status", "unknown")
    message = f" {run.info['message']}" if run.info.get("message") else ""
    return f"This run is not finished (status: {status}).{message} Go on with: spikinggamma train --resume {run.path}"


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u00a0min {rest}\u00a0s"
    return f"{minutes // 60}\u00a0h {minutes % 60}\u00a0min"
