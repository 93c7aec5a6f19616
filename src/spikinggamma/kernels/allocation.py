"""What the callers of compiled scans share: copies to be written to, constants of the arrays' type, and the work of a call."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["constants_like", "copies", "transposed", "work_of"]

_WEIGHTS_A_UPDATE = 16  # recurrent weights that cost as much as the update of a neuron: they lie in a row


def copies(*tensors: Tensor) -> list[Tensor]:
    """Return contiguous copies without gradients."""
    return [tensor.detach().clone(memory_format=torch.contiguous_format) for tensor in tensors]


def constants_like(like: Tensor, *numbers: float) -> tuple[object, ...]:
    """Return numbers of numpy in the element type of a tensor."""
    real = torch.empty(0, dtype=like.dtype).numpy().dtype.type
    return tuple(real(number) for number in numbers)


def transposed(weight: Tensor) -> Tensor:
    """Return Rᵀ of recurrent weights [N, N], row by row; [0, N], no recurrence, as it is."""
    return weight.T.contiguous() if len(weight) else weight


def work_of(drive: Tensor, weight: Tensor) -> int:
    """Return the work of a scan in updates of a neuron: what recurrence costs included."""
    return drive.numel() * (1 + len(weight) // _WEIGHTS_A_UPDATE)
