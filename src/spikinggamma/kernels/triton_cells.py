"""Neurons with a surrogate gradient, and delays, by Triton: results allocated, one launch each.

Contracts are those of the functions of the same names in `lif_dispatch` and `delay_dispatch`, which call these.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AlphaState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
)
from spikinggamma.kernels import triton_delays, triton_neurons
from spikinggamma.kernels.lif_dispatch import alpha_constants, srm_alpha_constants

__all__ = [
    "adaptive_lif_adjoint",
    "adaptive_lif_forward",
    "alpha_adjoint",
    "delay_adjoint",
    "delay_forward",
    "delay_products",
    "leaky_adjoint",
    "leaky_forward",
    "lif_forward",
    "srm_alpha_forward",
]

_MOST = 128  # cells of a program: four warps
_PROGRAMS = 1024  # that keep a large GPU busy


def _launch(kernel: Any, cells: int, *arguments: object, **constants: object) -> None:
    """A program for every block of cells; narrow blocks where there would be too few programs."""
    block = _MOST
    while block > 32 and -(-cells // block) < _PROGRAMS:
        block //= 2
    kernel[(-(-cells // block),)](*arguments, BLOCK=block, num_warps=block // 32, **constants)


def _own(state: tuple[Tensor, ...]) -> list[Tensor]:
    return [part.detach().clone(memory_format=torch.contiguous_format) for part in state]


def _given(*tensors: Tensor) -> list[Tensor]:
    return [tensor.detach().contiguous() for tensor in tensors]


def _forward(
    kernel: Any, drive: Tensor, numbers: tuple[float, ...], state: tuple[Tensor, ...], keep: bool
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Spikes, x(t) or room for one step of it, and the state after."""
    (drive,), after = _given(drive), _own(state)
    spikes = torch.empty_like(drive)
    excess = torch.empty_like(spikes if keep else spikes[:1])
    sizes = (len(drive), drive[0].numel())
    _launch(kernel, sizes[1], drive, drive.new_tensor(numbers), *after, spikes, excess, *sizes, KEEPING=keep)
    return spikes, excess, after


def _adjoint(
    kernel: Any, signals: tuple[Tensor, ...], numbers: tuple[float, ...], after: tuple[Tensor, ...]
) -> tuple[Tensor, list[Tensor]]:
    """The error signal of the drive, and of the state before."""
    given, before = _given(*signals), _own(after)
    result = torch.empty_like(given[0])
    sizes = (len(result), result[0].numel())
    last = [signal[-1] for signal in given]
    _launch(kernel, sizes[1], *last, result.new_tensor(numbers), *before, result[-1], *sizes)
    return result, before


def leaky_forward(parameters: LIFParameters, state: LIFState, drive: Tensor) -> tuple[Tensor, LIFState]:
    """See `spikinggamma.kernels.leaky_forward`."""
    (drive,), after = _given(drive), _own(state)
    membranes = torch.empty_like(drive)
    sizes, numbers = (len(drive), drive[0].numel()), drive.new_tensor(parameters.decays())
    _launch(triton_neurons.leaky_forward, sizes[1], drive, numbers, *after, membranes, *sizes)
    return membranes, LIFState(*after)


def lif_forward(
    parameters: LIFParameters, state: LIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, LIFState]:
    """See `spikinggamma.kernels.lif_forward`."""
    numbers = (*parameters.decays(), parameters.threshold)
    spikes, excess, after = _forward(triton_neurons.lif_forward, drive, numbers, state, keep)
    return spikes, excess, LIFState(*after)


def leaky_adjoint(parameters: LIFParameters, grad: Tensor, after: LIFState) -> tuple[Tensor, LIFState]:
    """See `spikinggamma.kernels.leaky_adjoint`."""
    result, before = _adjoint(triton_neurons.leaky_adjoint, (grad,), parameters.decays(), after)
    return result, LIFState(*before)


def _adaptive(parameters: AdaptiveLIFParameters) -> tuple[float, ...]:
    lif = parameters.lif
    return (*lif.decays(), lif.threshold, parameters.adaptation, parameters.adaptation_decay())


def adaptive_lif_forward(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, AdaptiveLIFState]:
    """See `spikinggamma.kernels.adaptive_lif_forward`."""
    kernel = triton_neurons.adaptive_lif_forward
    spikes, excess, after = _forward(kernel, drive, _adaptive(parameters), state, keep)
    return spikes, excess, AdaptiveLIFState(*after)


def adaptive_lif_adjoint(
    parameters: AdaptiveLIFParameters, grad: Tensor, slope: Tensor, after: AdaptiveLIFState
) -> tuple[Tensor, AdaptiveLIFState]:
    """See `spikinggamma.kernels.adaptive_lif_adjoint`."""
    kernel = triton_neurons.adaptive_lif_adjoint
    result, before = _adjoint(kernel, (grad, slope), _adaptive(parameters), after)
    return result, AdaptiveLIFState(*before)


def srm_alpha_forward(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, SRMAlphaState]:
    """See `spikinggamma.kernels.srm_alpha_forward`."""
    kernel = triton_neurons.srm_alpha_forward
    spikes, excess, after = _forward(kernel, drive, srm_alpha_constants(parameters), state, keep)
    return spikes, excess, SRMAlphaState(*after)


def alpha_adjoint(tau_ms: float, dt_ms: float, grad: Tensor, after: AlphaState) -> tuple[Tensor, AlphaState]:
    """See `spikinggamma.kernels.alpha_adjoint`."""
    result, before = _adjoint(triton_neurons.alpha_adjoint, (grad,), alpha_constants(tau_ms, dt_ms), after)
    return result, AlphaState(*before)


def delay_forward(past: Tensor, spikes: Tensor, whole: Tensor, fraction: Tensor) -> Tensor:
    """See `spikinggamma.kernels.delay_forward`."""
    past, spikes, whole, fraction = _given(past, spikes, whole, fraction)
    arrived = torch.empty_like(spikes)
    cells = spikes[0].numel()
    sizes = (len(spikes), len(past), cells, spikes.shape[2])
    _launch(triton_delays.delay_forward, cells, past, spikes, whole, fraction, arrived, *sizes)
    return arrived


def delay_adjoint(grad: Tensor, whole: Tensor, fraction: Tensor, remembered: int) -> tuple[Tensor, Tensor]:
    """See `spikinggamma.kernels.delay_adjoint`."""
    grad, whole, fraction = _given(grad, whole, fraction)
    result = grad.new_empty(remembered + len(grad), *grad.shape[1:])
    cells = grad[0].numel()
    sizes = (len(grad), remembered, cells, grad.shape[2])
    _launch(triton_delays.delay_adjoint, cells, grad, whole, fraction, result[-1], *sizes)
    return result[:remembered], result[remembered:]


def delay_products(past: Tensor, spikes: Tensor, grad: Tensor, whole: Tensor) -> Tensor:
    """See `spikinggamma.kernels.delay_products`; samples are summed in a fixed order."""
    past, spikes, grad, whole = _given(past, spikes, grad, whole)
    result = torch.empty_like(spikes[0])
    cells = result.numel()
    sizes = (len(spikes), len(past), cells, spikes.shape[2])
    _launch(triton_delays.delay_products, cells, past, spikes, grad, whole, result, *sizes)
    return result.sum(0)
