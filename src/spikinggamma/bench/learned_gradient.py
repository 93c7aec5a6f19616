"""The gradient that a learning rule computes on a problem."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from spikinggamma.bench.oracles import Gradient, mask_generator
from spikinggamma.bench.problems import DT_MS, Case, Problem
from spikinggamma.learning import Learner
from spikinggamma.nn import SurrogateNet

__all__ = ["ChainProblem", "learned_gradient"]


class ChainProblem(NamedTuple):
    """A chain of surrogate-gradient neurons and a batch of recordings, with a description for every row.

    Attributes:
        net: The net whose parameters receive the gradients.
        spikes: [T, B, N].
        labels: [B].
        lengths: [B].
        words: Description: layer kind, depth, input, code, rectification, dropout, dtype, neuron, recurrence, read-out.
    """

    net: SurrogateNet
    spikes: Tensor
    labels: Tensor
    lengths: Tensor
    words: dict[str, Any]


def learned_gradient(
    problem: Problem | ChainProblem, ask: Case, rule: str, *, chunk: int | None, **options: Any
) -> Gradient:
    """Return the gradient that a rule computes for a new net.

    Args:
        problem: The net and the batch.
        ask: The loss and the targets.
        rule: Name of the rule.
        chunk: Number of steps processed at once; None for whole recordings.
        **options: Options of the rule.
    """
    net, spikes = problem.net, problem.spikes
    net.zero_grad()
    learner = Learner(net, rule=rule, loss=ask.loss, dt_ms=DT_MS, activity_cost=ask.activity_cost, **options)
    source = spikes if chunk is None else lambda: torch.split(spikes, chunk)
    learner.learn(source, ask.targets, problem.lengths, generator=mask_generator())
    zeros = torch.zeros_like
    return {name: zeros(p) if p.grad is None else p.grad.clone() for name, p in net.named_parameters()}
