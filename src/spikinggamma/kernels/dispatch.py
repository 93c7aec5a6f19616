"""One place chooses how a scan is computed: compiled for the processor, or step by step in PyTorch."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState
from spikinggamma.kernels import reference
from spikinggamma.kernels.sharing import run_shared

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "signal_adjoint",
    "signal_forward",
    "use",
]

_log = logging.getLogger(__name__)
_choice: ContextVar[str] = ContextVar("spikinggamma_kernels", default="auto")
_announced: set[str] = set()
_TINY = 1e-20


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Force a backend inside a `with` block: "auto", "cpu" (compiled) or "reference" (plain PyTorch)."""
    if name not in ("auto", "cpu", "reference"):
        raise SpikingGammaError("name", name, 'one of "auto", "cpu", "reference"')
    token = _choice.set(name)
    try:
        yield
    finally:
        _choice.reset(token)


def is_compiled(like: Tensor) -> bool:
    fits = like.device.type == "cpu" and like.dtype in (torch.float32, torch.float64)
    chosen = fits and _choice.get() != "reference"
    name = "compiled for the processor" if chosen else f"plain PyTorch on {like.device.type} in {like.dtype}"
    if name not in _announced:
        _announced.add(name)
        _log.info("scans over time: %s", name)
    return chosen


def _real(like: Tensor) -> type[np.floating[Any]]:
    """The elements' own type, for single numbers."""
    return np.float32 if like.dtype == torch.float32 else np.float64


def arrays(*tensors: Tensor) -> tuple[object, ...]:
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """The sigma-delta code of a signal x [T, B, N], of which only the positive part can be told.

    Returns:
        What travels, 2 ϑ(t) n(t) [T, B, N]; the spikes n(t) as int32 [T, B, N], which may be left out, [0, 0, 0], where they
        need not be counted; and the state after the last step.
    """
    if not is_compiled(signal):
        return reference.code_forward(signal, alpha_0, code, dt_ms, state)
    from spikinggamma.kernels import cpu

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
    """x(t) = b + Σ_k v_k h_k(t) over a sequence, without gradients: x [T, B, N] and the last buckets [K, B, N]."""
    if not is_compiled(drive):
        return reference.signal_forward(drive, weight, bias, alpha, buckets)
    from spikinggamma.kernels import cpu

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
    """Adjoint of `signal_forward` in the drive.

    Args:
        blame: δ = ∂ℓ/∂x [T, B, N].
        weight: v [K, N].
        alpha: Decay per step [K].

    Returns:
        r = ∂ℓ/∂u [T, B, N], and ∂ℓ/∂h before the first step [K, B, N].
    """
    if not is_compiled(blame):
        return reference.signal_adjoint(blame, weight, alpha)
    from spikinggamma.kernels import cpu

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


def neuron_adjoint(
    blame: Tensor, signal: Tensor, alpha_0: float, weight: Tensor, alpha: Tensor
) -> tuple[Tensor, Tensor]:
    """Adjoint of `signal_forward` and `code_forward` together in the drive, with ∂ŷ/∂y = 1, where a layer rectifies.

    Args:
        blame: b = ∂ℓ/∂s on what travels [T, B, N].
        signal: x [T, B, N].
        alpha_0: Decay per step of the first bucket, and of the estimate.
        weight: v [K, N].
        alpha: Decay per step [K].

    Returns:
        δ = ∂ℓ/∂x: b(t) - α_0 b(t+1) where x(t) > 0, else zero; and r = ∂ℓ/∂u; both [T, B, N].
    """
    if not is_compiled(blame):
        return reference.neuron_adjoint(blame, signal, alpha_0, weight, alpha)
    from spikinggamma.kernels import cpu

    delta, result = (torch.empty_like(blame, memory_format=torch.contiguous_format) for _ in range(2))
    run_shared(
        cpu.neuron_adjoint,
        blame.numel() * len(alpha),
        *arrays(blame, signal),
        _real(blame)(alpha_0),
        *arrays(weight, alpha),
        _real(blame)(_TINY),
        delta.numpy(),
        result.numpy(),
    )
    return delta, result


def bucket_products(blame: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """∂ℓ/∂v_k = Σ_t Σ_B δ(t) h_k(t) [K, N], with the buckets filled anew from the drive, never stored over time."""
    if not is_compiled(blame):
        return reference.bucket_products(blame, drive, alpha, buckets)
    from spikinggamma.kernels import cpu

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
    """Every bucket at every step: drive [T, B, M] to traces [T, B, K, M], and the last buckets [K, B, M]."""
    if not is_compiled(drive):
        return reference.filter_forward(drive, alpha, buckets)
    from spikinggamma.kernels import cpu

    after = buckets.detach().clone(memory_format=torch.contiguous_format)
    steps, batch, cells = drive.shape
    traces = drive.new_empty(steps, batch, len(alpha), cells)
    run_shared(
        cpu.filter_forward, traces.numel(), *arrays(drive, alpha), _real(drive)(_TINY), after.numpy(), traces.numpy()
    )
    return traces, after


def filter_adjoint(blame: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Adjoint of `filter_forward`: e_k(t) [T, B, K, M] to g_k(t) [T, B, K, M] and ∂ℓ/∂h before the first step [K, B, M]."""
    if not is_compiled(blame):
        return reference.filter_adjoint(blame, alpha)
    from spikinggamma.kernels import cpu

    _, batch, order, cells = blame.shape
    result = torch.empty_like(blame, memory_format=torch.contiguous_format)
    carried = blame.new_empty(order, batch, cells)
    run_shared(
        cpu.filter_adjoint, blame.numel(), *arrays(blame, alpha), _real(blame)(_TINY), carried.numpy(), result.numpy()
    )
    return result, carried
