"""The prediction so far, computed from the logits chunk by chunk in the way of the loss that the net was trained with.

| loss | evidence |
| --- | --- |
| `sum`, `running` | the mean of the logits since the segment began |
| `cumulative` | the mean of the votes, a softmax of the logits at each step |
| `spikemax` | the share of each class in all output spikes |
| `last`, `each_step` | the current logits |

With a time constant τ, evidence decays by e^(-age / τ), for streams without segments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning import LOSSES, Answer, EvidenceKind

__all__ = ["Evidence", "Readout"]


class Evidence(NamedTuple):
    """Evidence so far: the weighted sum of logits, votes or spikes, and the sum of the weights."""

    total: Float[Tensor, " C"]
    weight: float


class Readout:
    """Computes the probabilities of classes from logits, as this module describes.

    Args:
        loss: A name in `LOSSES`.
        dt_ms: Time step.
        forget_ms: Time constant τ of the evidence; None for no decay within a segment.
        values: Whether the outputs are numbers, or classes of which several may hold, each said by itself.

    Example:
        >>> readout = Readout("sum", dt_ms=4.0)
        >>> found = readout.gather(readout.nothing(2), torch.tensor([[0.0, 1.0], [0.0, 3.0]]))
        >>> readout.shares(found).argmax()
        tensor(1)
    """

    def __init__(self, loss: str, *, dt_ms: float, forget_ms: float | None = None, values: bool = False) -> None:
        judge = LOSSES.find(loss, argument="loss").target
        if forget_ms is not None and not 0.0 < forget_ms < math.inf:
            raise SpikingGammaError("--forget-ms", forget_ms, "a time above 0 [ms]")
        self.loss = loss
        self.values = values
        self._answer = judge.answer
        self._kind = judge.evidence_kind
        self._kept = 1.0 if forget_ms is None else math.exp(-dt_ms / forget_ms)

    def nothing(self, classes: int) -> Evidence:
        """Return the evidence before the first step."""
        return Evidence(torch.zeros(classes, dtype=torch.float64), 0.0)

    def gather(self, before: Evidence, logits: Float[Tensor, "T C"]) -> Evidence:
        """Return the evidence after a chunk."""
        heard = logits.double()
        if self._kind is EvidenceKind.NOW:
            return Evidence(heard[-1], 1.0)
        if self._kind is EvidenceKind.VOTES:
            heard = heard.softmax(1)
        steps = len(heard)
        weights = torch.full((steps,), self._kept, dtype=torch.float64).pow(torch.arange(steps - 1, -1, -1))
        old = self._kept**steps
        return Evidence(old * before.total + weights @ heard, old * before.weight + float(weights.sum()))

    def said(self, found: Evidence) -> Float[Tensor, " C"]:
        """Return each output's value, or the probability of each label or the share of each class, [C]."""
        mean = found.total / max(found.weight, 1e-300)
        if self._answer is Answer.LABELS:
            return mean.sigmoid()
        return mean.softmax(0) if self._answer is Answer.SHARES else mean

    def shares(self, found: Evidence) -> Float[Tensor, " C"]:
        """Return the probability of each class [C]."""
        mean = found.total / max(found.weight, 1e-300)
        if self._kind is EvidenceKind.VOTES:
            return mean
        if self._kind is EvidenceKind.SPIKES:
            counts = found.total.clamp_min(1.0)
            return counts / counts.sum()
        return mean.softmax(0)
