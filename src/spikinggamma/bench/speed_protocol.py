"""How a process that holds one case of the speed bench is spoken to, and what all of them check: without torch.

It loads, warms up, and says so in a line. For each line that it is then sent it does one training step and answers with its
seconds; when its input ends, with its peak memory above the loaded process.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikinggamma.process_memory import peak_mib, reset_peak, resident_mib

__all__ = ["BETA", "DT_MS", "TAU_MS", "Case", "by_the_formula", "say", "serve_steps"]

TAU_MS, DT_MS = 10.0, 1.0
BETA = math.exp(-DT_MS / TAU_MS)


class Case(NamedTuple):
    """What is timed.

    Attributes:
        library: A name in `SUBJECTS`, `NETS` or `JAX_SUBJECTS`.
        batch: B.
        steps: T.
        neurons: n, of input and output of a layer; or of the hidden layer of a net.
        density: Share of the input that is not zero.
        threads: Of torch, or of JAX.
        device: cpu or cuda.
        seed: Of weights and input.
        inputs: Of a net; 0 for a layer.
        outputs: Classes of a net; 0 for a layer.
    """

    library: str
    batch: int
    steps: int
    neurons: int
    density: float
    threads: int
    device: str
    seed: int
    inputs: int = 0
    outputs: int = 0


def say(answer: Mapping[str, object]) -> None:
    """Write an answer as a line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def serve_steps(
    step: Callable[[], object],
    about: Mapping[str, object],
    *,
    loaded_mib: Callable[[], float] = resident_mib,
    peak_of_mib: Callable[[], float] = peak_mib,
) -> None:
    """Answer line by line on the standard streams.

    Args:
        step: One training step, to its very end.
        about: What is said when it begins.
        loaded_mib: The memory that is in use now.
        peak_of_mib: The peak since then.
    """
    loaded = loaded_mib()
    reset_peak()
    say(about)
    for _ in sys.stdin:
        started = time.perf_counter()
        step()
        say({"seconds": time.perf_counter() - started})
    say({"step_mib": peak_of_mib() - loaded})


def by_the_formula(drive: NDArray[Any], to_zero: bool) -> NDArray[Any]:
    """Return the spikes of leaky integrate-and-fire neurons with threshold 1: drive [T, B, n] to spikes [T, B, n]."""
    membrane, spikes = np.zeros_like(drive[0]), []
    for u in drive:
        membrane = np.float32(BETA) * membrane + np.float32(1.0 - BETA) * u
        out = (membrane > 1.0).astype(drive.dtype)
        membrane = membrane * (1.0 - out) if to_zero else membrane - out
        spikes.append(out)
    if not np.any(spikes):
        raise RuntimeError("the check has no spike")
    return np.stack(spikes)
