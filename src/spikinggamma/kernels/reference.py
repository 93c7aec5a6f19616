"""The scans in plain PyTorch, step by step: the fallback on any device, and the reference for tests of the others."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.functional import (
    SigmaDelta,
    SigmaDeltaState,
    SpikingGammaState,
    gamma_adjoint,
    gamma_sequence,
    sigma_delta_step,
)

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


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """Encode a signal; see `spikinggamma.kernels.code_forward`; counts are always returned, because they cost little here."""
    del counting
    sent, counts = [], []
    for x in signal.unbind(0):
        height = 2.0 * (code.threshold + state.adaptation)
        out, state = sigma_delta_step(code, alpha_0, dt_ms, state, x)
        sent.append(out)
        counts.append(torch.round(out / height).to(torch.int32))
    return torch.stack(sent), torch.stack(counts), state


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the buckets; see `spikinggamma.kernels.signal_forward`."""
    traces, buckets = gamma_sequence(alpha, buckets, drive)
    return bias + (weight.unsqueeze(1) * traces).sum(1), buckets


def signal_adjoint(grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.signal_adjoint`."""
    g, carried = gamma_adjoint(alpha, grad.unsqueeze(1) * weight.unsqueeze(1))
    return g[:, 0].contiguous(), carried


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
    signal, buckets = signal_forward(drive, weight, bias, alpha, state.buckets)
    before = SigmaDeltaState(state.estimate, state.adaptation)
    sent, counts, after = code_forward(signal, float(alpha[0]), code, dt_ms, before, counting=counting)
    return signal, sent, counts, SpikingGammaState(buckets, *after)


def neuron_adjoint(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.neuron_adjoint`."""
    later = torch.cat([grad[1:], torch.zeros_like(grad[:1])])
    return signal_gradients((grad - alpha[0] * later) * (signal > 0), drive, weight, alpha, buckets)


def signal_gradients(
    grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint for drive, weights and bias; see `spikinggamma.kernels.signal_gradients`."""
    own = grad[: len(drive)]
    return signal_adjoint(grad, weight, alpha)[0], bucket_products(own, drive, alpha, buckets), own.sum((0, 1))


def bucket_products(grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """Return the gradient of the bucket weights; see `spikinggamma.kernels.bucket_products`."""
    traces, _ = gamma_sequence(alpha, buckets, drive)
    return torch.einsum("tbn,tkbn->kn", grad, traces)


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """Return every bucket at every step; see `spikinggamma.kernels.filter_forward`."""
    traces, buckets = gamma_sequence(alpha, buckets, drive)
    return traces.transpose(1, 2).contiguous(), buckets


def filter_adjoint(grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint for the drive; see `spikinggamma.kernels.filter_adjoint`."""
    g, carried = gamma_adjoint(alpha, grad.transpose(1, 2))
    return g.transpose(1, 2).contiguous(), carried
