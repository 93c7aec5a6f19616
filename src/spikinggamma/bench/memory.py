"""Benchmark of the memory for learning from a recording of T steps: constant in T for online rules, linear for others.

Method: each case runs in its own process (see `memory_case`), on one thread. Input is generated chunk by chunk and
discarded; `sum` generates it twice, for its replay. `peak_mib` is the peak of resident memory while a recording is learnt,
`step_mib` is that peak minus the memory of the loaded process, after a warm-up of three chunks. Both are also given relative
to the shortest recording of the same rule, loss and net, and `mib_per_step` is the memory for each further step. The C
library's allocator is set to return freed blocks of 64 KiB and more at once (`environment` of a row), so that its reserve is
not counted as memory that learning needs. `ms_per_step` is the learning time per step, including the generation of input, on
a machine that may have had other work; compare it only within one run.

Required: for online rules a peak within 5 % of that of the shortest recording; for rules that store the recording, the same
memory for each further step as between the two shortest recordings, within 10 %.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from spikinggamma.bench.memory_case import Case
from spikinggamma.bench.rows import Row, row

__all__ = ["ENVIRONMENT", "run"]

ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "OMP_NUM_THREADS": "1",
}
_STEPS = (125, 250, 500, 1000, 2000, 4000, 8000)
_LINEAR = ("through_time", "lif_bptt")
_ONLINE = ("instantaneous", "shifted", "windowed")
_RIVALS = (
    "lif_ottt",
    "lif_eprop",
    "lif_truncated",
    "lif_otpe",
    "lif_es_d_rtrl",
    "lif_dtrtrl",
    "adaptive_lif_dtrtrl",
    "adaptive_lif_eprop",
    "lif_windowed_bptt",
)
# A single time constant, as `shifted` needs; the window of `windowed` (45 steps and two chunks) fits into 125 steps.
_TAU_MS = (8.0, 8.0, 8.0, 8.0)
_SIZES = (140, 256, 256, 10)


def run(*, quick: bool, seed: int) -> Iterator[Row]:
    """Yield a row for each rule, loss and length.

    Args:
        quick: Whether to use a small net, four rules and two lengths.
        seed: Seed of weights and input.
    """
    for group in _groups(quick, seed):
        _measure(group[0])  # the process that compiles the kernels also holds the compiler in memory
        measured: list[Row] = []
        for case in group:
            measured.append({**_measure(case), "steps": case.steps})
            yield _row(case, measured, quick)


def _groups(quick: bool, seed: int) -> list[list[Case]]:
    """Return groups of cases that differ in their length only, shortest first."""
    if quick:
        kinds = [(rule, "sum") for rule in ("windowed", "through_time", "lif_bptt", "lif_ottt")]
        return [[Case(*kind, steps, (20, 64, 10), _TAU_MS, 16, 25, seed) for steps in (400, 1600)] for kind in kinds]
    kinds = [(rule, loss) for rule in _ONLINE for loss in ("sum", "last")]
    kinds += [
        ("windowed", "each_step"),
        ("windowed", "running"),
        ("lif_fptt", "running"),
        *((rule, "sum") for rule in (*_LINEAR, *_RIVALS)),
    ]
    groups = [[Case(*kind, steps, _SIZES, _TAU_MS, 16, 25, seed) for steps in _STEPS] for kind in kinds]
    # This rule has K values for each weight and sample, so it gets a smaller net, as it would take hours otherwise.
    traced = [Case("traced", "sum", steps, (140, 128, 10), _TAU_MS, 16, 25, seed) for steps in _STEPS]
    return [*groups, traced]


def _measure(case: Case) -> Row:
    command = [sys.executable, "-m", "spikinggamma.bench.memory_case", json.dumps(case._asdict())]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{case} ended with code {done.returncode}: {done.stderr.strip()[-2000:]}")
    measured: Row = json.loads(done.stdout)
    return measured


def _row(case: Case, measured: list[Row], quick: bool) -> Row:
    """Return the row of the last measurement of a group, relative to the first ones."""
    first, last = measured[0], measured[-1]
    slopes = [(one["step_mib"] - first["step_mib"]) / (one["steps"] - first["steps"]) for one in measured[1:]]
    peak_ratio = last["peak_mib"] / first["peak_mib"]
    holds: bool | None
    if case.rule in _LINEAR:
        # The slope is used, as memory that the warm-up freed in small blocks is missing from `step_mib`.
        demand = "mib_per_step within 10 % of that between the two shortest"
        holds = abs(slopes[-1] / slopes[0] - 1.0) <= 0.1 if len(slopes) > 1 else None
    else:
        demand, holds = "peak_ratio within 5 % of 1", abs(peak_ratio - 1.0) <= 0.05
    return row(
        "memory",
        quick=quick,
        seed=case.seed,
        threads=1,
        **{name: value for name, value in case._asdict().items() if name != "seed"},
        peak_mib=last["peak_mib"],
        step_mib=last["step_mib"],
        ms_per_step=last["ms_per_step"],
        peak_ratio=peak_ratio,
        step_ratio=last["step_mib"] / first["step_mib"],
        mib_per_step=slopes[-1] if slopes else None,
        environment=ENVIRONMENT,
        demand=demand,
        holds=holds,
    )
