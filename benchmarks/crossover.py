"""Up to which share of spikes are products over lists of them the faster way?

    python benchmarks/crossover.py [--out FILE.jsonl]

For spikes of some density, two ways in turn, medians of nine rounds, two threads: listing them, W s and the gradient of W over
the list; and the two dense products, in single precision and rounded to bfloat16 (`training.products`). The ratio is of the
first to the second: below one, the list is the faster. `kernels.spike_products.CROSSOVER` is chosen by it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from spikinggamma import kernels, runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.kernels import spike_products
from spikinggamma.runtime import keep_freed_memory, product_precision

RESULTS = Path(__file__).parent / "results" / "crossover.jsonl"
SIZES = {256: 8000, 512: 8000, 2048: 4000}  # neurons, and rows: steps of samples
DENSITIES = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15)
ROUNDS = 9


def measure(neurons: int, density: float, products: str) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    rows = SIZES[neurons]
    weight, grad = (torch.randn(size, neurons, generator=generator) for size in (neurons, rows))
    spikes = (torch.rand(rows, neurons, generator=generator) < density).float()

    def listed() -> None:
        events = kernels.spike_events(spikes)
        assert events is not None
        kernels.spike_linear(spikes, weight, events)
        kernels.spike_outer(grad, spikes, events)

    def dense() -> None:
        kernels.spike_linear(spikes, weight, None)
        kernels.spike_outer(grad, spikes, None)

    ways: dict[str, Callable[[], None]] = {"listed_s": listed, "dense_s": dense}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with product_precision(products):
        for _ in range(ROUNDS + 1):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - started)
    found = {name: statistics.median(values[1:]) for name, values in seconds.items()}
    about = {"neurons": neurons, "rows": rows, "density": density, "products": products}
    return about | found | {"ratio": found["listed_s"] / found["dense_s"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    keep_freed_memory()
    spike_products.CROSSOVER = 1.0  # lists at any density
    about = {"bench": "crossover", "command": "python benchmarks/crossover.py", "seed": 0}
    about |= {"device": "cpu", "threads": 2, "versions": runs.versions()}
    rows = []
    for products in ("float32", "bfloat16"):
        for neurons in SIZES:
            for density in DENSITIES:
                rows.append(about | measure(neurons, density, products))
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
    write_rows(arguments.out, rows)


if __name__ == "__main__":
    main()
