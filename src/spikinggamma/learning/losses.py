"""Losses for real-valued outputs, each with its gradient δ(t) = ∂ℓ/∂x_out(t) at every step.

| loss | definition | gradient known |
| --- | --- | --- |
| `sum` | cross-entropy of the logits averaged over the recording | after a first pass: the recording is replayed |
| `last` | cross-entropy of the logits at the last step | at the last step |
| `each_step` | cross-entropy (or squared error of values) at every labelled step | at that step |
| `running` | cross-entropy of the mean of the logits so far, with larger weights for late steps | at that step |
| `spikemax`, `cumulative` | for spiking outputs and for votes: see `spike_losses` | after a first pass |

Recordings of a batch may differ in length: steps after the end of a recording contribute neither loss nor gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.loss import LOSSES, EvidenceKind, EvidenceLoss, LossResult, OneDecision, checked_classes
from spikinggamma.options import Options

__all__ = ["Last", "Running", "RunningOptions", "Sum"]


@LOSSES.register("sum", summary="Cross-entropy of the outputs averaged over the recording.")
class Sum(OneDecision):
    """ℓ = CE(z), z = Σ_t x(t) / len; δ(t) = ∂ℓ/∂z / len at every step of the recording.

    The gradient is known only after a first pass, so a recording in chunks is replayed.
    """

    replay = True

    def _share(self, start: int, steps: int, like: Tensor) -> Tensor:
        return self.valid(start, steps).to(like) / self.lengths.to(like)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`."""
        self.gather(logits, self._share(start, len(logits), logits))

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        return self._share(start, len(logits), logits).unsqueeze(2) * self.error()


@LOSSES.register("last", summary="Cross-entropy of the outputs at the last step.")
class Last(OneDecision):
    """ℓ = CE(x(len - 1)): cross-entropy of the logits at the last step."""

    evidence_kind = EvidenceKind.NOW

    def _share(self, start: int, steps: int, like: Tensor) -> Tensor:
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return (time.unsqueeze(1) == self.lengths - 1).to(like)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`."""
        self.gather(logits, self._share(start, len(logits), logits))

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        return self._share(start, len(logits), logits).unsqueeze(2) * self.error()


class RunningOptions(Options):
    """Options of the loss `running`."""

    horizon_ms: float = Field(
        default=300.0, gt=0.0, le=1e7, description="elapsed time after which all steps have the same weight [ms]"
    )


@LOSSES.register(
    "running", options=RunningOptions, summary="Cross-entropy of the running mean of the outputs, at every step."
)
class Running(EvidenceLoss):
    """Cross-entropy of the running mean m(t) of the logits, at every step, for streams without an announced end.

        ℓ = Σ_t ω(t) CE(m(t)) / Σ_t ω(t),    ω(t) = min(1, (t + 1) dt / horizon)²

    The gradient is causal: past contributions to m(t) are treated as constants, and all of δ(t) = ω(t) (softmax(m(t)) -
    target) is applied to x(t), not only its share of the mean. Early error signals are noise, since there is no
    evidence yet; hence the weight ω, which starts near zero.

    The arguments are those of `Loss`.
    """

    stepwise = True
    options: RunningOptions

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(targets, lengths, dt_ms, options)
        self._means: Tensor | None = None
        weights = self._weight(0, int(lengths.max())).unsqueeze(1)
        self._norm = (weights * self.valid(0, len(weights))).sum(0) * len(lengths)

    def _weight(self, start: int, steps: int) -> Tensor:
        elapsed = torch.arange(start + 1, start + steps + 1, dtype=torch.float64) * self.dt_ms
        return (elapsed / self.options.horizon_ms).clamp_max(1.0).square().to(self.lengths.device)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`."""
        valid = self.valid(start, len(logits)).to(logits)
        before = torch.zeros_like(logits[0]) if self.evidence is None else self.evidence
        sums = before + (logits * valid.unsqueeze(2)).cumsum(0)
        time = torch.arange(start + 1, start + len(logits) + 1, device=logits.device).to(logits)
        self._means = sums / time.view(-1, 1, 1)
        self.evidence = sums[-1]
        targets = checked_classes(self.targets, logits.shape[2])
        index = targets.view(1, -1, 1).expand(len(logits), -1, 1)
        losses = -self._means.log_softmax(2).gather(2, index).squeeze(2)
        weight = self._weight(start, len(logits)).unsqueeze(1) / self._norm
        self.total += float((losses * weight * valid).sum())

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        if self._means is None:
            raise SpikingGammaError(
                "logits", "none observed", "each chunk to be observed before its gradient is computed"
            )
        wanted = torch.nn.functional.one_hot(self.targets, logits.shape[2])
        weight = (self._weight(start, len(logits)).unsqueeze(1) / self._norm * self.valid(start, len(logits))).to(
            logits
        )
        return (self._means.softmax(2) - wanted) * weight.unsqueeze(2)

    def result(self) -> LossResult:
        """Return the evaluation of the sum of all logits; the loss is the weighted mean over time."""
        return self.decided(self.total)
