"""The compiled scans of delays: allocation of results and calls in threads. See `lif_dispatch` for when to use them."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.kernels.dispatch import with_triton
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["delay_adjoint", "delay_forward", "delay_products"]


@with_triton("triton_cells")
def delay_forward(past: Tensor, spikes: Tensor, whole: Tensor, fraction: Tensor) -> Tensor:
    """Return delayed spikes, y(t) = s(t-n) + φ (s(t-n-1) - s(t-n)).

    Args:
        past: The D steps before the sequence, [D, B, N].
        spikes: s, [T, B, N].
        whole: n < D, [N], int64.
        fraction: φ, [N].

    Returns:
        y, [T, B, N].
    """
    from spikinggamma.kernels import delay_cpu

    batch = spikes.shape[1]
    inputs = arrays(past.flatten(1), spikes.flatten(1), whole.repeat(batch), fraction.repeat(batch))
    arrived = torch.empty_like(spikes, memory_format=torch.contiguous_format)
    run_shared(delay_cpu.delay_forward, spikes.numel(), *inputs, *arrays(arrived.flatten(1)))
    return arrived


@with_triton("triton_cells")
def delay_adjoint(grad: Tensor, whole: Tensor, fraction: Tensor, remembered: int) -> tuple[Tensor, Tensor]:
    """Return ∂ℓ/∂past [D, B, N] and ∂ℓ/∂s [T, B, N], which are parts of one tensor.

    Args:
        grad: b = ∂ℓ/∂y, [T, B, N].
        whole: n < D, [N], int64.
        fraction: φ, [N].
        remembered: D.
    """
    from spikinggamma.kernels import delay_cpu

    steps, batch, neurons = grad.shape
    inputs = arrays(grad.flatten(1), whole.repeat(batch), fraction.repeat(batch))
    result = grad.new_empty(remembered + steps, batch, neurons)
    run_shared(delay_cpu.delay_adjoint, result.numel(), *inputs, *arrays(result.flatten(1)))
    return result[:remembered], result[remembered:]


@with_triton("triton_cells")
def delay_products(past: Tensor, spikes: Tensor, grad: Tensor, whole: Tensor) -> Tensor:
    """Return ∂ℓ/∂φ [N] = Σ_t Σ_B b(t) (s(t-n-1) - s(t-n)).

    Args:
        past: The D steps before the sequence, [D, B, N].
        spikes: s, [T, B, N].
        grad: b = ∂ℓ/∂y, [T, B, N].
        whole: n < D, [N], int64.
    """
    from spikinggamma.kernels import delay_cpu

    _, batch, neurons = spikes.shape
    inputs = arrays(past.flatten(1), spikes.flatten(1), grad.flatten(1), whole.repeat(batch))
    result = grad.new_empty(batch, neurons)
    run_shared(delay_cpu.delay_products, spikes.numel(), *inputs, *arrays(result.view(-1)))
    return result.sum(0)
