"""The state of a run in training: the net, its learner and evaluator, and the progress."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from spikinggamma.distributed import ALONE, ProcessGroup
from spikinggamma.events import Splits
from spikinggamma.learning import Evaluator, Learner
from spikinggamma.nn import SequenceNet
from spikinggamma.recipes.schema import Recipe
from spikinggamma.runs.build import build_evaluator, build_learner, build_net, build_optimiser, calibrate
from spikinggamma.runs.checkpoint import Best, load_checkpoint, restore_net
from spikinggamma.runs.metrics import truncate_rows
from spikinggamma.runs.run import Run
from spikinggamma.training.tensorboard_files import Tracker

__all__ = ["State", "fresh_state", "open_state"]


@dataclass
class State:
    """The state of a run in training."""

    run: Run
    splits: Splits
    device: torch.device
    net: SequenceNet
    learner: Learner
    evaluator: Evaluator
    optimiser: torch.optim.Optimizer
    done: int
    best: Best
    processes: ProcessGroup = ALONE
    tracker: Tracker | None = None

    @property
    def recipe(self) -> Recipe:
        """Return the recipe of the run."""
        return self.run.recipe

    @property
    def kept(self) -> str:
        """Return a sentence about what is still valid, for error messages."""
        if self.done == 0:
            return f"No epoch was finished before; {self.run.path} holds the recipe."
        return f"The last good checkpoint is {self.run.last}, of epoch {self.done}."


def fresh_state(
    run: Run,
    splits: Splits,
    device: torch.device,
    processes: ProcessGroup = ALONE,
    *,
    dtype: torch.dtype = torch.float32,
) -> State:
    """Return the state of an untrained net; no file is read or written.

    Args:
        run: The run.
        splits: Its recordings.
        device: Device of the net.
        processes: The processes that train the run together.
        dtype: Type of the parameters.
    """
    recipe = run.recipe
    net = build_net(recipe)
    calibrate(net, recipe, splits.train)
    return _state(run, splits, net.to(device, dtype), device, processes)


def open_state(run: Run, splits: Splits, device: torch.device, processes: ProcessGroup = ALONE) -> State:
    """Return the state in the last checkpoint, or that of an untrained net.

    Args:
        run: The run.
        splits: Its recordings.
        device: Device of the net.
        processes: The processes that train the run together.
    """
    recipe = run.recipe
    checkpoint = processes.first(lambda: load_checkpoint(run.last, recipe) if run.last.exists() else None)
    processes.first(lambda: truncate_rows(run.path / "metrics.jsonl", epochs=checkpoint.epoch if checkpoint else 0))
    if checkpoint is None:
        return fresh_state(run, splits, device, processes)
    net = build_net(recipe)
    restore_net(net, checkpoint.net, run.last)
    state = _state(run, splits, net.to(device), device, processes)
    if checkpoint.optimiser is not None:
        state.optimiser.load_state_dict(checkpoint.optimiser)
    state.done, state.best = checkpoint.epoch, checkpoint.best
    return state


def _state(run: Run, splits: Splits, net: SequenceNet, device: torch.device, processes: ProcessGroup) -> State:
    processes.align(net.state_dict().values())
    recipe = run.recipe
    learner, evaluator = build_learner(net, recipe), build_evaluator(net, recipe, dt_ms=recipe.data.dt_ms)
    return State(run, splits, device, net, learner, evaluator, build_optimiser(net, recipe), 0, Best(), processes)
