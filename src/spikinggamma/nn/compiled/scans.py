"""What compiled sequences share: slopes of surrogates, recurrence, and the loop where no scan fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma import kernels
from spikinggamma.functional import Surrogate, surrogate_slope
from spikinggamma.nn.state import StateT

__all__ = ["fits_rows", "recurrent_gradient", "slopes", "unrolled"]

# Numbers whose slope is found at once: few enough that a formula of five operations stays in the cache.
_PIECE = 32_768


def fits_rows(drive: Tensor, weight: Tensor | None, *own: Any) -> bool:
    """Return whether a scan by rows takes these on trust.

    Args:
        drive: [T, B, N] where it fits.
        weight: Recurrent weights, or None.
        own: Numbers of each neuron [N], and last the state, a tuple of [B, N].
    """
    *numbers, state = own
    if drive.ndim != 3 or drive.numel() == 0:
        return False
    shapes = all(part.shape == drive.shape[1:] for part in state)
    shapes = shapes and all(one.shape == drive.shape[2:] for one in numbers)
    among = () if weight is None else (weight,)
    square = weight is None or weight.shape == (drive.shape[2], drive.shape[2])
    return shapes and square and kernels.has_compiled(drive, *state, *numbers, *among)


def recurrent_gradient(
    weight: Float[Tensor, "M N"],
    on_drive: Float[Tensor, "T B N"],
    said: Float[Tensor, "B N"],
    spikes: Float[Tensor, "T B N"],
) -> Float[Tensor, "M N"] | None:
    """Return the gradient of recurrent weights [N, N], given that of the drive; None for no recurrence, weights [0, N]."""
    if len(weight) == 0:
        return None
    heard = torch.cat([said.unsqueeze(0), spikes[:-1]])
    return on_drive.flatten(0, 1).T @ heard.flatten(0, 1)


def slopes(name: str | Surrogate, excess: Tensor, **options: float) -> Tensor:
    """Return ∂s/∂x at membranes minus thresholds [T, ...]."""
    if excess.is_cuda:  # there a launch costs more than a pass over the memory
        return surrogate_slope(name, excess, **options)
    found = torch.empty_like(excess)
    steps = max(1, _PIECE // excess[0].numel())
    for x, out in zip(torch.split(excess, steps), torch.split(found, steps), strict=True):
        out.copy_(surrogate_slope(name, x, **options))
    return found


def unrolled(
    step: Callable[[StateT, Tensor], tuple[Tensor, StateT]],
    state: StateT,
    drive: Float[Tensor, "T *cells"],
    weight: Float[Tensor, "N N"] | None,
    said: Float[Tensor, " *cells"] | None,
) -> tuple[Float[Tensor, "T *cells"], StateT]:
    """Return spikes and the state after, by the loop over a step."""
    last, spikes = torch.zeros_like(drive[0]) if said is None else said, []
    for u in drive.unbind(0):
        last, state = step(state, u if weight is None else u + nn.functional.linear(last, weight))
        spikes.append(last)
    return torch.stack(spikes), state
