"""The scans on the processor: allocation of results and calls in threads. They are defined in `kernels.dispatch`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.kernels import cpu
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "neuron_forward",
    "signal_adjoint",
    "signal_forward",
    "signal_gradients",
]

_TINY = 1e-20


def _real(like: Tensor) -> type[np.floating[Any]]:
    """Return the element type, for single numbers."""
    return np.float32 if like.dtype == torch.float32 else np.float64


def _numbers(code: SigmaDelta, dt_ms: float, like: Tensor) -> tuple[np.floating[Any], ...]:
    """Return ϑ_0, m, the decay of the adaptation and the largest number of spikes per step, in the element type."""
    numbers = (code.threshold, code.adaptation, code.adaptation_decay(dt_ms), code.max_spikes or float("inf"))
    return tuple(map(_real(like), numbers))


def _own(state: Tensor) -> Tensor:
    return state.detach().clone(memory_format=torch.contiguous_format)


def _counts(like: Tensor, counting: bool) -> Tensor:
    return torch.empty(like.shape if counting else (0, 0, 0), dtype=torch.int32)


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """Encode a signal; see `spikinggamma.kernels.code_forward`."""
    after = SigmaDeltaState(*map(_own, state))
    sent, counts = torch.empty_like(signal, memory_format=torch.contiguous_format), _counts(signal, counting)
    run_shared(
        cpu.code_forward,
        signal.numel(),
        *arrays(signal),
        _real(signal)(alpha_0),
        _numbers(code, dt_ms, signal),
        _real(signal)(_TINY),
        *arrays(*after, sent, counts),
    )
    return sent, counts, after


def neuron_forward(
    drive: Tensor,
    weight: Tensor,
    bias: Tensor,
    alpha: Tensor,
    state: SpikingGammaState,
    code: SigmaDelta,
    dt_ms: float,
    *,
    counting: bool = True,
) -> tuple[Tensor, Tensor, Tensor, SpikingGammaState]:
    """Run the buckets and the code; see `spikinggamma.kernels.neuron_forward`."""
    after = SpikingGammaState(*map(_own, state))
    signal, sent = (torch.empty_like(drive, memory_format=torch.contiguous_format) for _ in range(2))
    counts = _counts(drive, counting)
    run_shared(
        cpu.neuron_forward,
        drive.numel() * len(alpha),
        *arrays(drive, weight, bias, alpha),
        _numbers(code, dt_ms, drive),
        _real(drive)(_TINY),
        *arrays(*after, signal, sent, counts),
    )
    return signal, sent, counts, after


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the buckets; see `spikinggamma.kernels.signal_forward`."""
    after = _own(buckets)
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


def signal_adjoint(grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.signal_adjoint`."""
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    carried = grad.new_empty(len(alpha), *grad.shape[1:])
    run_shared(
        cpu.signal_adjoint,
        grad.numel() * len(alpha),
        *arrays(grad, weight, alpha),
        _real(grad)(_TINY),
        carried.numpy(),
        result.numpy(),
    )
    return result, carried


def neuron_adjoint(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.neuron_adjoint`."""
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    shares = torch.get_num_threads()
    totals, biases = grad.new_zeros(shares, *weight.shape), grad.new_zeros(shares, weight.shape[1])
    run_shared(
        cpu.neuron_adjoint,
        grad.numel() * len(alpha),
        *arrays(grad, signal, drive, weight, alpha),
        _real(grad)(_TINY),
        *arrays(buckets, result, totals, biases),
    )
    return result, totals.sum(0), biases.sum(0)


def signal_gradients(
    grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.signal_gradients`."""
    return neuron_adjoint(grad, grad.new_empty(0, 0, 0), drive, weight, alpha, buckets)


def bucket_products(grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """Return the gradient of the bucket weights; see `spikinggamma.kernels.bucket_products`."""
    result = grad.new_empty(len(alpha), grad.shape[-1])
    run_shared(
        cpu.bucket_products,
        grad.numel() * len(alpha),
        *arrays(grad, drive, alpha),
        _real(grad)(_TINY),
        *arrays(buckets),
        result.numpy(),
    )
    return result


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """Return every bucket at every step; see `spikinggamma.kernels.filter_forward`."""
    after = _own(buckets)
    steps, batch, cells = drive.shape
    traces = drive.new_empty(steps, batch, len(alpha), cells)
    run_shared(
        cpu.filter_forward, traces.numel(), *arrays(drive, alpha), _real(drive)(_TINY), after.numpy(), traces.numpy()
    )
    return traces, after


def filter_adjoint(grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.filter_adjoint`."""
    _, batch, order, cells = grad.shape
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    carried = grad.new_empty(order, batch, cells)
    run_shared(
        cpu.filter_adjoint, grad.numel(), *arrays(grad, alpha), _real(grad)(_TINY), carried.numpy(), result.numpy()
    )
    return result, carried
