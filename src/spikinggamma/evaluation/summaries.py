"""Text summaries of a finished run and of an evaluation."""

from __future__ import annotations

from typing import Any

from spikinggamma.data.loading import DataInfo
from spikinggamma.evaluation.metrics import R2, metric_of_row
from spikinggamma.runs.run import Run

__all__ = ["describe", "grouped", "summary", "table"]

Line = tuple[str, str, str]


def summary(run: Run) -> str:
    """Return a summary of a run: accuracy, known bounds, spikes, costs and the next command."""
    row = run.result
    if row is None:
        return f"{run.path} is not finished. Go on with: spikinggamma train --resume {run.path}"
    seconds = sum(metrics["seconds"] for metrics in run.metrics)
    lines = [
        *_figures(row, run),
        (
            "best epoch",
            f"{row['best_epoch']} of {run.recipe.training.epochs}",
            f"chosen on validation ({_validated(row)}); the test split was used once",
        ),
        ("time", f"{seconds:.0f} s", f"training and validation, {row['threads']} threads, {row['device']}"),
        ("run", str(run.path), ""),
    ]
    title = f"{run.recipe.name}: {run.data_info().title}, rule {row['rule']}, seed {row['seed']}"
    return f"\n{title}\n\n{table(lines)}\n\nNext: spikinggamma report {run.path}"


def describe(row: dict[str, Any], run: Run) -> str:
    """Return a summary of the row of an evaluation."""
    step = f"{row['run_dt_ms']:g} ms"
    trained = row["trained_dt_ms"]
    note = "as trained" if row["run_dt_ms"] == trained else f"trained at {trained:g} ms, not retrained"
    lines = [*_figures(row, run), ("time step", step, note)]
    if row.get("threshold_scale", 1.0) != 1.0:
        lines.append(("thresholds", f"x {row['threshold_scale']:g}", "not retrained"))
    if "perturb" in row:
        lines.append(("perturbed", ", ".join(row["perturb"]), f"seed {row['perturb_seed']}, not retrained"))
    return table([*lines, ("run", row["run"], "")])


def _figures(row: dict[str, Any], run: Run) -> list[Line]:
    info = run.data_info()
    lines = _value_lines(row) if metric_of_row(row) is R2 else _accuracy_lines(row, info)
    by_layer = " ".join(f"{rate:.1f}" for rate in row["spikes_per_neuron_s_by_layer"])
    lines.append(("spikes/neuron/s", f"{row['spikes_per_neuron_s']:.1f}", f"by layer: {by_layer}"))
    if any(row.get("neurons_speaking_by_layer", ())):  # absent from older runs, all zero where signals are passed
        speaking = " ".join(f"{share:.0%}" for share in row["neurons_speaking_by_layer"])
        lines.append(("speaking", speaking, "of each layer's neurons spiked at least once"))
    lines.append(("parameters", grouped(row["parameters"]), ""))
    if "cost" not in row:  # a run made by an earlier version
        return lines
    return lines + (
        _costs(row["cost"]) if row["cost"] else [("cost", "not counted", "no operations are known of this net")]
    )


def _accuracy_lines(row: dict[str, Any], info: DataInfo) -> list[Line]:
    interval = f"95 % interval {row['ci_low']:.1%} to {row['ci_high']:.1%}, {row['samples']} recordings"
    lines = [(f"{row['part']} accuracy", f"{row['accuracy']:.1%}", interval)]
    lines += [("floor", f"{bound.accuracy:.1%}", bound.why) for bound in info.floors]
    if info.ceiling:
        lines.append(("ceiling", f"{info.ceiling.accuracy:.1%}", info.ceiling.why))
    return lines


def _value_lines(row: dict[str, Any]) -> list[Line]:
    def text(key: str) -> str:
        return "undefined" if row[key] is None else f"{row[key]:.4g}"

    known = f"{grouped(row['known'])} known values of {row['samples']} recordings"
    return [
        (f"{row['part']} R²", text("r2"), f"1 is perfect, 0 the mean of the targets; {known}"),
        ("RSE", text("rse"), "root relative squared error: 1 for the mean of the targets"),
        ("MAE", text("mae"), "mean absolute error, in the targets' own unit"),
    ]


def _validated(row: dict[str, Any]) -> str:
    metric = metric_of_row(row)
    return metric.text(row[f"validation_{metric.name}"])


def _costs(cost: dict[str, Any]) -> list[Line]:
    event, dense = cost["event"], cost["dense"]
    share = event["synaptic_operations"] / dense["synaptic_operations"]
    work = f"a recording of {cost['seconds']:.2f} s; {grouped(dense['synaptic_operations'])} if dense ({share:.0%})"
    parts = ", ".join(f"{name} {event[f'{name}_nj'] / 1000.0:.3g}" for name in ("arithmetic", "weights", "states"))
    whole = f"{parts}; {dense['energy_nj'] / 1000.0:.3g} if dense; by {cost['energies']}"
    moved = sum(event[name] for name in ("weight_bytes_read", "state_bytes_read", "state_bytes_written"))
    return [
        ("synapses used", grouped(event["synaptic_operations"]), work),
        ("state updates", grouped(event["state_updates"]), "state variables of neurons, at every step"),
        ("bytes moved", grouped(moved), f"{grouped(event['weight_bytes_read'])} of them weights"),
        ("energy", f"{event['energy_nj'] / 1000.0:.3g} uJ", whole),
        ("energy/s", f"{event['energy_nj_per_s'] / 1000.0:.3g} uJ", "of input, arithmetic and memory only"),
    ]


def grouped(number: int | float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def table(lines: list[Line]) -> str:
    first = max(len(line[0]) for line in lines)
    second = max(len(line[1]) for line in lines if line[2])
    return "\n".join(f"  {name:<{first}}  {value:<{second}}  {note}".rstrip() for name, value, note in lines)
