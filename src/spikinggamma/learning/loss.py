"""What a loss is: the judge of one batch of recordings, fed chunk by chunk."""

from __future__ import annotations

import abc
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["Loss", "LossResult", "OneDecision", "checked_classes"]


class LossResult(NamedTuple):
    """A batch judged: mean loss, predicted classes [B] (or [T, B]), how many were right, and of how many."""

    loss: float
    predictions: Int[Tensor, "*T B"]
    correct: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of a verdict


class Loss(abc.ABC):
    """The judge of one batch of recordings, fed chunk by chunk.

    Args:
        targets: Classes [B]; for `each_step` also [T, B] with -1 where unlabelled, or values [T, B, C].
        lengths: Steps that belong to each recording, [B].
        dt_ms: Time step.

    Attributes:
        replay: Whether blame is known only after a first pass.
        count: Of how many decisions the loss is the mean.
    """

    replay: bool = False
    spiking_outputs: bool = False

    def __init__(self, targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float) -> None:
        self.targets = targets
        self.lengths = lengths
        self.dt_ms = dt_ms
        self.count = len(lengths)
        self.total = 0.0

    def valid(self, start: int, steps: int) -> Bool[Tensor, "T B"]:
        """Which of `steps` steps from `start` belong to each recording."""
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return time.unsqueeze(1) < self.lengths

    @abc.abstractmethod
    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Take in a chunk of logits: in the first pass of a replayed loss, else before `blame`."""

    @abc.abstractmethod
    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """δ of a chunk that was observed."""

    @abc.abstractmethod
    def result(self) -> LossResult:
        """The batch judged, once every chunk was observed."""


def checked_classes(targets: Tensor, classes: int) -> Int[Tensor, " B"]:
    if targets.ndim != 1 or targets.is_floating_point():
        raise SpikingGammaError(
            "targets", f"{targets.dtype} {list(targets.shape)}", "one class per recording, int64 [B]"
        )
    if int(targets.min()) < 0 or int(targets.max()) >= classes:
        raise SpikingGammaError(
            "targets", f"{int(targets.min())} .. {int(targets.max())}", f"classes 0 .. {classes - 1}"
        )
    return targets


class OneDecision(Loss):
    """Losses that judge one vector of evidence per recording, z [B, C]."""

    evidence: Tensor | None = None

    def gather(self, logits: Float[Tensor, "T B C"], share: Float[Tensor, "T B"]) -> None:
        gained = (logits * share.unsqueeze(2)).sum(0)
        self.evidence = gained if self.evidence is None else self.evidence + gained

    def gathered(self) -> Float[Tensor, "B C"]:
        """z, of all that was observed."""
        if self.evidence is None:
            raise SpikingGammaError("logits", "none observed", "every chunk of the recording first")
        return self.evidence

    def error(self) -> Float[Tensor, "B C"]:
        """∂ℓ/∂z = (softmax(z) - target) / B."""
        evidence = self.gathered()
        targets = checked_classes(self.targets, evidence.shape[1])
        wanted = torch.nn.functional.one_hot(targets, evidence.shape[1])
        return (evidence.softmax(1) - wanted) / len(targets)

    def result(self) -> LossResult:
        """See `Loss.result`."""
        evidence = self.gathered()
        targets = checked_classes(self.targets, evidence.shape[1])
        loss = float(torch.nn.functional.cross_entropy(evidence, targets))
        predictions = evidence.argmax(1)
        return LossResult(loss, predictions, int((predictions == targets).sum()), len(targets))
