"""HD through our cochlea: what a linear classifier reads from spike counts alone, and from coarse time bins.

    python benchmarks/hd_floors.py

Multinomial logistic regression on the spikes of the bundled recipe, on unseen speakers: counts of each of 140 groups of
channels over the whole recording, and the same in ten equal parts of its duration. The strength of the ridge is chosen
on the validation part, the test part is used once. Rows go to benchmarks/results/hd_floors.jsonl.
"""

from __future__ import annotations

import logging
from pathlib import Path

from fsdd_floors import CASES, best_fit, features

from spikinggamma import datasets, recipes
from spikinggamma.bench.rows import write_rows
from spikinggamma.versions import versions


def main() -> None:
    recipe = recipes.load_recipe("hd")
    splits = datasets.load("hd", split=recipe.data.split, **dict(recipe.data.options))
    rows = []
    for name, bins in CASES.items():
        parts = [features(list(part), bins, recipe.data.n_channels) for part in splits]
        found = best_fit(parts)
        row = {
            "bench": "hd",
            "case": f"logistic regression on {name}",
            **found,
            "split": recipe.data.split,
            "samples": len(splits.test),
            "options": dict(recipe.data.options),
            "versions": versions(),
            "command": "python benchmarks/hd_floors.py",
        }
        rows.append(row)
        logging.info("%s", row)
        write_rows(Path(__file__).parent / "results" / "hd_floors.jsonl", rows)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
