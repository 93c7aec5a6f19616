"""Learning from the labels of a running stream, by the library's learning rules and losses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning import Outcome
from spikinggamma.nn import SequenceNet
from spikinggamma.recipes import Recipe, with_values
from spikinggamma.runs import build_learner, build_optimiser
from spikinggamma.runs.build import set_learning_rate
from spikinggamma.seeds import random_stream
from spikinggamma.training.clipped_step import clipped_step
from spikinggamma.training.non_finite import non_finite_error

__all__ = ["LearningOptions", "Teacher"]


class LearningOptions(NamedTuple):
    """Options for learning from a stream.

    Attributes:
        rule: Learning rule, a name in `RULES`; None for that of the run.
        loss: Loss, a name in `LOSSES`; None for that of the run.
        rate: Learning rate; None for a tenth of that of the run, which was for batches.
    """

    rule: str | None = None
    loss: str | None = None
    rate: float | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """Return the recipe with these options in place of its own.

        Raises:
            SpikingGammaError: The rule or the loss is unknown or does not fit the net, or the rate is out of range.
        """
        rate = recipe.learning.learning_rate / 10 if self.rate is None else self.rate
        chosen = {"learning.learning_rate": rate, "learning.rule": self.rule, "learning.loss": self.loss}
        return with_values(recipe, {key: value for key, value in chosen.items() if value is not None})


class Teacher:
    """Takes one optimiser step, or the steps of the rule, for each label.

    The remembered input is run again from rest, like a recording in training, so that the rule uses the current weights, and a
    label may come at any time. The optimiser starts with a new state, as its state in training was for other data.

    Args:
        net: The net that learns.
        recipe: Recipe with the rule, loss, learning rate and bounds.

    Attributes:
        lessons: Number of labels learnt from.
    """

    def __init__(self, net: SequenceNet, recipe: Recipe) -> None:
        self.net = net
        self.recipe = recipe
        self.learner = build_learner(net, recipe)
        self.optimiser = build_optimiser(net, recipe)
        set_learning_rate(self.optimiser, recipe.learning.learning_rate)
        self.lessons = 0

    def teach(self, spikes: Float[Tensor, "T 1 N"], label: int) -> Outcome:
        """Learn that the class of `spikes` is `label`.

        Raises:
            SpikingGammaError: The loss or the gradient is not finite; the net is unchanged by that step.
        """
        fault = partial(
            non_finite_error,
            net=self.net,
            spikes=spikes,
            dt_ms=self.recipe.data.dt_ms,
            when=f"label {self.lessons + 1} of the stream",
            kept="The last checkpoint of the stream is good.",
        )
        self.net.train()
        dropout = random_stream(self.recipe.training.seed, "stream", self.lessons)
        step = partial(self._step, fault)
        outcome = self.learner.learn(spikes, torch.tensor([label]), optimiser_step=step, generator=dropout)
        self.net.eval()
        if not math.isfinite(outcome.loss):
            raise fault(f"loss {outcome.loss}")
        self.lessons += 1
        return outcome

    def _step(self, fault: Callable[[str], SpikingGammaError]) -> None:
        clipped_step(self.net, self.optimiser, self.recipe.learning.clip_norm, fault)
