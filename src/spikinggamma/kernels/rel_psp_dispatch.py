"""The compiled first spikes under the rectified linear potential: allocation, and the call. See `lif_dispatch` for use."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["rel_psp_backward", "rel_psp_forward"]


def rel_psp_forward(order: Tensor, arrival: Tensor, weight: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the spike times and the slopes of the membranes there.

    Args:
        order: Inputs in the order of arrival [B, I], int64.
        arrival: Their times in that order [B, I], infinite ones last.
        weight: [J, I].
        threshold: ϑ.

    Returns:
        Times [B, J], infinite for no spike, and slopes [B, J], zero there.
    """
    from spikinggamma.kernels import rel_psp_cpu

    times = weight.new_full((len(order), len(weight)), torch.inf)
    slopes = torch.zeros_like(times)
    inputs = arrays(order, arrival, weight.t())
    real = arrays(weight)[0].dtype.type(threshold)  # type: ignore[attr-defined]
    run_shared(rel_psp_cpu.rel_psp_forward, times.numel() * order.shape[1], *inputs, real, *arrays(times, slopes))
    return times, slopes


def rel_psp_backward(
    order: Tensor, arrival: Tensor, weight: Tensor, times: Tensor, blame: Tensor, *, to_times: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of the weights [J, I] and, if asked for, of the input times [B, I].

    Args:
        order: As in `rel_psp_forward`, as are `arrival` and `weight`.
        arrival: Times of arrival in order.
        weight: [J, I].
        times: Spike times [B, J].
        blame: ∂ℓ/∂t_j / V_j'(t_j) [B, J], zero where there is no spike.
        to_times: Whether the gradient of the input times is wanted.
    """
    from spikinggamma.kernels import rel_psp_cpu

    batch, inputs = order.shape
    jobs = -(-len(weight) // rel_psp_cpu.BLOCK)
    of_weight = weight.new_zeros(weight.shape[1], len(weight))
    of_times = weight.new_zeros((jobs, batch, weight.shape[1]) if to_times else (jobs, 0, 0))
    read = arrays(order, arrival, weight.t(), times, blame)
    run_shared(rel_psp_cpu.rel_psp_backward, times.numel() * inputs, *read, *arrays(of_weight, of_times))
    return of_weight.t(), of_times.sum(0) if to_times else None
