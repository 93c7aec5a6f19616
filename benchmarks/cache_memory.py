"""What spikes from the cache cost in memory: one process, four that open the same cache, four forked from one that has it.

Method: each process loads the Free Spoken Digits as 700 channels, reads every spike, and reports once all of them have: USS
(its own alone), PSS (shared pages by halves, quarters, ...), anonymous memory (what is no file's), each less what it had
before loading, and the processor time of loading. Linux only. Needs SPIKINGGAMMA_DATA, and a cache that is filled.

    python benchmarks/cache_memory.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from spikinggamma.datasets import fsdd
from spikinggamma.events import Splits

WORKERS = 4


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def memory_mb() -> dict[str, float]:
    """This process's memory as the system counts it."""
    found = {}
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        found[name.rstrip(":")] = int(value) / 1024
    return {
        "uss_mb": found["Private_Clean"] + found["Private_Dirty"],
        "pss_mb": found["Pss"],
        "anonymous_mb": found["Anonymous"],
    }


def load() -> tuple[Splits, dict[str, float]]:
    """The recordings, all of them read, and the processor time of loading them."""
    started = time.process_time()
    splits = fsdd.load(n_channels=700, ramp_ms=20.0, pre_emphasis_hz=50.0, progress=False)
    seconds = time.process_time() - started
    read_all(splits)
    return splits, {"load_cpu_s": seconds}


def read_all(splits: Splits) -> int:
    """The sum of everything, which no page can be left out of."""
    return sum(int(one.times_us.sum()) + int(one.channels.sum()) for part in splits for one in part)


def row(case: str, before: dict[str, float], more: dict[str, float]) -> str:
    """Memory since `before` as a line of JSON."""
    now = {name: value - before[name] for name, value in memory_mb().items()}
    return json.dumps({"case": case} | {name: round(value, 2) for name, value in {**now, **more}.items()})


def worker() -> None:
    """One of several: loads, waits for the others, reports, waits again so that pages stay shared."""
    before = memory_mb()
    splits, more = load()
    say("loaded")
    sys.stdin.readline()
    say(row(f"{WORKERS} processes, each loads", before, more))
    sys.stdin.readline()
    assert splits.train


def main() -> None:
    """One line a process."""
    crowd = [
        subprocess.Popen([sys.executable, __file__, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(WORKERS)
    ]
    for step in range(3):
        for one in crowd:
            assert one.stdin is not None
            assert one.stdout is not None
            if step:
                one.stdin.write("\n")
                one.stdin.flush()
            if step < 2 and (line := one.stdout.readline()) != "loaded\n":
                say(line.rstrip())
    for one in crowd:
        one.wait()
    before = memory_mb()
    splits, more = load()
    say(row("one process", before, more))
    gates, ready = [os.pipe() for _ in range(WORKERS)], os.pipe()
    for mine, _ in gates:
        if os.fork() == 0:
            start = dict.fromkeys(memory_mb(), 0.0)
            read_all(splits)
            os.write(ready[1], b"r")
            os.read(mine, 1)
            say(row(f"{WORKERS} forked from one that has loaded, in all", start, {}))
            os.read(mine, 1)
            os._exit(0)
    for _ in gates:
        os.read(ready[0], 1)
    for round_ in range(2):
        for _, gate in gates:
            os.write(gate, b"g")
        time.sleep(0.0 if round_ else 2.0)
    for _ in gates:
        os.wait()


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["worker"] else main()
