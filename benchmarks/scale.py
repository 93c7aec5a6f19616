"""Does training keep its memory and its pace on 75,000 recordings, and what does it cost to prepare their batches?

Data of the size of the Spiking Speech Commands, made by repetition: 500 recordings of a second with 700 channels are drawn
(spikes as often as asked, bursts in random channels, 35 classes) and written 150 times into the cache, each time a little
later, so that it holds 75,000 recordings of their own events. The net is that of the recipe `ssc`: 700 channels summed to 140,
steps of 4 ms, 512-512-35, rule `windowed`, batches of 64 with augmentation.

Method: every process maps the cache and trains for some batches by the very code of `spikinggamma train`; then it prepares all
batches of an epoch without learning from them. Memory that is a process's own (anonymous: what is no file's) is noted on the
way; `flat` says whether its largest value after a tenth of the way exceeds the value there by at most 5 %. `loader_share` is
the time of preparing a batch over that of a step. A row for each process, by the first of them.

    torchrun --standalone --nproc-per-node 2 benchmarks/scale.py [--recordings N] [--events N] [--batches N] [--out FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.data import loading
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.distributed import ProcessGroup, gathered
from spikinggamma.events import Recording, Splits
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import create_run, read_rows
from spikinggamma.training import SilentReporter
from spikinggamma.training.epoch import learn_epoch
from spikinggamma.training.session import training_session
from spikinggamma.versions import versions

RESULTS = Path(__file__).parent / "results" / "scale.jsonl"
DRAWN, CHANNELS, CLASSES, DURATION_US = 500, 700, 35, 1_000_000
SHIFT_US = 37  # of each repetition
FLAT = 1.05


def drawn(events: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times and channels of recordings: half of the spikes evenly, half in bursts."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWN):
        even = rng.integers(0, DURATION_US - 20_000, events // 2)
        centres = rng.integers(50_000, DURATION_US - 70_000, 30)
        bursts = np.clip(rng.normal(rng.choice(centres, events - len(even)), 8_000.0), 0, DURATION_US - 20_000)
        times = np.sort(np.concatenate([even, bursts.astype(np.int64)]))
        found.append((times, rng.integers(0, CHANNELS, events).astype(np.int32)))
    return found


def recordings(count: int, events: int) -> list[Recording]:
    """From the cache; written there first where it does not have them."""

    def read() -> Iterator[Recording]:
        base = drawn(events)
        for place in range(count):
            times, channels = base[place % DRAWN]
            shifted = times + SHIFT_US * (place // DRAWN)
            yield Recording(shifted, channels, CHANNELS, DURATION_US, label=place % CLASSES)

    return mapped_recordings("scale", [Path(__file__)], read, key={"count": count, "events": events})


def own_mib() -> float:
    """Memory of this process that is no file's."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Anonymous:")).split()[1]) / 1024


class Enough(Exception):
    """So many batches were learnt."""


class Clock(SilentReporter):
    """Notes the time and the memory after every batch, and ends the epoch after some."""

    def __init__(self, batches: int) -> None:
        self.batches, self.times, self.memory = batches, [time.perf_counter()], [own_mib()]

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        self.times.append(time.perf_counter())
        self.memory.append(own_mib())
        if len(self.times) > self.batches:
            raise Enough


def growth(memory: list[float]) -> float:
    """The largest value after a tenth of the way, over the one there."""
    start = max(1, len(memory) // 10)
    return max(memory[start:]) / memory[start]


def measure(processes: ProcessGroup, device: torch.device, arguments: argparse.Namespace) -> dict[str, object]:
    recipe = load_recipe("ssc", ["training.threads=1"])
    started = time.perf_counter()
    everything = processes.in_turn(lambda: recordings(arguments.recordings, arguments.events))
    load_s = time.perf_counter() - started
    splits = Splits(everything, everything[:640], everything[:640])
    with tempfile.TemporaryDirectory() as folder:
        run = processes.first(lambda: create_run(recipe, Path(folder) / "run", command="", device=str(device)))
        clock = Clock(arguments.batches)
        try:
            # The run's folder is the first process's, and nobody but it writes there.
            with training_session(run, splits, device, processes) as state:
                learn_epoch(state, 1, clock)
        except Enough:
            pass
    steps = np.diff(clock.times)[2:]  # the first ones compile and warm up
    memory, sizes = [own_mib()], []
    started = time.perf_counter()
    for number, batch in enumerate(loading.training_batches(recipe, everything, epoch=1)):
        sizes.append(len(batch.lengths))
        if number % 20 == 0:
            memory.append(own_mib())
    loader_s = (time.perf_counter() - started) / len(sizes)
    step_s = float(np.median(steps))
    return {
        "process": processes.rank,
        "processes": processes.size,
        "recordings": len(everything),
        "events": arguments.events * len(everything),
        "batch": recipe.training.batch_size,
        "learnt_batches": arguments.batches,
        "prepared_batches": len(sizes),
        "load_s": round(load_s, 2),
        "step_s": round(step_s, 4),
        "loader_s": round(loader_s, 4),
        "loader_share": round(loader_s / step_s, 4),
        "recordings_per_s": round(recipe.training.batch_size / step_s, 1),
        "prepared_per_s": round(recipe.training.batch_size / loader_s, 1),
        "own_mib_learning": [round(value) for value in clock.memory[:: max(1, arguments.batches // 10)]],
        "own_mib_preparing": [round(value) for value in memory[:: max(1, len(memory) // 10)]],
        "growth_learning": round(growth(clock.memory), 3),
        "growth_preparing": round(growth(memory), 3),
        "flat": growth(clock.memory) <= FLAT and growth(memory) <= FLAT,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=75_000)
    parser.add_argument("--events", type=int, default=4_000, help="of each recording")
    parser.add_argument("--batches", type=int, default=60, help="to learn from")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    with gathered(torch.device("cpu")) as (processes, device):
        found = measure(processes, device, arguments)
        rows: list[dict[str, object] | None] = [None] * processes.size
        if processes.size > 1:
            dist.all_gather_object(rows, found)
        else:
            rows = [found]
        if processes.is_main:
            about = {"bench": "scale", "command": f"torchrun --nproc-per-node {processes.size} benchmarks/scale.py"}
            about |= {"seed": 0, "device": str(device), "threads": 1, "versions": versions()}
            kept = read_rows(arguments.out)
            for one in rows:
                kept = with_row(kept, about | (one or {}), ["process", "processes", "recordings", "events"])
                sys.stdout.write(json.dumps(one) + "\n")
            write_rows(arguments.out, kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
