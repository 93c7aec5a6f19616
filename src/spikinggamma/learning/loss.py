"""The interface of losses: a loss evaluates one batch of recordings, chunk by chunk."""

from __future__ import annotations

import abc
import enum
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = [
    "LOSSES",
    "Answer",
    "EvidenceKind",
    "EvidenceLoss",
    "Loss",
    "LossResult",
    "OneDecision",
    "checked_classes",
    "judging_loss",
    "make_loss",
]


class Answer(enum.Enum):
    """The kind of targets that a loss compares with the outputs of a net."""

    CLASS = "one class for each recording"
    CLASS_OR_VALUES_BY_STEP = "a class or values at each step, or one class for each recording"
    VALUES = "values of each recording"
    LABELS = "several classes for each recording, or none"
    SHARES = "a share of each class for each recording"


class EvidenceKind(enum.Enum):
    """The quantity computed from a net's outputs that decides between classes."""

    MEAN = "the mean of the outputs so far"
    NOW = "the outputs at the last step so far"
    VOTES = "the mean of the votes so far, a softmax of the outputs at each step"
    SPIKES = "the spikes of each output neuron so far"


class LossResult(NamedTuple):
    """The evaluation of a batch.

    Attributes:
        loss: Mean loss.
        predictions: Predicted classes, [B] or [T, B], or numbers, [B, C] or [T, B, C].
        correct: Number of correct decisions; None for values, which are not right or wrong.
        count: Number of decisions, or of rows of values.
    """

    loss: float
    predictions: Int[Tensor, "*T B"] | Float[Tensor, "*T B C"]
    correct: int | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which is not needed here


class Loss(abc.ABC):
    """Base class of losses, which evaluate one batch of recordings, chunk by chunk.

    A loss is a subclass in a file of its own, registered in `LOSSES`.

    Args:
        targets: Classes [B]; for `each_step` also [T, B] with -1 where there is no label, or values [T, B, C].
        lengths: Number of steps of each recording, [B].
        dt_ms: Time step in ms.
        options: Options of the loss, or values by name; missing values have their defaults.

    Attributes:
        answer: Kind of targets that it takes.
        evidence_kind: Quantity that decides between classes; predictions in a stream use it.
        spiking_outputs: Whether it takes the spikes of output neurons instead of the membrane of a read-out.
        replay: Whether the gradient is known only after a first pass.
        stepwise: Whether its error signal at every step depends on no later step.
        count: Number of decisions that the loss is the mean over.

    Raises:
        SpikingGammaError: An option is unknown or out of range.
    """

    answer: ClassVar[Answer] = Answer.CLASS
    evidence_kind: ClassVar[EvidenceKind] = EvidenceKind.MEAN
    spiking_outputs: ClassVar[bool] = False
    replay: ClassVar[bool] = False
    stepwise: ClassVar[bool] = False
    options: Any

    def __init__(
        self,
        targets: Tensor,
        lengths: Int[Tensor, " B"],
        dt_ms: float,
        options: Options | Mapping[str, Any] | None = None,
    ) -> None:
        self.targets = targets
        self.lengths = lengths
        self.dt_ms = dt_ms
        name = LOSSES.name_of(type(self))
        self.options = LOSSES[name].make_options(options, argument="loss") if name else options
        self.count = len(lengths)
        self.total = 0.0

    def valid(self, start: int, steps: int) -> Bool[Tensor, "T B"]:
        """Return a mask of the steps, from `start` on, that belong to each recording, [T, B]."""
        time = torch.arange(start, start + steps, device=self.lengths.device)
        return time.unsqueeze(1) < self.lengths

    @abc.abstractmethod
    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits, [T, B, C]; in the first pass if `replay`, else before `gradient`.

        Args:
            logits: Outputs of the net.
            start: Index of the first step of the chunk.
        """

    @abc.abstractmethod
    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal δ = ∂ℓ/∂logits of a chunk that was observed, [T, B, C].

        Args:
            logits: Outputs of the net.
            start: Index of the first step of the chunk.
        """

    @abc.abstractmethod
    def result(self) -> LossResult:
        """Return the evaluation of the batch, after every chunk was observed."""


