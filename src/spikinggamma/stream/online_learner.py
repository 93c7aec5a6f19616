"""Learning while the stream goes on: a label, and what it is about, through the library's rules and losses."""

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
    """How to learn.

    Attributes:
        rule: A name in `RULES`; None: the run's own.
        loss: A name in `LOSSES`; None: the run's own.
        rate: Step size of the optimiser; None: a tenth of the run's own, which was for batches.
    """

    rule: str | None = None
    loss: str | None = None
    rate: float | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe with these in the place of its own.

        Raises:
            SpikingGammaError: No such rule or loss, one that does not suit the net, or a rate out of range.
        """
        rate = recipe.learning.learning_rate / 10 if self.rate is None else self.rate
        chosen = {"learning.learning_rate": rate, "learning.rule": self.rule, "learning.loss": self.loss}
        return with_values(recipe, {key: value for key, value in chosen.items() if value is not None})


class Teacher:
    """Takes one step of the optimiser, or those of the rule, for each label.

    What was heard is heard again from rest, as recordings are in training, so a rule sees the weights as they are now, and a
    label may come at any time. The optimiser begins afresh: its memory of the training was for other data.

    Args:
        net: The net that learns.
        recipe: With the rule, loss, rate and bounds to learn by.

    Attributes:
        lessons: Labels learnt from.
    """

    def __init__(self, net: SequenceNet, recipe: Recipe) -> None:
        self.net = net
        self.recipe = recipe
        self.learner = build_learner(net, recipe)
        self.optimiser = build_optimiser(net, recipe)
        set_learning_rate(self.optimiser, recipe.learning.learning_rate)
        self.lessons = 0

    def teach(self, spikes: Float[Tensor, "T 1 N"], label: int) -> Outcome:
        """Learn that this was `label`.

        Raises:
            SpikingGammaError: The loss or the gradient is not a finite number; the net is as it was before that step.
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
