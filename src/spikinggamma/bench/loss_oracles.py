"""Losses by their definitions, recording by recording, as functions for autograd.

They are references for the hand-derived error signals of `spikinggamma.learning`, of which they use only the default
horizon of `running`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from spikinggamma.functional import cumulative_loss, spikemax_loss
from spikinggamma.learning import LOSSES, Answer
from spikinggamma.learning.losses import RunningOptions

__all__ = ["CLASS_LOSSES", "reference_activity", "reference_loss"]

CLASS_LOSSES = tuple(
    name for name in LOSSES if LOSSES[name].target.answer in (Answer.CLASS, Answer.CLASS_OR_VALUES_BY_STEP)
)
"""Names of the losses whose targets may be classes."""


def reference_loss(
    name: str, logits: Float[Tensor, "T B C"], targets: Tensor, lengths: Int[Tensor, " B"], dt_ms: float
) -> Float[Tensor, ""]:
    """Return the loss of a batch, whose gradient by the logits is the error signal that the library defines.

    Args:
        name: Name of the loss.
        logits: Outputs of the net.
        targets: Classes [B]; for `each_step` also [T, B] with -1 where there is no label, or values [T, B, C]; for losses
            of values and of several labels numbers [B, C], NaN where they are missing.
        lengths: Number of steps of each recording.
        dt_ms: Time step [ms].
    """
    own = [logits[: int(length), sample] for sample, length in enumerate(lengths)]
    if name == "each_step":
        return _each_step(own, targets)
    if name in _OF_KNOWN:
        pairs = [(mine, numbers) for mine, numbers in zip(own, targets, strict=True) if not numbers.isnan().all()]
        return torch.stack([_OF_KNOWN[name](mine, numbers) for mine, numbers in pairs]).mean()
    losses = [_OF_A_RECORDING[name](mine, label, dt_ms) for mine, label in zip(own, targets, strict=True)]
    return torch.stack(losses).mean()


def reference_activity(
    outputs: Sequence[Float[Tensor, "T B _"]], lengths: Int[Tensor, " B"], units: Sequence[float]
) -> Float[Tensor, ""]:
    """Return the loss of an activity cost of 1: the sum over layers of the mean output over a recording, in units.

    Args:
        outputs: Output of each layer, [T, B, N].
        lengths: Number of steps of each recording, [B].
        units: Unit of each layer.
    """
    means = [
        y[: int(length), sample].mean() / unit
        for y, unit in zip(outputs, units, strict=True)
        for sample, length in enumerate(lengths)
    ]
    return torch.stack(means).sum() / len(lengths)


def _sum(mine: Float[Tensor, "T C"], label: Int[Tensor, ""], dt_ms: float) -> Float[Tensor, ""]:
    return F.cross_entropy(mine.mean(0), label)


def _last(mine: Float[Tensor, "T C"], label: Int[Tensor, ""], dt_ms: float) -> Float[Tensor, ""]:
    return F.cross_entropy(mine[-1], label)


def _running(mine: Float[Tensor, "T C"], label: Int[Tensor, ""], dt_ms: float) -> Float[Tensor, ""]:
    """Return Σ ω(t) CE(m(t)) / Σ ω(t), where m(t) has the value of the mean so far and passes its whole gradient to x(t)."""
    time = torch.arange(1, len(mine) + 1, dtype=mine.dtype)
    mean = (mine.cumsum(0) / time.unsqueeze(1)).detach() + mine - mine.detach()
    weight = (time * dt_ms / RunningOptions().horizon_ms).clamp_max(1.0).square()
    return (weight * F.cross_entropy(mean, label.expand(len(mine)), reduction="none")).sum() / weight.sum()


def _spikemax(mine: Float[Tensor, "T C"], label: Int[Tensor, ""], dt_ms: float) -> Float[Tensor, ""]:
    return spikemax_loss(mine.unsqueeze(1), label.unsqueeze(0)).sum()


def _cumulative(mine: Float[Tensor, "T C"], label: Int[Tensor, ""], dt_ms: float) -> Float[Tensor, ""]:
    return cumulative_loss(mine.unsqueeze(1), label.unsqueeze(0)).sum()


_OF_A_RECORDING: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "sum": _sum,
    "last": _last,
    "running": _running,
    "spikemax": _spikemax,
    "cumulative": _cumulative,
}


def _squared(said: Float[Tensor, " C"], numbers: Float[Tensor, " C"]) -> Float[Tensor, ""]:
    known = ~numbers.isnan()
    return 0.5 * (said[known] - numbers[known]).square().sum()


def _multi_label(mine: Float[Tensor, "T C"], numbers: Float[Tensor, " C"]) -> Float[Tensor, ""]:
    known = ~numbers.isnan()
    shares, wanted = mine.mean(0)[known].sigmoid(), numbers[known]
    return -(wanted * shares.log() + (1.0 - wanted) * (1.0 - shares).log()).sum()


_OF_KNOWN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "values": lambda mine, numbers: _squared(mine.mean(0), numbers),
    "last_values": lambda mine, numbers: _squared(mine[-1], numbers),
    "multi_label": _multi_label,
    "soft_label": lambda mine, numbers: -(numbers * mine.mean(0).log_softmax(0)).sum(),
}


def _each_step(own: Sequence[Tensor], targets: Tensor) -> Float[Tensor, ""]:
    """Return the mean over all labelled steps of the batch."""
    total, count = own[0].new_zeros(()), 0
    for sample, mine in enumerate(own):
        if targets.is_floating_point():
            total = total + 0.5 * (mine - targets[: len(mine), sample]).square().sum()
            count += len(mine)
            continue
        labels = targets[sample].expand(len(mine)) if targets.ndim == 1 else targets[: len(mine), sample]
        total = total + F.cross_entropy(mine[labels >= 0], labels[labels >= 0], reduction="sum")
        count += int((labels >= 0).sum())
    return total / count
