"""Read a run from its folder and evaluate it at other time steps than the one of training.

The weights of a SpikingGamma net do not depend on the time step, so a net that was trained at 2 ms also answers at 1 or 4 ms,
as long as a step is not longer than the shortest time constant of its buckets. `evaluate` returns one row with the accuracy,
its 95 % interval and the spikes, for the weights of the best validation epoch.

Run it with `python examples/evaluate_run.py RUN` for a run that you have, or without an argument: it trains one first
(a minute; with `--quick` seconds).
"""

from __future__ import annotations

import sys
from pathlib import Path

from spikinggamma.evaluation import evaluate
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import load_run
from spikinggamma.training import train

QUICK = ["data.options.n_train=256", "data.options.n_validation=64", "data.options.n_test=64", "training.epochs=1"]


def main(folder: Path | None, quick: bool) -> None:
    if folder is None:
        folder = train(load_recipe("localisation", QUICK if quick else [])).path
    run = load_run(folder)
    best = max(row["validation_accuracy"] for row in run.metrics)
    rows = [evaluate(run, dt_ms=factor * run.recipe.data.dt_ms) for factor in (0.5, 1.0, 2.0)]
    figures = ", ".join(f"{row['accuracy']:.1%} at {row['run_dt_ms']:g} ms" for row in rows)
    print(f"{run.recipe.name}: validation {best:.1%}; test {figures}; trained at {run.recipe.data.dt_ms:g} ms")


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--quick"]
    main(Path(given[0]) if given else None, "--quick" in sys.argv)
