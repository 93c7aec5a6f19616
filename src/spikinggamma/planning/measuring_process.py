"""The process that measures a recipe: `python -m spikinggamma.planning.measuring_process`, a request on standard input.

It is a run as `train` would begin it, in a folder that is thrown away: the data is loaded, the net calibrated. The largest
batch of training and the largest of evaluation are then learnt and judged by the very functions that `train` calls, so that
the peak of memory is that of the run, whatever the rule and the net. A quarter of each goes first: where it tells that the
whole would not fit this machine, the rest is calculated.

Then a few batches of different size are timed in turns. The test part is only run through a net that has learnt nothing;
what it answers is dropped.
"""

from __future__ import annotations

import gc
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from spikinggamma.data.loading import load_splits
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.scores import score
from spikinggamma.events import Recording, Splits
from spikinggamma.kernels.compilation import compilations
from spikinggamma.planning.batch_sizes import BatchSize, batch_sizes, representative, seconds_of_all
from spikinggamma.planning.measurement import Measurement
from spikinggamma.process_memory import peak_mib, resident_mib
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import parse_recipe
from spikinggamma.runs.build import build_learner, build_net, pick_device
from spikinggamma.runs.checkpoint import Best, Checkpoint, save_checkpoint
from spikinggamma.runs.run import create_run
from spikinggamma.training.epoch import learn_epoch
from spikinggamma.training.progress import SilentReporter
from spikinggamma.training.session import training_session
from spikinggamma.training.state import State

__all__ = ["measure_here"]

_SIZES = 5  # batches that are timed
_PASSES = 3  # each, at least
_ENOUGH_S, _MOST_S = 2.0, 60.0  # quick steps are timed more often, and slow ones less
_PART = 4  # the share of a batch that goes first
_HEADROOM = 0.8  # share of the memory that is left which a step may take


_Act = Callable[[Sequence[Recording]], float]  # learns or judges one batch, in seconds


class _Largest(NamedTuple):
    """The peak memory of the largest batch, measured or calculated; the batches done for it, the last of them, in seconds."""

    peak_mib: float
    done: tuple[BatchSize, ...]
    seconds: float

    @property
    def size(self) -> BatchSize:
        return self.done[-1]


class _Steps:
    """Steps of training and evaluation on batches of the given recordings."""

    def __init__(self, state: State) -> None:
        self.state, self.splits = state, state.splits
        self.whole = True

    def learn(self, recordings: Sequence[Recording]) -> float:
        """Learn one batch; return the seconds."""
        self.state.splits = Splits(list(recordings), [], [])
        started = time.perf_counter()
        learn_epoch(self.state, 1, SilentReporter())
        return time.perf_counter() - started

    def judge(self, recordings: Sequence[Recording]) -> float:
        """Evaluate one batch; return the seconds."""
        started = time.perf_counter()
        self.state.net.eval()
        score(self.state.evaluator, self.state.recipe, recordings, self.state.device)
        return time.perf_counter() - started

    def save(self) -> float:
        """Write the checkpoints of an epoch that is the best so far; return the seconds."""
        state = self.state
        started = time.perf_counter()
        weights = {name: tensor.detach().cpu() for name, tensor in state.net.state_dict().items()}
        for path, optimiser in ((state.run.best, None), (state.run.last, state.optimiser.state_dict())):
            save_checkpoint(path, Checkpoint(1, weights, optimiser, Best()), state.recipe)
        return time.perf_counter() - started

    def peak_of(self, act: _Act, size: BatchSize, recordings: Sequence[Recording]) -> _Largest:
        """Do the largest batch, or a part of it where the whole would not fit."""
        part = size.part(_PART)
        before = peak_mib()
        seconds = act(_chosen(recordings, part))
        grown = (peak_mib() - before) * size.work / part.work
        if grown > _HEADROOM * _available_mib():
            self.whole = False
            return _Largest(before + grown, (part,), seconds)
        if part == size:
            return _Largest(peak_mib(), (size,), seconds)
        seconds += act(_chosen(recordings, size))
        return _Largest(peak_mib(), (part, size), seconds)


