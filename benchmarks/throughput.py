"""How fast do events flow? Reading, binning, perturbing, an epoch of batches beside the training steps it feeds, and memory.

Method: one process, one thread, the machine's own cache of files warm (everything is read once before it is timed). Each figure
is the median of five passes over the training part. `epoch` is every batch of an epoch without learning, with the recipe's
augmentation; `step_seconds` is learning from those batches; their quotient says whether the loader keeps the net waiting.
Memory is that of the process and of four workers that make an epoch's batches: what is each one's own (USS), and what all
five hold together when shared pages are counted once (the sum of PSS).

    python benchmarks/throughput.py [--sets fsdd nmnist] [--out FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader, get_worker_info

from spikinggamma.bench.rows import write_rows
from spikinggamma.data.loading import load_splits, training_batches
from spikinggamma.events import EpochBatches, Recording, bin_events, gather, perturb
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import versions
from spikinggamma.runs.build import build_learner, build_net, calibrate

RESULTS = Path(__file__).parent / "results" / "throughput.jsonl"
PASSES, WORKERS, BATCH = 5, 4, 16
MIB = 2**20


def seconds(work: Callable[[], object]) -> float:
    """Median wall time of a few passes, after one that is not timed."""
    work()
    times = []
    for _ in range(PASSES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def groups(recordings: list[Recording]) -> Iterator[list[Recording]]:
    for first in range(0, len(recordings), BATCH):
        yield recordings[first : first + BATCH]


def flow(recordings: list[Recording], dt_ms: float, n_channels: int | None) -> dict[str, float]:
    """Events per second through each stage, gathered by batches."""
    rng = np.random.default_rng(0)
    gathered = [gather(part) for part in groups(recordings)]
    stages: dict[str, Callable[[], object]] = {
        "gather": lambda: [gather(part) for part in groups(recordings)],
        "bin": lambda: [bin_events(part, dt_ms=dt_ms, n_channels=n_channels) for part in gathered],
        "jitter_spikes": lambda: [perturb.jitter_spikes(part, 5.0, rng) for part in gathered],
        "jitter_channels": lambda: [perturb.jitter_channels(part, 5.0, rng) for part in gathered],
        "delete": lambda: [perturb.delete(part, 0.2, rng) for part in gathered],
        "replace": lambda: [perturb.replace(part, 0.5, rng) for part in gathered],
        "reverse": lambda: [perturb.reverse(part) for part in gathered],
    }
    n_events = sum(recording.n_events for recording in recordings)
    return {f"{name}_events_per_s": round(n_events / seconds(stage)) for name, stage in stages.items()}


class Watched(EpochBatches):
    """An epoch that can tell who made a batch, so that its memory can be read."""

    def __getitem__(self, index: int) -> tuple[int, int]:  # type: ignore[override]
        super().__getitem__(index)
        info = get_worker_info()
        return (-1 if info is None else info.id), psutil.Process().pid


def memory(epoch: Watched) -> dict[str, float]:
    """Own and shared memory of this process and of the workers that have made an epoch's batches, in MiB."""
    before = psutil.Process().memory_full_info()
    loader = DataLoader(
        epoch, batch_size=None, num_workers=WORKERS, persistent_workers=True, multiprocessing_context="fork"
    )
    workers = {int(pid) for _, pid in loader}
    infos = [psutil.Process(pid).memory_full_info() for pid in workers]
    after = psutil.Process().memory_full_info()
    return {
        "loaded_uss_mib": round(before.uss / MIB, 1),
        "worker_uss_mib": round(statistics.mean(info.uss for info in infos) / MIB, 1),
        "together_pss_mib": round((after.pss + sum(info.pss for info in infos)) / MIB, 1),
    }


def measure(name: str) -> dict[str, object]:
    recipe = load_recipe(name, ["training.threads=1"])
    start = time.perf_counter()
    splits = load_splits(recipe)
    cold = time.perf_counter() - start
    load = seconds(lambda: load_splits(recipe))
    recordings, data = splits.train, recipe.data
    everything = [recording for part in splits for recording in part]
    n_channels = data.n_channels or None
    net = build_net(recipe)
    calibrate(net, recipe, recordings)
    learner = build_learner(net, recipe)
    made = list(training_batches(recipe, recordings, epoch=1))
    learner.learn(*made[0])  # kernels are compiled
    start = time.perf_counter()
    for batch in made:
        learner.learn(*batch)
    step = time.perf_counter() - start
    epoch = seconds(lambda: [None for _ in training_batches(recipe, recordings, epoch=1)])
    watched = Watched(
        recordings, batch_size=recipe.training.batch_size, dt_ms=data.dt_ms, n_channels=n_channels, seed=0, epoch=1
    )
    return {
        "bench": "throughput",
        "command": "python benchmarks/throughput.py",
        "seed": 0,
        "device": "cpu",
        "threads": 1,
        "versions": versions(),
        "dataset": name,
        "recordings": len(everything),
        "events": sum(recording.n_events for recording in everything),
        "first_load_seconds": round(cold, 3),
        "load_seconds": round(load, 3),
        "read_events_per_s": round(sum(recording.n_events for recording in everything) / load),
        **flow(recordings, data.dt_ms, n_channels),
        "epoch_seconds": round(epoch, 3),
        "step_seconds": round(step, 3),
        "loader_share": round(epoch / (epoch + step), 4),
        "workers": WORKERS,
        **memory(watched),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["fsdd", "nmnist"], help="recipes whose data is measured")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    rows = []
    for name in arguments.sets:
        rows.append(measure(name))
        sys.stdout.write(json.dumps(rows[-1]) + "\n")
    write_rows(arguments.out, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
