"""The scans on the processor: results allocated, shares handed to threads. Contracts: `spikinggamma.kernels.dispatch`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinggamma.functional import SigmaDelta, SigmaDeltaState
from spikinggamma.kernels import cpu
from spikinggamma.kernels.sharing import arrays, run_shared

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "signal_adjoint",
    "signal_forward",
]

_TINY = 1e-20


def _real(like: Tensor) -> type[np.floating[Any]]:
    """The elements' own type, for single numbers."""
    return np.float32 if like.dtype == torch.float32 else np.float64


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """See `spikinggamma.kernels.code_forward`."""
    after = SigmaDeltaState(*(part.detach().clone(memory_format=torch.contiguous_format) for part in state))
    sent = torch.empty_like(signal, memory_format=torch.contiguous_format)
    counts = torch.empty(signal.shape if counting else (0, 0, 0), dtype=torch.int32)
    real = _real(signal)
    run_shared(
        cpu.code_forward,
        signal.numel(),
        *arrays(signal),
        real(alpha_0),
        real(code.threshold),
        real(code.adaptation),
        real(code.adaptation_decay(dt_ms)),
        real(code.max_spikes or float("inf")),
        real(_TINY),
        *arrays(*after),
        sent.numpy(),
        counts.numpy(),
    )
    return sent, counts, after


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.signal_forward`."""
    after = buckets.detach().clone(memory_format=torch.contiguous_format)
    signal = torch.empty_like(drive, memory_format=torch.contiguous_format)
    run_shared(
        cpu.signal_forward,
        drive.numel() * len(alpha),
        *arrays(drive, weight, bias, alpha),
        _real(drive)(_TINY),
        after.numpy(),
        signal.numpy(),
    )
    return signal, after


def signal_adjoint(blame: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.signal_adjoint`."""
    result = torch.empty_like(blame, memory_format=torch.contiguous_format)
    carried = blame.new_empty(len(alpha), *blame.shape[1:])
    run_shared(
        cpu.signal_adjoint,
        blame.numel() * len(alpha),
        *arrays(blame, weight, alpha),
        _real(blame)(_TINY),
        carried.numpy(),
        result.numpy(),
    )
    return result, carried


def neuron_adjoint(blame: Tensor, signal: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.neuron_adjoint`."""
    delta, result = (torch.empty_like(blame, memory_format=torch.contiguous_format) for _ in range(2))
    run_shared(
        cpu.neuron_adjoint,
        blame.numel() * len(alpha),
        *arrays(blame, signal),
        *arrays(weight, alpha),
        _real(blame)(_TINY),
        delta.numpy(),
        result.numpy(),
    )
    return delta, result


def bucket_products(blame: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """See `spikinggamma.kernels.bucket_products`."""
    result = blame.new_empty(len(alpha), blame.shape[-1])
    run_shared(
        cpu.bucket_products,
        blame.numel() * len(alpha),
        *arrays(blame, drive, alpha),
        _real(blame)(_TINY),
        *arrays(buckets),
        result.numpy(),
    )
    return result


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.filter_forward`."""
    after = buckets.detach().clone(memory_format=torch.contiguous_format)
    steps, batch, cells = drive.shape
    traces = drive.new_empty(steps, batch, len(alpha), cells)
    run_shared(
        cpu.filter_forward, traces.numel(), *arrays(drive, alpha), _real(drive)(_TINY), after.numpy(), traces.numpy()
    )
    return traces, after


def filter_adjoint(blame: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.filter_adjoint`."""
    _, batch, order, cells = blame.shape
    result = torch.empty_like(blame, memory_format=torch.contiguous_format)
    carried = blame.new_empty(order, batch, cells)
    run_shared(
        cpu.filter_adjoint, blame.numel(), *arrays(blame, alpha), _real(blame)(_TINY), carried.numpy(), result.numpy()
    )
    return result, carried