def measure_here(recipe: Recipe, *, device: str, timed: bool, started: float) -> Measurement:
    """Measure a recipe in this process: see `planning.measure`.

    Args:
        recipe: What is to be trained.
        device: auto, cpu or cuda.
        timed: Whether times are measured.
        started: When the process was started, by `time.time`.
    """
    where = pick_device(device)
    build_learner(build_net(recipe), recipe)
    splits = load_splits(recipe)
    of = partial(batch_sizes, batch_size=recipe.training.batch_size, dt_ms=recipe.data.dt_ms)
    sizes = [
        of(splits.train, seed=recipe.training.seed, shuffle=True),
        *(of(part, shuffle=False) for part in (splits.validation, splits.test)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(recipe, Path(folder) / "run", command="", device=str(where))
        with training_session(run, splits, where) as state:
            return _measured(_Steps(state), splits, sizes, timed, started)


def _measured(steps: _Steps, splits: Splits, sizes: list[list[BatchSize]], timed: bool, started: float) -> Measurement:
    gc.collect()
    loaded, start_s = resident_mib(), time.time() - started
    largest = [max(part, key=lambda size: size.work) for part in sizes]
    evaluated = 1 if largest[1].work >= largest[2].work else 2
    learnt = steps.peak_of(steps.learn, largest[0], splits.train)
    judged = steps.peak_of(steps.judge, largest[evaluated], splits[evaluated])
    steps.save()
    checkpoint_s = steps.save()
    peak = max(peak_mib(), learnt.peak_mib, judged.peak_mib)
    times = [0.0, 0.0, 0.0]
    if timed and not compilations():  # with the compiler in memory it is done again
        training = _timed(steps, steps.learn, splits.train, sizes[0], learnt.size)
        evaluation = _timed(steps, steps.judge, splits[evaluated], sizes[evaluated], judged.size)
        times = [seconds_of_all(sizes[0], training), *(seconds_of_all(part, evaluation) for part in sizes[1:])]
        start_s += max(0.0, learnt.seconds - seconds_of_all(learnt.done, training))
        if steps.whole:
            peak = max(peak, peak_mib())
    state = steps.state
    on_device = torch.cuda.max_memory_allocated(state.device) / 2**20 if state.device.type == "cuda" else None
    return Measurement(
        recordings=tuple(len(part) for part in splits),
        batches=tuple(len(part) for part in sizes),
        shortest=min(size.steps for size in sizes[0]),
        longest=max(size.steps for size in sizes[0]),
        parameters=sum(parameter.numel() for parameter in state.net.parameters()),
        loaded_mib=loaded,
        peak_mib=peak,
        device_mib=on_device,
        compiled=compilations() > 0,
        whole=steps.whole,
        start_s=start_s,
        training_s=times[0],
        validation_s=times[1],
        checkpoint_s=checkpoint_s,
        test_s=times[2],
    )


def _timed(
    steps: _Steps,
    act: _Act,
    recordings: Sequence[Recording],
    sizes: Sequence[BatchSize],
    largest: BatchSize,
) -> dict[int, float]:
    """Return the median seconds of some batches by their work, `largest` among them."""
    chosen = representative(sizes, _SIZES) if steps.whole else [largest]
    times: dict[int, list[float]] = {size.work: [] for size in chosen}
    began = time.perf_counter()
    elapsed, passes = 0.0, 0
    while (passes < _PASSES or elapsed < _ENOUGH_S) and elapsed < _MOST_S:
        for size in chosen:
            times[size.work].append(act(_chosen(recordings, size)))
        passes, elapsed = passes + 1, time.perf_counter() - began
    return {work: statistics.median(found) for work, found in times.items()}


def _chosen(recordings: Sequence[Recording], size: BatchSize) -> list[Recording]:
    return [recordings[member] for member in size.members]


def _available_mib() -> float:
    import psutil

    return float(psutil.virtual_memory().available) / 2**20


def main() -> int:
    """Answer the request on standard input: a measurement, or the error that `train` would raise."""
    import psutil

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    request = json.load(sys.stdin)
    try:
        found = measure_here(
            parse_recipe(request["recipe"]),
            device=request["device"],
            timed=request["timed"],
            started=psutil.Process().create_time(),
        )
    except SpikingGammaError as error:
        answer: dict[str, object] = {"error": [error.argument, str(error.got), error.expected, error.remedy]}
    except KeyboardInterrupt:
        return 130
    else:
        answer = found._asdict()
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
