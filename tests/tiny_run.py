"""The smallest run that trains, validates and tests: for the tests of this room."""

from __future__ import annotations

from typing import Any

from spikinggamma.recipes import Recipe, load_recipe

OVERRIDES = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=4.0", "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]",
    "training.epochs=4", "training.batch_size=16", "training.threads=1",
    "learning.dropout=0.2", "augment.jitter_ms=1.0",
]  # fmt: skip
TIMING = {"seconds", "samples_per_s"}


def tiny_recipe(*overrides: str) -> Recipe:
    """A recipe of a second or two, with dropout and augmentation, so that their random numbers are in play."""
    return load_recipe("localisation", [*OVERRIDES, *overrides])


def without_timing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of metrics without what the clock says."""
    return [{key: value for key, value in row.items() if key not in TIMING} for row in rows]
