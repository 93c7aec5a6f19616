"""The scans by Triton: allocation of results and one launch each. They are defined in `kernels.dispatch`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.kernels import triton_scans as scans

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

_MOST = 128  # neurons per program: four warps
_PROGRAMS = 1024  # number of programs that keeps a large GPU busy


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """Encode a signal; see `spikinggamma.kernels.code_forward`."""
    signal = signal.detach().contiguous()
    after = SigmaDeltaState(*(_own(part) for part in state))
    sent = torch.empty_like(signal)
    counts = _counts(signal, counting)
    inputs = (signal, signal.new_tensor((alpha_0, *_numbers(code, dt_ms))), *after, sent, counts)
    _launch(scans.code_forward, signal.shape, *inputs, *signal.shape, COUNTING=counting)
    return sent, counts, after


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the buckets; see `spikinggamma.kernels.signal_forward`."""
    drive, after = drive.detach().contiguous(), _own(buckets)
    signal = torch.empty_like(drive)
    inputs = (drive, weight.detach().contiguous(), bias.detach().contiguous(), *_keep_and_take(alpha))
    _launch(scans.signal_forward, drive.shape, *inputs, after, signal, *drive.shape, K=len(alpha))
    return signal, after


def signal_adjoint(grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.signal_adjoint`."""
    grad = grad.detach().contiguous()
    result, carried = torch.empty_like(grad), grad.new_empty(len(alpha), *grad.shape[1:])
    inputs = (grad[-1], weight.detach().contiguous(), *_keep_and_take(alpha))
    _launch(scans.signal_adjoint, grad.shape, *inputs, carried, result[-1], *grad.shape, K=len(alpha))
    return result, carried


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
    drive, after = drive.detach().contiguous(), SpikingGammaState(*map(_own, state))
    signal, sent, counts = torch.empty_like(drive), torch.empty_like(drive), _counts(drive, counting)
    numbers = drive.new_tensor((0.0, *_numbers(code, dt_ms)))
    numbers[0] = alpha[0].detach()
    inputs = (drive, weight.detach().contiguous(), bias.detach().contiguous(), *_keep_and_take(alpha), numbers)
    outputs = (*after, signal, sent, counts)
    _launch(scans.neuron_forward, drive.shape, *inputs, *outputs, *drive.shape, K=len(alpha), COUNTING=counting)
    return signal, sent, counts, after


def neuron_adjoint(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.neuron_adjoint`.

    Samples are summed in a fixed order.
    """
    return _gradients(grad, signal, drive, weight, alpha, buckets, gated=True)


def signal_gradients(
    grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.signal_gradients`.

    Samples are summed in a fixed order.
    """
    return _gradients(grad, grad, drive, weight, alpha, buckets, gated=False)


def _gradients(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor, *, gated: bool
) -> tuple[Tensor, Tensor, Tensor]:
    grad, signal, drive, weight, buckets = (
        part.detach().contiguous() for part in (grad, signal, drive, weight, buckets)
    )
    result, total, bias = torch.empty_like(grad), torch.empty_like(buckets), torch.empty_like(grad[0])
    given = (grad[-1], signal[-1])
    inputs, outputs = (weight, *_keep_and_take(alpha), buckets), (result[-1], total, bias)
    steps, batch, neurons = grad.shape
    own, of = len(drive), {"K": len(alpha), "GATED": gated}
    if own == steps:
        _launch(scans.neuron_adjoint, grad.shape, *given, drive[-1], *inputs, *outputs, steps, batch, neurons, **of)
    else:
        sizes = (steps, own, batch, neurons)
        _launch(scans.window_adjoint, grad.shape, *given, drive, *inputs, *outputs, *sizes, **of)
    return result, total.sum(1), bias.sum(0)


def bucket_products(grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """Return the gradient of the bucket weights; see `spikinggamma.kernels.bucket_products`.

    Samples are summed in a fixed order.
    """
    grad, drive = grad.detach().contiguous(), drive.detach().contiguous()
    result = grad.new_empty(len(alpha), *grad.shape[1:])
    inputs = (grad, drive, *_keep_and_take(alpha), buckets.detach().contiguous())
    _launch(scans.bucket_products, grad.shape, *inputs, result, *grad.shape, K=len(alpha))
    return result.sum(1)


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """Return every bucket at every step; see `spikinggamma.kernels.filter_forward`."""
    drive, after = drive.detach().contiguous(), _own(buckets)
    steps, batch, cells = drive.shape
    traces = drive.new_empty(steps, batch, len(alpha), cells)
    inputs = (drive, *_keep_and_take(alpha), after, traces)
    _launch(scans.filter_forward, drive.shape, *inputs, *drive.shape, K=len(alpha))
    return traces, after


def filter_adjoint(grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.filter_adjoint`."""
    grad = grad.detach().contiguous()
    steps, batch, order, cells = grad.shape
    result, carried = torch.empty_like(grad), grad.new_empty(order, batch, cells)
    inputs = (grad[-1], *_keep_and_take(alpha), carried, result[-1])
    _launch(scans.filter_adjoint, (steps, batch, cells), *inputs, steps, batch, cells, K=order)
    return result, carried


def _launch(kernel: Any, shape: tuple[int, ...] | torch.Size, *arguments: object, **constants: object) -> None:
    """Launch a program for every sample and block of neurons; blocks are narrow if there would be too few programs."""
    _, batch, neurons = shape
    block = _MOST
    while block > 32 and batch * -(-neurons // block) < _PROGRAMS:
        block //= 2
    kernel[(batch, -(-neurons // block))](*arguments, BLOCK=block, num_warps=max(1, block // 32), **constants)


def _numbers(code: SigmaDelta, dt_ms: float) -> tuple[float, ...]:
    """Return ϑ_0, m, the decay of the adaptation and the largest number of spikes per step."""
    return code.threshold, code.adaptation, code.adaptation_decay(dt_ms), code.max_spikes or float("inf")


def _counts(like: Tensor, counting: bool) -> Tensor:
    return torch.empty(like.shape if counting else (0, 0, 0), dtype=torch.int32, device=like.device)


def _own(state: Tensor) -> Tensor:
    return state.detach().clone(memory_format=torch.contiguous_format)


def _keep_and_take(alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return α, and the factor by which each bucket takes from the one before; the first takes the whole drive."""
    take = 1.0 - alpha.detach()
    take[0] = 1.0
    return alpha.detach().contiguous(), take
