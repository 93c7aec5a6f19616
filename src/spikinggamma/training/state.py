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

__all__ = ["State", "open_state"]


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

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def kept(self) -> str:
        """What is safe, for error messages."""
        if self.done == 0:
            return f"No epoch was finished before it; {self.run.path} holds the recipe."
        return f"The last good checkpoint is {self.run.last}, of epoch {self.done}."


def open_state(run: Run, splits: Splits, device: torch.device, crew: Crew = ALONE) -> State:
    """The state as its last checkpoint left it, or a fresh one."""
    recipe = run.recipe
    net = build_net(recipe)
    checkpoint = crew.first(lambda: load_checkpoint(run.last, recipe) if run.last.exists() else None)
    if checkpoint is None:
        calibrate(net, recipe, splits.train)
    else:
        restore_net(net, checkpoint.net, run.last)
    net.to(device)
    crew.align(net.state_dict().values())
    optimiser = build_optimiser(net, recipe)
    if checkpoint is not None and checkpoint.optimiser is not None:
        optimiser.load_state_dict(checkpoint.optimiser)
    done = checkpoint.epoch if checkpoint else 0
    crew.first(lambda: truncate_rows(run.path / "metrics.jsonl", epochs=done))
    best = checkpoint.best if checkpoint else Best()
    learner, judge = build_learner(net, recipe), build_judge(net, recipe, dt_ms=recipe.data.dt_ms)
    return State(run, splits, device, net, learner, judge, optimiser, done, best, crew)
