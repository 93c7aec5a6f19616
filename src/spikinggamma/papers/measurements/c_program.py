"""Whether an event-driven program of whole numbers decides as the library does: a route to hardware, taken to its end.

A net is trained, exported as a C program in each kind of number, compiled by `cc -std=c99 -O2`, and given its test
recordings as events. Its decisions are compared with the library's, recording by recording.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, bin_recording
from spikinggamma.export import NUMBERS, event_bytes, write_c
from spikinggamma.papers.measurements.trained import trained
from spikinggamma.runs import Run

__all__ = ["measure"]

_FLAGS = ("-std=c99", "-O2")


def measure(folder: Path, *, recipe: str, settings: Sequence[str], seed: int) -> dict[str, Any]:
    """Train, export and compare; without a C compiler, `compiler` of the result is empty and nothing is measured."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {"compiler": ""}
    run = trained(folder, recipe, settings, seed)
    recordings = list(run.splits().test)
    known = _of_library(run, recordings)
    data = event_bytes(recordings)
    different = {}
    for number in NUMBERS:
        source = write_c(run, folder / f"{number}.c", number=number)
        program = source.with_suffix("")
        done = subprocess.run([compiler, *_FLAGS, "-o", program, source], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SpikingGammaError("cc", done.stderr.strip()[-300:], "a compiler of C99")
        said = subprocess.run([program, "-b", "-q"], input=data, capture_output=True, check=True).stdout.decode()
        decisions = [int(line.split()[1]) for line in said.splitlines() if line.startswith("class ")]
        different[number] = sum(one != other for one, other in zip(decisions, known, strict=True))
    return {
        "compiler": compiler,
        "recordings": len(recordings),
        "different": different,
        "accuracy": (run.result or {})["accuracy"],
    }


def _of_library(run: Run, recordings: Sequence[Recording]) -> list[int]:
    net, data = run.net(), run.recipe.data
    decisions = []
    for recording in recordings:
        counts = bin_recording(recording, dt_ms=data.dt_ms, n_channels=data.n_channels or None)
        with torch.no_grad():
            activations, _ = net.run(counts.unsqueeze(1), net.initial_state(1), data.dt_ms)
        decisions.append(int(activations.layers[-1].outputs.mean(0).argmax()))
    return decisions
