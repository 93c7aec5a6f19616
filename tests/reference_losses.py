"""The losses as one would write them for autograd, over the whole recording at once: the judge of δ and of rules."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from spikinggamma.functional import cumulative_loss, spikemax_loss
from spikinggamma.learning import LOSSES, Answer

CLASS_LOSSES = tuple(
    name for name in LOSSES if LOSSES[name].target.answer in (Answer.CLASS, Answer.CLASS_OR_VALUES_BY_STEP)
)


def loss_by_hand(name: str, logits: Tensor, targets: Tensor, lengths: Tensor, dt_ms: float) -> Tensor:
    """Loss of logits [T, B, C] whose gradient in the logits is the blame that the library defines."""
    steps, batch, classes = logits.shape
    valid = torch.arange(steps).unsqueeze(1) < lengths
    samples = torch.arange(batch)
    if name == "sum":
        means = torch.stack([logits[: int(lengths[b]), b].mean(0) for b in samples])
        return cross_entropy(means, targets)
    if name == "last":
        return cross_entropy(logits[lengths - 1, samples], targets)
    if name == "each_step":
        if targets.is_floating_point():
            return 0.5 * (logits - targets)[valid].square().sum(1).mean()
        wanted = targets.expand(steps, batch)
        return cross_entropy(logits[valid], wanted[valid], ignore_index=-1)
    if name in ("spikemax", "cumulative"):
        of_each = {"spikemax": spikemax_loss, "cumulative": cumulative_loss}[name]
        return of_each(logits, targets, lengths=lengths).mean()
    if name in ("values", "last_values", "multi_label", "soft_label"):
        return _of_numbers(name, logits, targets, lengths)
    assert name == "running"
    total = logits.new_zeros(())
    for b in samples:
        terms, weights = [], []
        for t in range(int(lengths[b])):
            before = logits[:t, b].sum(0).detach()
            now = logits[t, b]
            # The past is given; what is added now is blamed whole, not by its share 1 / (t + 1) of the mean.
            mean = (before + now.detach()) / (t + 1) + now - now.detach()
            weights.append(min(1.0, (t + 1) * dt_ms / 300.0) ** 2)
            terms.append(weights[-1] * cross_entropy(mean, targets[b]))
        total = total + torch.stack(terms).sum() / sum(weights)
    assert classes > 1
    return total / batch


def _of_numbers(name: str, logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Mean over recordings with a known target of the sum over known targets."""
    samples = torch.arange(len(lengths))
    if name == "last_values":
        z = logits[lengths - 1, samples]
    else:
        z = torch.stack([logits[: int(lengths[b]), b].mean(0) for b in samples])
    losses = []
    for b in samples:
        known = ~targets[b].isnan()
        if not known.any():
            continue
        said, wanted = z[b], targets[b]
        if name == "soft_label":
            losses.append(-(wanted * said.log_softmax(0)).sum())
        elif name == "multi_label":
            p = said[known].sigmoid()
            losses.append(-(wanted[known] * p.log() + (1 - wanted[known]) * (1 - p).log()).sum())
        else:
            losses.append(0.5 * (said[known] - wanted[known]).square().sum())
    return torch.stack(losses).mean()
