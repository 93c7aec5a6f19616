"""One case of the memory bench, in a process of its own: `python -m spikinggamma.bench.memory_case JSON`.

The process loads everything and learns a short recording first, so that code, compiled kernels, parameters, gradients
and every buffer of constant size are there. What is resident then is the loaded process. It then learns one recording
of `steps` steps, made chunk by chunk and forgotten as it goes, and reports the peak.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.learning import Learner
from spikinggamma.nn import SequenceNet, SurrogateNet, dense_net

__all__ = ["Case", "measure", "peak_mib", "reset_peak", "resident_mib"]

DT_MS = 4.0
_STATUS = Path("/proc/self/status")
_DENSITY = 0.03  # events per channel and step, as spoken digits have after the cochlea


class Case(NamedTuple):
    """What is learnt, and how.

    Attributes:
        rule: A learning rule of SpikingGamma, or "lif_" and one of LIF nets: `lif_bptt`, `lif_ottt`.
        loss: Of the learner.
        steps: T.
        sizes: Inputs, hidden layers, classes.
        tau_ms: Of the buckets.
        batch: Recordings at once.
        chunk: Steps made, taken and forgotten at once.
        seed: Of weights and input.
    """

    rule: str
    loss: str
    steps: int
    sizes: tuple[int, ...]
    tau_ms: tuple[float, ...]
    batch: int
    chunk: int
    seed: int


def measure(case: Case) -> dict[str, float]:
    """Learn one recording after a warm-up: `peak_mib`, `step_mib`, the peak above the loaded process, and `ms_per_step`."""
    torch.set_num_threads(1)
    learn = _learner(case)
    # More than one chunk: only then does a rule carry something over, and meet all of its code.
    learn(3 * case.chunk)
    gc.collect()
    loaded = resident_mib()
    reset_peak()
    started = time.perf_counter()
    learn(case.steps)
    seconds = time.perf_counter() - started
    peak = peak_mib()
    return {"peak_mib": peak, "step_mib": peak - loaded, "ms_per_step": 1000.0 * seconds / case.steps}


def _chunks(case: Case, steps: int) -> Iterator[Tensor]:
    """A recording of random events in chunks, the same ones in every pass."""
    for start in range(0, steps, case.chunk):
        generator = torch.Generator().manual_seed(case.seed * 1_000_003 + start)
        size = (min(case.chunk, steps - start), case.batch, case.sizes[0])
        yield (torch.rand(size, generator=generator) < _DENSITY).float()


def _targets(case: Case) -> Tensor:
    return torch.arange(case.batch) % case.sizes[-1]


def _learner(case: Case) -> Callable[[int], None]:
    generator = torch.Generator().manual_seed(case.seed)
    rule = case.rule.removeprefix("lif_")
    net: SequenceNet = (
        dense_net(case.sizes, tau_ms=case.tau_ms, generator=generator)
        if rule == case.rule
        else SurrogateNet(case.sizes, generator=generator)
    )
    net.calibrate(next(_chunks(case, case.chunk)), dt_ms=DT_MS)
    learner = Learner(net, rule=rule, loss=case.loss, dt_ms=DT_MS)

    def learn(steps: int) -> None:
        lengths = torch.full((case.batch,), steps)
        learner.learn(lambda: _chunks(case, steps), _targets(case), lengths)

    return learn


def resident_mib() -> float:
    """What this process holds in memory now."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def reset_peak() -> None:
    """Let the peak begin at what is resident now, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mib() -> float:
    """The most that was resident: since `reset_peak` where that works, else since the process began.

    `ru_maxrss` is the fallback only: on Linux a child inherits it from the process that forked it.
    """
    try:
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 2**10
    except (OSError, KeyError):
        import resource  # not on every system

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    wanted = Case(**{**given, "sizes": tuple(given["sizes"]), "tau_ms": tuple(given["tau_ms"])})
    sys.stdout.write(json.dumps(measure(wanted)) + "\n")
