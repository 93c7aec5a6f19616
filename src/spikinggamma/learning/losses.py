"""What a net is asked for, and the blame δ(t) = ∂ℓ/∂x_out(t) that follows at every step.

| loss | asks | known when |
| --- | --- | --- |
| `sum` | cross-entropy of the logits averaged over the recording | after a first pass: the recording is replayed |
| `last` | cross-entropy of the logits at the last step | at the last step |
| `each_step` | a class (or a value: squared error) at every labelled step | at that step |
| `running` | cross-entropy of the logits averaged so far, late evidence weighing more | at that step |

Recordings of a batch may differ in length: no step past a recording's end is in the loss or in the blame.
"""

from __future__ import annotations

import abc
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["LOSSES", "EachStep", "Last", "Loss", "Running", "Sum", "Verdict", "make_loss"]


class Verdict(NamedTuple):
    """A batch judged: mean loss, predicted classes [B] (or [T, B]), how many were right, and of how many."""

    loss: float
    predictions: Int[Tensor, "*T B"]
    correct: int
    count: int


class Loss(abc.ABC):
    """The judge of one batch of recordings, fed chunk by chunk.

    Args:
        targets: Classes [B]; for `each_step` also [T, B] with -1 where unlabelled, or values [T, B, C].
        lengths: Steps that belong to each recording, [B].
        dt_ms: Time step.
    """

    replay: bool = False

    def __init__(self, targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float) -> None:
        self.targets = targets
        self.lengths = lengths
        self.dt_ms = dt_ms
        self.total = 0.0

    def valid(self, start: int, steps: int) -> Bool[Tensor, "T B"]:
        """Which of `steps` steps from `start` belong to each recording."""
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return time.unsqueeze(1) < self.lengths

    @abc.abstractmethod
    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Take in a chunk of logits: in the first pass of a replayed loss, else before `blame`."""

    @abc.abstractmethod
    def blame(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """δ of a chunk that was observed."""

    @abc.abstractmethod
    def verdict(self) -> Verdict:
        """The batch judged, once every chunk was observed."""


def _classes(targets: Tensor, classes: int) -> Int[Tensor, " B"]:
    if targets.ndim != 1 or targets.is_floating_point():
        raise SpikingGammaError(
            "targets", f"{targets.dtype} {list(targets.shape)}", "one class per recording, int64 [B]"
        )
    if int(targets.min()) < 0 or int(targets.max()) >= classes:
        raise SpikingGammaError(
            "targets", f"{int(targets.min())} .. {int(targets.max())}", f"classes 0 .. {classes - 1}"
        )
    return targets


class _OneDecision(Loss):
    """Losses that judge one vector of evidence per recording, z [B, C]."""

    evidence: Tensor | None = None

    def gather(self, logits: Float[Tensor, "T B C"], share: Float[Tensor, "T B"]) -> None:
        gained = (logits * share.unsqueeze(2)).sum(0)
        self.evidence = gained if self.evidence is None else self.evidence + gained

    def error(self) -> Float[Tensor, "B C"]:
        """∂ℓ/∂z = (softmax(z) - target) / B."""
        if self.evidence is None:
            raise SpikingGammaError("logits", "none observed", "every chunk, before blame is asked for")
        targets = _classes(self.targets, self.evidence.shape[1])
        wanted = torch.nn.functional.one_hot(targets, self.evidence.shape[1])
        return (self.evidence.softmax(1) - wanted) / len(targets)

    def verdict(self) -> Verdict:
        """See `Loss.verdict`."""
        if self.evidence is None:
            raise SpikingGammaError("logits", "none observed", "every chunk of the recording")
        targets = _classes(self.targets, self.evidence.shape[1])
        loss = float(torch.nn.functional.cross_entropy(self.evidence, targets))
        predictions = self.evidence.argmax(1)
        return Verdict(loss, predictions, int((predictions == targets).sum()), len(targets))


class Sum(_OneDecision):
    """ℓ = CE(z), z = Σ_t x(t) / len; δ(t) = ∂ℓ/∂z / len at every step of the recording."""

    replay = True

    def _share(self, start: int, steps: int, like: Tensor) -> Tensor:
        return self.valid(start, steps).to(like) / self.lengths.to(like)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """See `Loss.observe`."""
        self.gather(logits, self._share(start, len(logits), logits))

    def blame(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """See `Loss.blame`."""
        return self._share(start, len(logits), logits).unsqueeze(2) * self.error()


class Last(_OneDecision):
    """ℓ = CE(x(len - 1)): a label only at the end."""

    def _share(self, start: int, steps: int, like: Tensor) -> Tensor:
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return (time.unsqueeze(1) == self.lengths - 1).to(like)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """See `Loss.observe`."""
        self.gather(logits, self._share(start, len(logits), logits))

    def blame(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """See `Loss.blame`."""
        return self._share(start, len(logits), logits).unsqueeze(2) * self.error()


class EachStep(Loss):
    """ℓ = mean over labelled steps of CE(x(t), target(t)), or of half the squared error for real-valued targets."""

    def __init__(self, targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float) -> None:
        super().__init__(targets, lengths, dt_ms)
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
        if targets.ndim == 2:
            self.count = int((self.valid(0, len(targets)) & (targets >= 0)).sum())
        if self.count == 0:
            raise SpikingGammaError("targets", "no labelled step", "at least one labelled step in the batch")
        self.right = 0
        self.decisions: list[Tensor] = []

    def _wanted(self, start: int, steps: int) -> tuple[Tensor, Tensor]:
        """Targets of a chunk, and which of its steps are labelled."""
        valid = self.valid(start, steps)
        if self.targets.ndim == 1:
            return self.targets.expand(steps, -1), valid
        chunk = self.targets[start : start + steps]
        return chunk, valid if self.regression else valid & (chunk >= 0)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """See `Loss.observe`."""
        classes = logits.shape[2]
        if self.regression and self.targets.shape[2] != classes:
            raise SpikingGammaError("targets", list(self.targets.shape), f"[T, B, {classes}], as many values as logits")
        if not self.regression and int(self.targets.max()) >= classes:
            raise SpikingGammaError("targets", int(self.targets.max()), f"classes 0 .. {classes - 1}")
        wanted, labelled = self._wanted(start, len(logits))
        self.decisions.append(logits.argmax(2))
        if self.regression:
            self.total += float((0.5 * (logits - wanted).square().sum(2) * labelled).sum()) / self.count
            return
        losses = -logits.log_softmax(2).gather(2, wanted.clamp_min(0).unsqueeze(2)).squeeze(2)
        self.total += float((losses * labelled).sum()) / self.count
        self.right += int(((self.decisions[-1] == wanted) & labelled).sum())

    def blame(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """See `Loss.blame`."""
        wanted, labelled = self._wanted(start, len(logits))
        if self.regression:
            return (logits - wanted) * labelled.unsqueeze(2) / self.count
        error = logits.softmax(2) - torch.nn.functional.one_hot(wanted.clamp_min(0), logits.shape[2])
        return error * labelled.unsqueeze(2) / self.count

    def verdict(self) -> Verdict:
        """See `Loss.verdict`."""
        return Verdict(self.total, torch.cat(self.decisions), self.right, self.count)


class Running(_OneDecision):
    """Cross-entropy of the running mean m(t) of the logits, at every step, for streams without an announced end.

        ℓ = Σ_t ω(t) CE(m(t)) / Σ_t ω(t),    ω(t) = min(1, (t + 1) dt / horizon)²

    Blame is causal: what the past added to m(t) is taken as given, and δ(t) = ω(t) (softmax(m(t)) - target) falls on x(t)
    whole, not by its share of the mean. Blame before the evidence is noise, hence the weight ω, which starts at zero.
    """

    horizon_ms: float = 300.0

    def __init__(self, targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float) -> None:
        super().__init__(targets, lengths, dt_ms)
        self._means: Tensor | None = None
        weights = self._weight(0, int(lengths.max())).unsqueeze(1)
        self._norm = (weights * self.valid(0, len(weights))).sum(0) * len(lengths)

    def _weight(self, start: int, steps: int) -> Tensor:
        elapsed = torch.arange(start + 1, start + steps + 1, dtype=torch.float64) * self.dt_ms
        return (elapsed / self.horizon_ms).clamp_max(1.0).square().to(self.lengths.device)

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """See `Loss.observe`."""
        valid = self.valid(start, len(logits)).to(logits)
        before = torch.zeros_like(logits[0]) if self.evidence is None else self.evidence
        sums = before + (logits * valid.unsqueeze(2)).cumsum(0)
        time = torch.arange(start + 1, start + len(logits) + 1, device=logits.device).to(logits)
        self._means = sums / time.view(-1, 1, 1)
        self.evidence = sums[-1]
        targets = _classes(self.targets, logits.shape[2])
        index = targets.view(1, -1, 1).expand(len(logits), -1, 1)
        losses = -self._means.log_softmax(2).gather(2, index).squeeze(2)
        weight = self._weight(start, len(logits)).unsqueeze(1) / self._norm
        self.total += float((losses * weight * valid).sum())

    def blame(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """See `Loss.blame`."""
        if self._means is None:
            raise SpikingGammaError("logits", "none observed", "each chunk, before its blame is asked for")
        wanted = torch.nn.functional.one_hot(self.targets, logits.shape[2])
        weight = (self._weight(start, len(logits)).unsqueeze(1) / self._norm * self.valid(start, len(logits))).to(
            logits
        )
        return (self._means.softmax(2) - wanted) * weight.unsqueeze(2)

    def verdict(self) -> Verdict:
        """Judges the sum of all logits; the loss is the weighted mean over time."""
        return super().verdict()._replace(loss=self.total)


LOSSES: dict[str, type[Loss]] = {"sum": Sum, "last": Last, "each_step": EachStep, "running": Running}


def make_loss(name: str, targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float) -> Loss:
    """The judge of a batch by its name in `LOSSES`."""
    if name not in LOSSES:
        raise SpikingGammaError("loss", repr(name), f"one of {', '.join(LOSSES)}")
    return LOSSES[name](targets, lengths, dt_ms)
