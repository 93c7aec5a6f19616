"""The loss `each_step`: a target at every step, either a class at labelled steps or values to follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.loss import LOSSES, Answer, EvidenceKind, Loss, LossResult
from spikinggamma.options import Options

__all__ = ["EachStep"]


@LOSSES.register("each_step", summary="Cross-entropy at every labelled step, or squared error for values.")
class EachStep(Loss):
    """Mean over labelled steps of the cross-entropy, or of half the squared error for real-valued targets.

        ℓ = mean_t CE(x(t), target(t))    or    ℓ = mean_t ½ |x(t) - target(t)|²

    Targets are classes [B], classes by step [T, B] with -1 where there is no label, or values [T, B, C] with NaN where
    they are missing; a step without any value has no label.

    The arguments are those of `Loss`.

    Raises:
        SpikingGammaError: The shape or the range of the targets does not fit.
    """

    answer = Answer.CLASS_OR_VALUES_BY_STEP
    evidence_kind = EvidenceKind.NOW
    stepwise = True

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(targets, lengths, dt_ms, options)
        self.regression = targets.is_floating_point()
        batch, longest = len(lengths), int(lengths.max())
        axes = (3,) if self.regression else (1, 2)
        of_batch = targets.ndim in axes and targets.shape[min(1, targets.ndim - 1)] == batch
        if not of_batch or (targets.ndim > 1 and len(targets) < longest):
            raise SpikingGammaError(
                "targets",
                f"{targets.dtype} {list(targets.shape)}",
                f"classes [{batch}] or [T, {batch}], or real values [T, {batch}, C], for T = {longest} steps or more",
            )
        if not self.regression and int(targets.min()) < (0 if targets.ndim == 1 else -1):
            raise SpikingGammaError("targets", int(targets.min()), "classes from 0, or -1 at a step without a label")
        self.count = int(lengths.sum())
        if self.regression:
            self._known = ~targets.isnan()
            self.count = int((self.valid(0, len(targets)) & self._known.any(2)).sum())
        if targets.ndim == 2:
            self.count = int((self.valid(0, len(targets)) & (targets >= 0)).sum())
        self.right = 0
        self.decisions: list[Tensor] = []

    @property
    def _divisor(self) -> int:
        # A shard of a batch may have no label at all: its loss is zero, and so is its gradient.
        return max(self.count, 1)

    def _wanted(self, start: int, steps: int) -> tuple[Tensor, Tensor]:
        """Return the targets of a chunk, and a mask of its labelled steps."""
        valid = self.valid(start, steps)
        if self.targets.ndim == 1:
            return self.targets.expand(steps, -1), valid
        chunk = self.targets[start : start + steps]
        return chunk, valid if self.regression else valid & (chunk >= 0)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`."""
        classes = logits.shape[2]
        if self.regression and self.targets.shape[2] != classes:
            raise SpikingGammaError("targets", list(self.targets.shape), f"[T, B, {classes}], as many values as logits")
        if not self.regression and int(self.targets.max()) >= classes:
            raise SpikingGammaError("targets", int(self.targets.max()), f"classes 0 .. {classes - 1}")
        wanted, labelled = self._wanted(start, len(logits))
        if self.regression:
            self.decisions.append(logits)
            self.total += float(0.5 * self._error(logits, wanted, labelled, start).square().sum()) / self._divisor
            return
        self.decisions.append(logits.argmax(2))
        losses = -logits.log_softmax(2).gather(2, wanted.clamp_min(0).unsqueeze(2)).squeeze(2)
        self.total += float((losses * labelled).sum()) / self._divisor
        self.right += int(((self.decisions[-1] == wanted) & labelled).sum())

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        wanted, labelled = self._wanted(start, len(logits))
        if self.regression:
            return self._error(logits, wanted, labelled, start) / self._divisor
        error = logits.softmax(2) - torch.nn.functional.one_hot(wanted.clamp_min(0), logits.shape[2])
        return error * labelled.unsqueeze(2) / self._divisor

    def _error(self, logits: Tensor, wanted: Tensor, labelled: Tensor, start: int) -> Float[Tensor, "T B C"]:
        known = self._known[start : start + len(logits)] & labelled.unsqueeze(2)
        return torch.where(known, logits - wanted.to(logits), 0.0)

    def result(self) -> LossResult:
        """Return the evaluation of the batch; see `Loss.result`."""
        right = None if self.regression else self.right
        return LossResult(self.total, torch.cat(self.decisions), right, self.count)
