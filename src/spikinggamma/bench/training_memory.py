"""Memory that learning a batch of recordings takes, by the recipe of a run.

    python -m spikinggamma.bench.training_memory JSON

As in `memory_case`, a process of its own first learns a short recording, so that everything of constant size is loaded,
then one of many steps. The recordings are random events, made chunk by chunk and discarded, so that only the net, its
states and what the learning rule keeps are measured: neither the recordings nor their batches.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from spikinggamma.bench.kept_runs import PlannedRun
from spikinggamma.bench.memory import ENVIRONMENT
from spikinggamma.data import data_info
from spikinggamma.process_memory import peak_mib, reset_peak, resident_mib
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import build_learner, build_net

__all__ = ["measure", "training_memory"]

_CHUNK = 25
_RATE_HZ = 10.0  # events of a channel


def training_memory(run: PlannedRun, steps: int) -> dict[str, float]:
    """Return what `measure` returns, from a process of its own.

    Raises:
        RuntimeError: The process ended with an error.
    """
    told = json.dumps({"source": run.source, "settings": list(run.settings), "steps": steps})
    command = [sys.executable, "-m", "spikinggamma.bench.training_memory", told]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{run.name} ended with code {done.returncode}: {done.stderr.strip()[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(source: str, settings: Sequence[str], steps: int) -> dict[str, float]:
    """Learn a batch of `steps` steps after a warm-up.

    Returns:
        `train_peak_mib`, the peak of resident memory, and `train_step_mib`, how far it is above the loaded process.
    """
    torch.set_num_threads(1)
    recipe = load_recipe(source, settings)
    net, channels, batch = build_net(recipe), data_info(recipe).n_channels, recipe.training.batch_size
    targets = torch.arange(batch) % data_info(recipe).n_classes
    density = min(0.5, _RATE_HZ * recipe.data.dt_ms / 1000.0)
    generator = torch.Generator().manual_seed(recipe.training.seed)

    def chunks(steps: int) -> Iterator[Tensor]:
        own = torch.Generator().manual_seed(recipe.training.seed)  # the same in every pass
        for start in range(0, steps, _CHUNK):
            yield (torch.rand(min(_CHUNK, steps - start), batch, channels, generator=own) < density).float()

    net.calibrate(next(chunks(8 * _CHUNK)), dt_ms=recipe.data.dt_ms)
    learner = build_learner(net, recipe)

    def learn(steps: int) -> None:
        lengths = torch.full((batch,), steps)
        learner.learn(lambda: chunks(steps), targets, lengths, optimiser_step=net.zero_grad, generator=generator)

    learn(3 * _CHUNK)
    gc.collect()
    loaded = resident_mib()
    reset_peak()
    learn(steps)
    peak = peak_mib()
    return {"train_peak_mib": round(peak, 1), "train_step_mib": round(peak - loaded, 1)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(**json.loads(sys.argv[1]))) + "\n")
