"""What a GPU is asked, part by part: `benchmarks/on_gpu.sh` runs all of it, each part under a time limit of its own.

    python benchmarks/on_gpu.py exactness|speed|epoch [RECIPE] --out DIR [--dry-run]

exactness: every Triton scan in single precision against the plain one in double on the same device; rows as those of
`kernels.py`. Of spiking neurons, the share of spikes that differ.
speed: a training step of `Linear(n, n)` and neurons, subjects as in `bench speed`, in turns in one process; the most telling
shapes first. Memory is the peak that torch allocated above what was there before. A case that does not fit says so.
epoch: one epoch of a recipe, validation included, the second of two, as kernels are compiled in the first.

Rows are written as they are measured, so that a part that is stopped leaves what it had. With --dry-run everything is tiny and
runs on the processor, Triton in its interpreter; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from spikinggamma import functional, kernels
from spikinggamma.bench.speed_competitors import SUBJECTS, installed, version_of
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    DelayParameters,
    DelayState,
    LIFParameters,
    LIFState,
    SpikingGammaState,
)
from spikinggamma.nn.compiled import delays, neurons
from spikinggamma.recipes import load_recipe, recipe_names
from spikinggamma.runs import append_row
from spikinggamma.training import SilentReporter, train
from spikinggamma.versions import versions

BATCH, ROUNDS = 16, 3
# T, n, share of the input that is not zero.
SHAPES = [
    *((500, n, 0.02) for n in (1024, 4096, 16384)),
    (500, 4096, 0.2),
    *((steps, 1024, 0.02) for steps in (2000, 8000)),
    (2000, 4096, 0.02),
    (8000, 4096, 0.02),
    (2000, 16384, 0.02),
    (8000, 16384, 0.02),
]
TINY = [(7, 6, 0.2)]
RIVALS = ("matmul", "spikinggamma", "lif", "lif_loop", "spikingjelly", "snntorch")
LOOPS = ("lif_loop", "snntorch")  # a launch or more a step: only up to
LOOP_STEPS = 2000
LIF = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0)


def error(one: torch.Tensor, two: torch.Tensor) -> float:
    return float((one.double() - two).norm() / two.norm().clamp_min(1e-30))


def exactness(dry: bool, device: str) -> Iterator[dict[str, Any]]:
    from kernels import SCANS, Case  # benchmarks/kernels.py

    shapes = [(2, 3, 5, 2)] if dry else [(257, 17, 130, order) for order in (1, 4, 12)] + [(63, 3, 130, 16)]
    for name, (gives, scan) in SCANS.items():
        worst = dict.fromkeys(gives, 0.0)
        for shape in shapes:
            case = Case.of(shape)
            case = Case(*(p.to(device) for p in case[:-1]), SpikingGammaState(*(p.to(device) for p in case.state)))
            with kernels.use("triton"):
                found = scan(case)
            with kernels.use("reference"):
                wanted = scan(case.double())
            for part, one, two in zip(gives, found, wanted, strict=True):
                worst[part] = max(worst[part], error(one, two))
        for part, largest in worst.items():
            yield {"scan": name, "gives": part, "shapes": len(shapes), "relative_error": largest}
    yield from (rival(name, dry, device) for name in ("leaky", "lif", "adaptive_lif", "fractional_delay"))


def rival(name: str, dry: bool, device: str) -> dict[str, Any]:
    """A neuron or a delay: what it gives and the gradient on its input, and how many spikes differ."""
    steps, batch, size = (5, 2, 3) if dry else (500, 16, 512)
    generator = torch.Generator().manual_seed(0)
    drive = 3.0 * torch.randn(steps, batch, size, generator=generator).to(device) + 0.5
    grad = torch.randn(steps, batch, size, generator=generator).to(device)
    found = {}
    for backend, room, kind in (
        ("triton", delays if name.endswith("delay") else neurons, torch.float32),
        ("reference", functional, torch.float64),
    ):
        x = drive.to(kind).requires_grad_()
        zero = torch.zeros(batch, size, device=device, dtype=kind)
        given: tuple[Any, ...] = (LIF, LIFState(zero, zero))
        if name == "adaptive_lif":
            given = (AdaptiveLIFParameters(LIF, 0.3, 25.0), AdaptiveLIFState(zero, zero, zero))
        if name == "fractional_delay":
            delay_ms = torch.linspace(0.0, 20.0, size, device=device, dtype=torch.float32).to(kind)
            given = (DelayParameters(delay_ms, 20.0, 1.0), DelayState(zero.expand(21, -1, -1).contiguous()))
        with kernels.use(backend):
            said, _ = getattr(room, f"{name}_sequence")(*given, x)
            (on_x,) = torch.autograd.grad(said, x, grad.to(kind))
        found[backend] = (said.detach(), on_x)
    (said, on_x), (wanted, on_wanted) = found["triton"], found["reference"]
    other = (said.double() != wanted).any(0) if "lif" in name else torch.zeros(batch, size, device=device) > 0
    same = ~other
    return {
        "scan": f"{name}_sequence",
        "gives": "output and gradient of the input",
        "relative_error": max(error(said[:, same], wanted[:, same]), error(on_x[:, same], on_wanted[:, same])),
        "cells": same.numel(),
        "cells_with_another_spike": int(other.sum()),
    }


def speed(dry: bool, device: str) -> Iterator[dict[str, Any]]:
    subjects = [name for name in RIVALS if installed(SUBJECTS[name].package)]
    for steps, size, density in TINY if dry else SHAPES:
        found: dict[str, dict[str, Any]] = {}
        for name in subjects:
            if name in LOOPS and steps > LOOP_STEPS:
                continue
            try:
                found[name] = timed(name, steps, size, density, device, 1 if dry else ROUNDS)
            except torch.cuda.OutOfMemoryError:
                found[name] = {"left_out": "out of memory"}
            gc.collect()
            if device == "cuda":
                torch.cuda.empty_cache()
        for name, row in found.items():
            if "seconds" in row:
                for other, key in (("matmul", "ratio_to_matmul"), ("spikinggamma", "ratio_to_ours")):
                    if "seconds" in found.get(other, {}):
                        row[key] = row["seconds"] / found[other]["seconds"]
            shape = {"batch": BATCH, "steps": steps, "neurons": size, "density": density}
            yield {"library": name, "version": version_of(SUBJECTS[name].package), **shape, **row}


def timed(name: str, steps: int, size: int, density: float, device: str, rounds: int) -> dict[str, Any]:
    generator = torch.Generator(device=device).manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    weight = drawn(size, size) / (size * density) ** 0.5
    batch = 2 if device == "cpu" else BATCH
    spikes = (torch.rand(steps, batch, size, generator=generator, device=device) < density).float()
    grad = drawn(steps, batch, size)
    step = SUBJECTS[name].make(weight)
    finish = torch.cuda.synchronize if device == "cuda" else lambda: None
    step(spikes[:40], grad[:40])  # compiles
    finish()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if device == "cuda" else 0
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        step(spikes, grad)
        finish()
        seconds.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else 0
    return {"seconds": statistics.median(seconds), "rounds": rounds, "step_mib": (peak - before) / 2**20}


def epoch(name: str, dry: bool, device: str) -> Iterator[dict[str, Any]]:
    tiny = ["data.options.n_train=16", "data.options.n_validation=9", "data.options.n_test=9",
            "data.options.duration_ms=40.0", "data.dt_ms=4.0", "net.hidden=[4]", "net.tau_ms=[4.0, 4.0]"]  # fmt: skip
    source = "localisation" if dry else name
    if source not in recipe_names():
        yield {"recipe": name, "left_out": "there is no such recipe"}
        return
    try:
        recipe = load_recipe(source, ["training.epochs=2", *(tiny if dry else [])])
        with tempfile.TemporaryDirectory() as folder, kernels.use("triton" if dry else "auto"):
            run = train(recipe, Path(folder) / "run", device=device, reporter=SilentReporter())
    except SpikingGammaError as problem:
        yield {"recipe": name, "left_out": str(problem)}
        return
    last = run.metrics[-1]
    keys = ("seconds", "samples_per_s", "train_loss", "validation_accuracy")
    memory = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None
    yield {"recipe": source, **{key: last[key] for key in keys}, "peak_mib": memory}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["exactness", "speed", "epoch"])
    parser.add_argument("recipe", nargs="?", default="fsdd", help="of the epoch")
    parser.add_argument("--out", type=Path, required=True, help="folder of the rows")
    parser.add_argument("--dry-run", action="store_true", help="tiny, on the processor")
    arguments = parser.parse_args()
    dry, device = arguments.dry_run, "cpu" if arguments.dry_run else "cuda"
    about = {
        "bench": f"gpu_{arguments.part}",
        "command": f"benchmarks/on_gpu.sh{' --dry-run' if dry else ''}",
        "seed": 0,
        "device": device if dry else torch.cuda.get_device_name(),
        "versions": versions(),
    }
    if arguments.part == "epoch":
        rows, file = epoch(arguments.recipe, dry, device), f"epoch_{arguments.recipe}.jsonl"
    else:
        rows, file = {"exactness": exactness, "speed": speed}[arguments.part](dry, device), f"{arguments.part}.jsonl"
    with kernels.use("triton" if dry else "auto"):
        for row in rows:
            append_row(arguments.out / file, about | row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
