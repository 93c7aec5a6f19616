"""Gamma memory: a chain of leaky integrators (buckets), each of which feeds the next.

    h_0(t) = α_0 h_0(t-1) + u(t)
    h_k(t) = α_k h_k(t-1) + (1 - α_k) h_{k-1}(t-1),    k = 1 .. K-1
    α_k    = 1 - dt / τ_k

With α = 1 - dt/τ each bucket delays by exactly τ and its impulse response has the area of bucket 0 at every time step, so
weights on buckets keep their meaning when `dt_ms` changes.

Source: SpikingGamma (arXiv 2602.01978) for the chain; the linear form of α is this library's choice.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["decay_factors", "gamma_adjoint", "gamma_sequence", "gamma_step", "impulse_response"]


def decay_factors(tau_ms: Float[Tensor, " K"], dt_ms: float) -> Float[Tensor, " K"]:
    """Return the decay per step of each bucket, `1 - dt_ms / tau_ms`, [K].

    Raises:
        SpikingGammaError: The time step is not positive, or longer than the shortest time constant.

    Example:
        >>> decay_factors(torch.tensor([4.0, 8.0]), 2.0)
        tensor([0.5000, 0.7500])
    """
    if not dt_ms > 0.0 or not math.isfinite(dt_ms):
        raise SpikingGammaError("dt_ms", dt_ms, "a positive, finite time step in ms")
    known = tau_ms.detach()
    shortest = int(torch.argmin(known))
    if dt_ms > float(known[shortest]) * (1 + 1e-9):
        raise SpikingGammaError(
            "dt_ms",
            dt_ms,
            f"at most {float(known[shortest]):g} ms, the time constant of bucket {shortest}, the shortest of {len(tau_ms)}",
            "Use a shorter time step, or a net with longer time constants.",
        )
    return (1.0 - dt_ms / tau_ms).clamp_min(0.0)


def gamma_step(
    alpha: Float[Tensor, " K"], buckets: Float[Tensor, "K *cells"], drive: Float[Tensor, " *cells"]
) -> Float[Tensor, "K *cells"]:
    """Run one step of the chain and return the new buckets, [K, ...].

    Args:
        alpha: Decay per step of each bucket, [K].
        buckets: Buckets before the step, [K, ...].
        drive: u(t), [...], usually [B, N].

    Example:
        >>> gamma_step(torch.tensor([0.5, 0.5]), torch.ones(2, 1, 3), torch.zeros(1, 3)).shape
        torch.Size([2, 1, 3])
    """
    decay = alpha.view(-1, *[1] * drive.ndim)
    spill = (1.0 - decay[1:]) * buckets[:-1]
    return decay * buckets + torch.cat([drive.unsqueeze(0), spill])


def gamma_sequence(
    alpha: Float[Tensor, " K"], buckets: Float[Tensor, "K *cells"], drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T K *cells"], Float[Tensor, "K *cells"]]:
    """Run the chain over a sequence by `gamma_step`; return every bucket at every step and the final buckets.

    Args:
        alpha: Decay per step of each bucket, [K].
        buckets: Buckets before the first step, [K, ...].
        drive: u, [T, ...].

    Returns:
        Buckets at every step, [T, K, ...], and the final buckets, [K, ...].
    """
    traces = []
    for u in drive.unbind(0):
        buckets = gamma_step(alpha, buckets, u)
        traces.append(buckets)
    return torch.stack(traces), buckets


def gamma_adjoint(
    alpha: Float[Tensor, " K"], grad: Float[Tensor, "T K *cells"]
) -> tuple[Float[Tensor, "T K *cells"], Float[Tensor, "K *cells"]]:
    """Run the adjoint of the chain backwards in time; return the gradient of the loss by each bucket at each step.

        g_k(t) = α_k g_k(t+1) + (1 - α_{k+1}) g_{k+1}(t+1) + e_k(t)

    Args:
        alpha: Decay per step of each bucket, [K].
        grad: e_k(t) = ∂ℓ/∂h_k(t), the direct part only.

    Returns:
        g [T, K, ...], in which g_0 is ∂ℓ/∂u, and ∂ℓ/∂h_k before the first step, [K, ...].
    """
    decay = alpha.view(-1, *[1] * (grad.ndim - 2))
    carried = torch.zeros_like(grad[0])
    result = []
    for e in reversed(grad.unbind(0)):
        g = carried + e
        result.append(g)
        spilled = torch.cat([(1.0 - decay[1:]) * g[1:], torch.zeros_like(g[:1])])
        carried = decay * g + spilled
    return torch.stack(result[::-1]), carried


def impulse_response(tau_ms: float, order: int, dt_ms: float, steps: int) -> Float[Tensor, "order steps"]:
    """Return each bucket's response to a unit spike at t = 0 in closed form, for equal time constants.

        h_k(t) = C(t, k) α^(t-k) (1-α)^k,    t >= k

    This is the binomial distribution: the share of a spike in bucket k is the probability of k transfers in t trials.

    Args:
        tau_ms: Time constant in ms.
        order: Number of buckets.
        dt_ms: Time step in ms.
        steps: Number of steps.

    Shapes: [order, steps], float64.

    Example:
        >>> impulse_response(8.0, order=2, dt_ms=4.0, steps=3)
        tensor([[1.0000, 0.5000, 0.2500],
                [0.0000, 0.5000, 0.5000]], dtype=torch.float64)
    """
    alpha = 1.0 - dt_ms / tau_ms
    rows = [
        [math.comb(t, k) * alpha ** (t - k) * (1.0 - alpha) ** k if t >= k else 0.0 for t in range(steps)]
        for k in range(order)
    ]
    return torch.tensor(rows, dtype=torch.float64)