LOSSES: Registry[type[Loss]] = Registry("loss", "losses")


def make_loss(
    name: str,
    targets: Tensor,
    lengths: Int[Tensor, " B"],
    dt_ms: float,
    options: Options | Mapping[str, Any] | None = None,
) -> Loss:
    """Return the loss of a batch by its name in `LOSSES`.

    Args:
        name: Name of the loss.
        targets: Classes [B], or targets by step if the loss takes them.
        lengths: Number of steps of each recording, [B].
        dt_ms: Time step in ms.
        options: Options of the loss, or values by name; missing values have their defaults.

    Raises:
        SpikingGammaError: The loss is unknown, or an option is unknown or out of range.

    Example:
        >>> make_loss("running", torch.tensor([0]), torch.tensor([9]), 1.0, {"horizon_ms": 200.0}).options.horizon_ms
        200.0
    """
    return LOSSES.find(name, argument="loss").target(targets, lengths, dt_ms, options)


def judging_loss(name: str, *, step_labels: bool) -> str:
    """Return the name of the loss that evaluates recordings after training with `name`.

    A net trained at each step is evaluated by its summed outputs if a recording has one label.

    Example:
        >>> judging_loss("each_step", step_labels=False), judging_loss("last", step_labels=False)
        ('sum', 'last')
    """
    by_step = LOSSES.find(name, argument="loss").target.answer is Answer.CLASS_OR_VALUES_BY_STEP
    return "sum" if by_step and not step_labels else name


def checked_classes(targets: Tensor, classes: int) -> Int[Tensor, " B"]:
    """Return `targets` if they are one class per recording, within `classes`.

    Raises:
        SpikingGammaError: They have another shape or type, or a class is out of range.
    """
    if targets.ndim != 1 or targets.is_floating_point():
        raise SpikingGammaError(
            "targets", f"{targets.dtype} {list(targets.shape)}", "one class per recording, int64 [B]"
        )
    if int(targets.min()) < 0 or int(targets.max()) >= classes:
        raise SpikingGammaError(
            "targets", f"{int(targets.min())} .. {int(targets.max())}", f"classes 0 .. {classes - 1}"
        )
    return targets


class EvidenceLoss(Loss):
    """Base class of losses that decide once per recording, by a vector of evidence z [B, C]."""

    evidence: Tensor | None = None

    def gather(self, logits: Float[Tensor, "T B C"], share: Float[Tensor, "T B"]) -> None:
        """Add the sum over time of the logits [T, B, C] times `share` [T, B] to the evidence."""
        gained = (logits * share.unsqueeze(2)).sum(0)
        self.evidence = gained if self.evidence is None else self.evidence + gained

    def gathered(self) -> Float[Tensor, "B C"]:
        """Return the evidence z gathered so far, [B, C].

        Raises:
            SpikingGammaError: No chunk was observed.
        """
        if self.evidence is None:
            raise SpikingGammaError("logits", "none observed", "every chunk of the recording first")
        return self.evidence

    def decided(self, loss: float) -> LossResult:
        """Return the evaluation of the batch with this loss: the class with the most evidence is predicted."""
        evidence = self.gathered()
        targets = checked_classes(self.targets, evidence.shape[1])
        predictions = evidence.argmax(1)
        return LossResult(loss, predictions, int((predictions == targets).sum()), len(targets))


class OneDecision(EvidenceLoss):
    """Base class of losses that are the cross-entropy of one vector of evidence per recording, z [B, C]."""

    def error(self) -> Float[Tensor, "B C"]:
        """Return ∂ℓ/∂z = (softmax(z) - target) / B of the mean cross-entropy, [B, C]."""
        evidence = self.gathered()
        targets = checked_classes(self.targets, evidence.shape[1])
        wanted = torch.nn.functional.one_hot(targets, evidence.shape[1])
        return (evidence.softmax(1) - wanted) / len(targets)

    def result(self) -> LossResult:
        """Return the evaluation of the batch; see `Loss.result`."""
        evidence = self.gathered()
        targets = checked_classes(self.targets, evidence.shape[1])
        return self.decided(float(torch.nn.functional.cross_entropy(evidence, targets)))
