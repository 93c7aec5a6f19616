"""One step of the optimiser with gradient clipping, which refuses a gradient that is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import SequenceNet

__all__ = ["clipped_step"]


def clipped_step(
    net: SequenceNet,
    optimiser: torch.optim.Optimizer,
    clip_norm: float,
    fault: Callable[[str], SpikingGammaError],
) -> float:
    """Update the net's parameters from their gradients, put them back into their bounds, and clear the gradients.

    Args:
        net: The net.
        optimiser: Optimiser of its parameters.
        clip_norm: Norm to which the gradient is clipped; 0 for no clipping.
        fault: Function that returns the error for a message.

    Returns:
        The norm of the gradient before clipping.

    Raises:
        SpikingGammaError: The norm is not finite; no parameter is changed.
    """
    parameters = list(net.parameters())
    norm = torch.nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])
    if not math.isfinite(float(norm)):
        raise fault(f"gradient norm {float(norm)}")
    if clip_norm > 0.0:
        torch.nn.utils.clip_grads_with_norm_(parameters, clip_norm, norm)
    optimiser.step()
    net.constrain_()
    optimiser.zero_grad()
    return float(norm)
