"""Does a net trained at one time step run at another, as it is? The localisation task, carried without retraining.

The bundled recipe is trained at its own step, then tested at that step, a quarter, a half and twice of it: the same
weights, the same recordings, their events binned anew. Demanded: at most one point of accuracy lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from spikinggamma.bench.rows import Row, row
from spikinggamma.training import Recipe, Run, evaluate, load_recipe, load_splits, train

__all__ = ["FACTORS", "run"]

FACTORS = (1.0, 0.25, 0.5, 2.0)  # of the trained step; it comes first, the others are set against it
_QUICK = (
    "data.options.n_train=64",
    "data.options.n_validation=18",
    "data.options.n_test=18",
    "net.hidden=[8]",
    "training.epochs=1",
)


def run(*, quick: bool, seed: int) -> Iterator[Row]:
    """A row for each time step; `quick` trains hardly at all, and demands nothing of what comes out."""
    recipe = load_recipe("localisation", [f"training.seed={seed}", "training.threads=1", *(_QUICK if quick else ())])
    with TemporaryDirectory() as folder:
        trained = train(recipe, Path(folder) / "run", device="cpu")
        duration_us = max(recording.duration_us for recording in load_splits(recipe).test)
        at_home: float | None = None
        for factor in FACTORS:
            measured = _row(recipe, trained, factor, duration_us, at_home, quick)
            at_home = measured["accuracy"] if at_home is None else at_home
            yield measured


def _row(recipe: Recipe, trained: Run, factor: float, duration_us: int, at_home: float | None, quick: bool) -> Row:
    trained_dt_ms = recipe.data.dt_ms
    dt_ms = trained_dt_ms * factor
    found = evaluate(trained, part="test", dt_ms=dt_ms, device="cpu")
    lost = 0.0 if at_home is None else at_home - found["accuracy"]
    return row(
        "resolution",
        quick=quick,
        seed=recipe.training.seed,
        threads=recipe.training.threads,
        task=recipe.name,
        model="spikinggamma",
        rule=recipe.learning.rule,
        loss=recipe.learning.loss,
        hidden=list(recipe.net.hidden),
        tau_ms=list(recipe.net.tau_ms),
        epochs=recipe.training.epochs,
        split="test",
        samples=found["samples"],
        trained_dt_ms=trained_dt_ms,
        run_dt_ms=dt_ms,
        steps=math.ceil(duration_us / (1000.0 * dt_ms)),
        accuracy=found["accuracy"],
        ci_low=found["ci_low"],
        ci_high=found["ci_high"],
        accuracy_lost=lost,
        spikes_per_neuron_s=found["spikes_per_neuron_s"],
        demand="" if quick else "accuracy_lost at most 0.01",
        holds=None if quick else lost <= 0.01,
    )
