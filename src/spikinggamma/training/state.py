"""A run at work: the net, what teaches and judges it, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from spikinggamma.events import Splits
from spikinggamma.learning import Learner
from spikinggamma.nn import SpikingNet
from spikinggamma.training.build import build_judge, build_learner, build_net, build_optimiser, calibrate
from spikinggamma.training.checkpoint import Best, load_checkpoint, restore_net
from spikinggamma.training.distributed import ALONE, Crew
from spikinggamma.training.metrics import truncate_rows
from spikinggamma.training.recipe import Recipe
from spikinggamma.training.run import Run
from spikinggamma.training.tracking import Tracker

__all__ = ["State", "fresh_state", "open_state"]


@dataclass
class State:
    """A run at work."""

    run: Run
    splits: Splits
    device: torch.device
    net: SpikingNet
    learner: Learner
    judge: Learner
    optimiser: torch.optim.Optimizer
    done: int
    best: Best
    crew: Crew = ALONE
    tracker: Tracker | None = None

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def kept(self) -> str:
        """What is safe, for error messages."""
        if self.done == 0:
            return f"No epoch was finished before it; {self.run.path} holds the recipe."
        return f"The last good checkpoint is {self.run.last}, of epoch {self.done}."


def fresh_state(
    run: Run, splits: Splits, device: torch.device, crew: Crew = ALONE, *, dtype: torch.dtype = torch.float32
) -> State:
    """A net that has learnt nothing yet; nothing is read or written."""
    recipe = run.recipe
    net = build_net(recipe)
    calibrate(net, recipe, splits.train)
    return _state(run, splits, net.to(device, dtype), device, crew)


def open_state(run: Run, splits: Splits, device: torch.device, crew: Crew = ALONE) -> State:
    """The state as its last checkpoint left it, or a fresh one."""
    recipe = run.recipe
    checkpoint = crew.first(lambda: load_checkpoint(run.last, recipe) if run.last.exists() else None)
    crew.first(lambda: truncate_rows(run.path / "metrics.jsonl", epochs=checkpoint.epoch if checkpoint else 0))
    if checkpoint is None:
        return fresh_state(run, splits, device, crew)
    net = build_net(recipe)
    restore_net(net, checkpoint.net, run.last)
    state = _state(run, splits, net.to(device), device, crew)
    if checkpoint.optimiser is not None:
        state.optimiser.load_state_dict(checkpoint.optimiser)
    state.done, state.best = checkpoint.epoch, checkpoint.best
    return state


def _state(run: Run, splits: Splits, net: SpikingNet, device: torch.device, crew: Crew) -> State:
    crew.align(net.state_dict().values())
    recipe = run.recipe
    learner, judge = build_learner(net, recipe), build_judge(net, recipe, dt_ms=recipe.data.dt_ms)
    return State(run, splits, device, net, learner, judge, build_optimiser(net, recipe), 0, Best(), crew)
