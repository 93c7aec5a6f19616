"""Losses of answers that are no class: values of a recording, several labels, and shares of classes.

| loss | asks | targets [B, C] |
| --- | --- | --- |
| `values` | half the squared error of the outputs averaged over the recording | numbers |
| `last_values` | half the squared error of the outputs at the last step | numbers |
| `multi_label` | cross-entropy of each output by itself, averaged over the recording | 1 where it has the label, 0 where not |
| `soft_label` | cross-entropy with shares of the classes, of the outputs averaged over the recording | shares that sum to 1 |

Targets that are not known are NaN: they are in neither loss nor gradient. Of `soft_label`, a recording is known or not.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.loss import LOSSES, Answer, EvidenceKind, Loss, LossResult
from spikinggamma.options import Options

__all__ = ["LastValues", "MultiLabel", "SoftLabel", "Values"]

_SUM_TOLERANCE = 1e-4


class _Whole(Loss):
    """Losses of one vector of numbers for each recording, z [B, C]: the outputs averaged over it."""

    replay = True

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(targets, lengths, dt_ms, options)
        if targets.ndim != 2 or not targets.is_floating_point() or len(targets) != len(lengths):
            found = f"{targets.dtype} {list(targets.shape)}"
            raise SpikingGammaError("targets", found, f"numbers [{len(lengths)}, C], NaN where they are not known")
        self.known: Bool[Tensor, "B C"] = ~targets.isnan()
        self.wanted: Float[Tensor, "B C"] = targets.nan_to_num()
        self.count = int(self.known.any(1).sum())
        self.evidence: Tensor | None = None

    def share(self, start: int, steps: int, like: Tensor) -> Float[Tensor, "T B"]:
        """Return what each step counts in z."""
        return self.valid(start, steps).to(like) / self.lengths.to(like)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """See `Loss.observe`."""
        if logits.shape[2] != self.targets.shape[1]:
            expected = f"[B, {logits.shape[2]}], as many as outputs"
            raise SpikingGammaError("targets", list(self.targets.shape), expected)
        gained = (logits * self.share(start, len(logits), logits).unsqueeze(2)).sum(0)
        self.evidence = gained if self.evidence is None else self.evidence + gained

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """See `Loss.gradient`."""
        error = self.error(self.gathered()) * self.known / max(self.count, 1)
        return self.share(start, len(logits), logits).unsqueeze(2) * error

    def gathered(self) -> Float[Tensor, "B C"]:
        """Return z, of all that was observed."""
        if self.evidence is None:
            raise SpikingGammaError("logits", "none observed", "every chunk of the recording first")
        return self.evidence

    def mean(self, losses: Float[Tensor, "B C"]) -> float:
        """Return the sum over known targets, averaged over the recordings that have some."""
        return float(torch.where(self.known, losses, 0.0).sum()) / max(self.count, 1)

    @abc.abstractmethod
    def error(self, evidence: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        """Return the derivative of a recording's loss by z."""


@LOSSES.register("values", summary="Half the squared error of the outputs averaged over the recording.")
class Values(_Whole):
    """ℓ = mean over recordings of Σ_c (z_c - target_c)² / 2, z = Σ_t x(t) / len."""

    answer = Answer.VALUES

    def error(self, evidence: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        """See `_Whole.error`."""
        return evidence - self.wanted.to(evidence)

    def result(self) -> LossResult:
        """See `Loss.result`."""
        evidence = self.gathered()
        return LossResult(self.mean(0.5 * self.error(evidence).square()), evidence, None, self.count)


@LOSSES.register("last_values", summary="Half the squared error of the outputs at the last step.")
class LastValues(Values):
    """ℓ = mean over recordings of Σ_c (x_c(len - 1) - target_c)² / 2: values at the end."""

    evidence_kind = EvidenceKind.NOW
    replay = False

    def share(self, start: int, steps: int, like: Tensor) -> Float[Tensor, "T B"]:
        """See `_Whole.share`."""
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return (time.unsqueeze(1) == self.lengths - 1).to(like)


class _Shares(_Whole):
    """Losses whose targets are from 0 to 1."""

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(targets, lengths, dt_ms, options)
        low, high = float(self.wanted.min()), float(self.wanted.max())
        if low < 0.0 or high > 1.0:
            raise SpikingGammaError("targets", f"{low:.4g} to {high:.4g}", "numbers from 0 to 1")


@LOSSES.register("multi_label", summary="Cross-entropy of each class by itself, where a recording may have several.")
class MultiLabel(_Shares):
    """ℓ = mean over recordings of -Σ_c [y_c log σ(z_c) + (1 - y_c) log(1 - σ(z_c))], y from 0 to 1."""

    answer = Answer.LABELS

    def error(self, evidence: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        """See `_Whole.error`."""
        return evidence.sigmoid() - self.wanted.to(evidence)

    def result(self) -> LossResult:
        """Predicts the probability of each class; right is one on the same side of 1/2 as its target."""
        evidence = self.gathered()
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            evidence, self.wanted.to(evidence), reduction="none"
        )
        right = ((evidence > 0.0) == (self.wanted > 0.5)) & self.known
        all_right = (right | ~self.known).all(1) & self.known.any(1)
        return LossResult(self.mean(losses), evidence.sigmoid(), int(all_right.sum()), self.count)


@LOSSES.register("soft_label", summary="Cross-entropy with shares of the classes, as of several annotators.")
class SoftLabel(_Shares):
    """ℓ = mean over recordings of -Σ_c y_c log softmax(z)_c, with shares y that sum to 1."""

    answer = Answer.SHARES

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(targets, lengths, dt_ms, options)
        whole = self.known.all(1)
        self.known = whole.unsqueeze(1).expand_as(self.known)
        self.count = int(whole.sum())
        sums = self.wanted[whole].sum(1)
        if not torch.allclose(sums, torch.ones_like(sums), atol=_SUM_TOLERANCE):
            worst = int((sums - 1.0).abs().argmax())
            raise SpikingGammaError("targets", f"shares that sum to {float(sums[worst]):.4g}", "shares that sum to 1")

    def error(self, evidence: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        """See `_Whole.error`."""
        return evidence.softmax(1) - self.wanted.to(evidence)

    def result(self) -> LossResult:
        """Predicts the share of each class; right is one whose largest share is of the class with the largest target."""
        evidence = self.gathered()
        losses = -self.wanted.to(evidence) * evidence.log_softmax(1)
        right = (evidence.argmax(1) == self.wanted.argmax(1)) & self.known[:, 0]
        return LossResult(self.mean(losses), evidence.softmax(1), int(right.sum()), self.count)
