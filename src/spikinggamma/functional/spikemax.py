"""Losses of published surrogate-gradient nets, on output spike counts and output membranes, one number per recording.

`spikemax_loss` is the cross-entropy of each class's share of all output spikes:

    c_n = max(Σ_t s_n(t), 1),    p_n = c_n / Σ_m c_m,    L = -log p_k,    k: the target
    ∂L/∂s_n(t) = (p_n - [n = k]) / c_n                         at every t

This is the true gradient of L, as p_n / c_n = 1 / Σ_m c_m, except for a class without a spike. Its floor of 1 receives
the gradient of a count, because otherwise a silent class could never learn to spike.

`cumulative_loss` is the cross-entropy of summed votes, one vote per step:

    z = Σ_t softmax(m(t)),    L = -log softmax(z)_k
    ∂L/∂m_n(t) = p_n(t) (e_n - Σ_j e_j p_j(t)),    e = softmax(z) - [n = k],    p(t) = softmax(m(t))

The votes are logits, so there are two softmaxes. A vote is at most 1, hence L >= log(1 + (C - 1) e^{-T}).

Steps after the end of a recording contribute to neither loss nor gradient.

Source: Shrestha, Zhu and Sun, Spikemax (IJCNN 2022), arXiv 2205.09845; Bittar and Garner (2022), Frontiers in
Neuroscience 16, 865897, for summed softmaxes on SHD.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError

__all__ = ["cumulative_loss", "spikemax_loss"]


def _checked(targets: Tensor, lengths: Tensor | None, output: Tensor) -> tuple[Tensor, Tensor]:
    """Check the arguments; return the targets, and the mask of steps that belong to their recording [T, B, 1]."""
    steps, batch, classes = output.shape
    if targets.shape != (batch,) or targets.is_floating_point():
        found = f"{targets.dtype} {list(targets.shape)}"
        raise SpikingGammaError("targets", found, f"one class per recording, int64 [{batch}]")
    if not bool(((targets >= 0) & (targets < classes)).all()):
        raise SpikingGammaError("targets", targets.tolist(), f"classes 0 .. {classes - 1}")
    if lengths is None:
        return targets, output.new_ones(steps, batch, 1)
    if lengths.shape != (batch,) or not bool(((lengths >= 1) & (lengths <= steps)).all()):
        raise SpikingGammaError("lengths", lengths.tolist(), f"{batch} numbers of steps, each from 1 to {steps}")
    time = torch.arange(steps, device=output.device)
    return targets, (time.unsqueeze(1) < lengths).to(output).unsqueeze(2)


def spikemax_loss(
    spikes: Float[Tensor, "T B C"], targets: Int[Tensor, " B"], *, lengths: Int[Tensor, " B"] | None = None
) -> Float[Tensor, " B"]:
    """Return the cross-entropy of each class's share of the output spikes, [B], with the gradient of Spikemax.

    Args:
        spikes: Output spikes, [T, B, C].
        targets: Class of each recording, [B].
        lengths: Number of steps of each recording, [B]; None without padding.

    Raises:
        SpikingGammaError: The targets are not classes of this output, or the lengths do not fit it.

    Example:
        >>> spikemax_loss(torch.tensor([[[3.0, 1.0]]]), torch.tensor([0])).exp()
        tensor([1.3333])
    """
    targets, valid = _checked(targets, lengths, spikes)
    count = (spikes * valid).sum(0)
    # The value of the floored count with the derivative of the count: see above.
    floored = count + (count.clamp_min(1.0) - count).detach()
    right = floored.gather(1, targets.unsqueeze(1)).squeeze(1)
    return floored.sum(1).log() - right.log()


def cumulative_loss(
    membrane: Float[Tensor, "T B C"], targets: Int[Tensor, " B"], *, lengths: Int[Tensor, " B"] | None = None
) -> Float[Tensor, " B"]:
    """Return the cross-entropy of the softmax of the membrane, summed over time, [B]; it is differentiable everywhere.

    Args:
        membrane: Membrane of output neurons that do not spike, such as `leaky_sequence` returns, [T, B, C].
        targets: Class of each recording, [B].
        lengths: Number of steps of each recording, [B]; None without padding.

    Raises:
        SpikingGammaError: The targets are not classes of this output, or the lengths do not fit it.

    Example:
        >>> cumulative_loss(torch.zeros(5, 1, 4), torch.tensor([2])).exp()
        tensor([4.])
    """
    targets, valid = _checked(targets, lengths, membrane)
    votes = (membrane.softmax(2) * valid).sum(0)
    return nn.functional.cross_entropy(votes, targets, reduction="none")
