"""Spoken digits: what a decision costs, for nets of about the same accuracy, and how few spikes do.

    python benchmarks/fsdd_cost.py [--runs runs/cost] [--nets gamma,lif_delay,gru,gru64] [--no-curves]

Nets are trained where their folder in --runs is missing (seed 0, the recipes' own settings but those named in NETS), and
evaluated on the test part with two tables of energies. Then the thresholds of those that spike are multiplied by factors, on
validation and on test recordings; the factor to use is the largest that costs at most one point on validation. The size of
the GRU was chosen on validation too. Rows go to benchmarks/results/cost.jsonl, and a page is drawn by
`spikinggamma report benchmarks/results/cost.jsonl --out cost.html`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma import evaluation, recipes, runs, training
from spikinggamma.bench.rows import write_rows

RESULTS = Path(__file__).parent / "results" / "cost.jsonl"
SCALES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.8, 4.0)
ENERGIES = ("float32", "int8")
ALLOWED = 0.01


class Net(NamedTuple):
    """A recipe, what is changed in it, and what rows call the net."""

    title: str
    recipe: str
    changes: tuple[str, ...] = ()
    curve: bool = False


NETS = {
    "gamma": Net("SpikingGamma 256-256", "fsdd", curve=True),
    "lif_delay": Net("LIF with delays 256-256", "fsdd_lif_delay", curve=True),
    "gru": Net("GRU 128", "fsdd_gru"),
    "gru64": Net("GRU 64", "fsdd_gru", ("net.hidden=[64]", "learning.dropout=0.0")),
}


def run_of(name: str, folder: Path) -> Path:
    """The net's run, trained first where there is none."""
    path = folder / name
    if not (path / "result.json").is_file():
        changes = [*NETS[name].changes, "training.seed=0", "training.threads=1"]
        training.train(recipes.load_recipe(NETS[name].recipe, changes), path, command=f"fsdd_cost: {name}")
    return path


def row(name: str, run: Path, **options: Any) -> dict[str, Any]:
    """An evaluation as a row of costs."""
    found = evaluation.evaluate(run, device="cpu", command="python benchmarks/fsdd_cost.py", **options)
    validation = runs.load_run(run).result
    assert validation is not None
    small = {key: value for key, value in found.items() if key not in ("confusion_matrix", "predictions", "run")}
    return small | {
        "bench": "cost",
        "net": NETS[name].title,
        "changes": list(NETS[name].changes),
        "trained_validation_accuracy": validation["validation_accuracy"],
    }


def curve(name: str, run: Path) -> list[dict[str, Any]]:
    """The dial, on validation and test recordings."""
    rows = [row(name, run, part=part, threshold_scale=scale) for part in ("validation", "test") for scale in SCALES]
    validation, test = (
        {one["threshold_scale"]: one for one in rows if one["part"] == part} for part in ("validation", "test")
    )
    should_stop = validation[1.0]["accuracy"] - ALLOWED - 1e-9
    chosen = max(scale for scale, one in validation.items() if one["accuracy"] >= should_stop)
    test[chosen]["chosen_on_validation"] = True
    return [one for one in rows if not (one["part"] == "test" and one["threshold_scale"] == 1.0)]


def told(one: dict[str, Any]) -> str:
    """A row in a line."""
    event, dense = one["cost"]["event"], one["cost"]["dense"]
    words = [
        f"{one['net']:34} {one['part']:10} x{one['threshold_scale']:<5g}{one['accuracy']:7.1%}",
        f"{one['spikes_per_neuron_s']:6.1f} spikes/neuron/s",
        f"synapses {event['synaptic_operations']:9.0f} of {dense['synaptic_operations']:9.0f}",
        f"state updates {event['state_updates']:8.0f}",
        f"{event['energy_nj'] / 1000:7.1f} of {dense['energy_nj'] / 1000:7.1f} uJ by {one['cost']['energies']}",
    ]
    return "  ".join([*words, *(["<- chosen"] if one.get("chosen_on_validation") else [])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/cost"))
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--no-curves", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in asked.nets.split(","):
        run = run_of(name, asked.runs)
        more = [row(name, run, energies=energies) for energies in ENERGIES]
        if NETS[name].curve and not asked.no_curves:
            more += curve(name, run)
        rows += more
        write_rows(asked.out, rows)
        logging.info("\n".join(map(told, more)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
