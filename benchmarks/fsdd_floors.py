"""Spoken digits: what a linear classifier reads from spike counts alone, and from coarse time bins.

    python benchmarks/fsdd_floors.py

Multinomial logistic regression on the spikes that the bundled recipe trains on, official split: counts of each of 70 groups of
channels over the whole recording, and the same in ten equal parts of its duration. The strength of the ridge is chosen on the
validation part, the test split is used once. Rows go to benchmarks/results/fsdd_floors.jsonl.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spikinggamma import datasets, recipes, runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.data.floors import fit_logistic, logistic_accuracy
from spikinggamma.events import Recording

CHANNELS = 70
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
ITERATIONS = 500
CASES = {"counts": 1, "ten time bins": 10}


def features(recordings: list[Recording], bins: int, n_channels: int = CHANNELS) -> tuple[Tensor, Tensor]:
    """Return counts of groups of channels in equal parts of each recording, [R, bins * n_channels], and labels [R]."""
    rows = np.zeros((len(recordings), bins, n_channels))
    for row, recording in zip(rows, recordings, strict=True):
        part = np.minimum(recording.times_us * bins // recording.duration_us, bins - 1)
        np.add.at(row, (part, recording.channels * n_channels // recording.n_channels), 1.0)
    labels = torch.tensor([recording.label for recording in recordings])
    return torch.from_numpy(rows).flatten(1), labels


def best_fit(parts: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    """Return the accuracy on the test part with the ridge that is best on the validation part."""
    mean, spread = parts[0][0].mean(0), parts[0][0].std(0).clamp_min(1e-6)
    train, validation, test = (((inputs - mean) / spread, labels) for inputs, labels in parts)
    classes = int(train[1].max()) + 1
    fits = {ridge: fit_logistic(*train, ridge, classes=classes, iterations=ITERATIONS) for ridge in RIDGES}
    best = max(RIDGES, key=lambda ridge: logistic_accuracy(fits[ridge], *validation))
    return {
        "accuracy": logistic_accuracy(fits[best], *test),
        "validation_accuracy": logistic_accuracy(fits[best], *validation),
        "ridge": best,
    }


def main() -> None:
    recipe = recipes.load_recipe("fsdd")
    splits = datasets.load("fsdd", **dict(recipe.data.options))
    rows = []
    for name, bins in CASES.items():
        row = {
            "case": f"logistic regression on {name}",
            **best_fit([features(list(part), bins) for part in splits]),
            "options": dict(recipe.data.options),
            "versions": runs.versions(),
            "command": "python benchmarks/fsdd_floors.py",
        }
        rows.append(row)
        logging.info(json.dumps(row))
    write_rows(Path(__file__).parent / "results" / "fsdd_floors.jsonl", rows)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
