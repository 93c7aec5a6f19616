"""What a loss is: the judge of one batch of recordings, fed chunk by chunk."""

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
    "Loss",
    "LossResult",
    "OneDecision",
    "checked_classes",
    "judging_loss",
    "make_loss",
]


class Answer(enum.Enum):
    """What a loss judges: the kind of answer that a net is asked for."""

    CLASS = "one class for each recording"
    CLASS_OR_VALUES_BY_STEP = "a class or values at each step, or one class for each recording"
    VALUES = "values of each recording"
    LABELS = "several classes for each recording, or none"
    SHARES = "a share of each class for each recording"


class EvidenceKind(enum.Enum):
    """What of a net's outputs decides between classes."""

    MEAN = "the mean of the outputs so far"
    NOW = "the outputs at the last step so far"
    VOTES = "the mean of the votes so far, a softmax of the outputs at each step"
    SPIKES = "the spikes of each output neuron so far"


class LossResult(NamedTuple):
    """A batch judged.

    Attributes:
        loss: The mean.
        predictions: Classes [B] (or [T, B]), or what is said of each value or class, [B, C] (or [T, B, C]).
        correct: How many decisions were right; None of values, which are near or far.
        count: Of how many decisions, or values' rows, the loss is the mean.
    """

    loss: float
    predictions: Int[Tensor, "*T B"] | Float[Tensor, "*T B C"]
    correct: int | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of a verdict


class Loss(abc.ABC):
    """The judge of one batch of recordings, fed chunk by chunk.

    Args:
        targets: Classes [B]; for `each_step` also [T, B] with -1 where unlabelled, or values [T, B, C]; for losses of values
            or several labels [B, C]. Values that are not known are NaN.
        lengths: Steps that belong to each recording, [B].
        dt_ms: Time step [ms].
        options: Of the loss's own kind; a mapping of values or None is completed by defaults.

    A loss is a subclass in a file of its own, registered in `LOSSES`.

    Attributes:
        answer: What kind of answer it judges.
        evidence_kind: What of the outputs decides between classes; a stream is read by it.
        spiking_outputs: Whether it judges the spikes of output neurons, not the membrane of a read-out.
        replay: Whether the gradient is known only after a first pass.
        count: Of how many decisions the loss is the mean.

    Raises:
        SpikingGammaError: An option is unknown or out of range.
    """

    answer: ClassVar[Answer] = Answer.CLASS
    evidence_kind: ClassVar[EvidenceKind] = EvidenceKind.MEAN
    spiking_outputs: ClassVar[bool] = False
    replay: ClassVar[bool] = False
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


LOSSES: Registry[type[Loss]] = Registry("loss", "losses")


def make_loss(
    name: str,
    targets: Tensor,
    lengths: Int[Tensor, " B"],
    dt_ms: float,
    options: Options | Mapping[str, Any] | None = None,
) -> Loss:
    """Return the judge of a batch by its name in `LOSSES`.

    Args:
        name: Of the loss.
        targets: Classes [B], or what the loss takes by step.
        lengths: Steps that belong to each recording, [B].
        dt_ms: Time step [ms].
        options: Of the loss; what is not given has its default.

    Raises:
        SpikingGammaError: There is no such loss, or an option is unknown or out of range.

    Example:
        >>> make_loss("running", torch.tensor([0]), torch.tensor([9]), 1.0, {"horizon_ms": 200.0}).options.horizon_ms
        200.0
    """
    return LOSSES.find(name, argument="loss").target(targets, lengths, dt_ms, options)


def judging_loss(name: str, *, step_labels: bool) -> str:
    """Return the loss that judges recordings after training by `name`.

    A net that learns at each step is judged by its summed outputs where a recording has one label.

    Example:
        >>> judging_loss("each_step", step_labels=False), judging_loss("last", step_labels=False)
        ('sum', 'last')
    """
    by_step = LOSSES.find(name, argument="loss").target.answer is Answer.CLASS_OR_VALUES_BY_STEP
    return "sum" if by_step and not step_labels else name


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
