"""What exact blame over a window costs beside instantaneous blame: at most (C + H) / C, and a tenth?

    python benchmarks/windowed_overhead.py [--out FILE.jsonl]

A net of two hidden layers of 256 neurons (eight buckets of 2 to 9 ms, steps of 1 ms, tolerance 1e-3, so H steps are waited
for) learns from 16 recordings of 4000 steps in chunks of C, with both rules in turn; medians of five rounds, one thread. A
window's adjoint runs over C + H steps to commit C of them; forwards there is nothing to repeat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from spikinggamma import runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.learning import Learner
from spikinggamma.learning.windowed import span
from spikinggamma.nn import dense_net
from spikinggamma.runtime import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "windowed_overhead.jsonl"
STEPS, BATCH, ROUNDS, DT_MS, TOLERANCE = 4000, 16, 5, 1.0, 1e-3


def measure(chunk: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    net = dense_net((70, 256, 256, 10), tau_ms=tuple(float(tau) for tau in range(2, 10)), generator=generator)
    spikes = (torch.rand(STEPS, BATCH, 70, generator=generator) < 0.05).float()
    targets = torch.randint(10, (STEPS, BATCH), generator=generator)
    net.calibrate(spikes[:200], dt_ms=DT_MS)
    learners = {
        "instantaneous": Learner(net, rule="instantaneous", loss="each_step", dt_ms=DT_MS, chunk=chunk),
        "windowed": Learner(net, rule="windowed", loss="each_step", dt_ms=DT_MS, chunk=chunk, tolerance=TOLERANCE),
    }
    seconds: dict[str, list[float]] = {name: [] for name in learners}
    for _ in range(ROUNDS + 1):
        for name, learner in learners.items():
            net.zero_grad()
            started = time.perf_counter()
            learner.learn(spikes, targets)
            seconds[name].append(time.perf_counter() - started)
    instantaneous, windowed = (statistics.median(values[1:]) for values in seconds.values())
    waited = span(net, DT_MS, TOLERANCE)
    # The window is made of whole chunks.
    held = chunk + -(-waited // chunk) * chunk
    return {
        "chunk": chunk,
        "span": waited,
        "instantaneous_s": instantaneous,
        "windowed_s": windowed,
        "ratio": windowed / instantaneous,
        "bound": (chunk + waited) / chunk + 0.1,
        "bound_in_whole_chunks": held / chunk + 0.1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    about = {"bench": "windowed_overhead", "command": "python benchmarks/windowed_overhead.py", "seed": 0}
    about |= {"device": "cpu", "threads": 1, "versions": runs.versions(), "steps": STEPS, "batch": BATCH}
    rows = []
    for chunk in (64, 128, 256, 512):
        rows.append(about | measure(chunk))
        sys.stdout.write(json.dumps(rows[-1]) + "\n")
        sys.stdout.flush()
    write_rows(arguments.out, rows)


if __name__ == "__main__":
    main()
