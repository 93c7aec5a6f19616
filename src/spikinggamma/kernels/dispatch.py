"""The choice of how a scan is computed: compiled for the processor, by Triton on a GPU, or step by step in PyTorch."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.kernels import reference

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
    "use",
]

_log = logging.getLogger(__name__)
_choice: ContextVar[str] = ContextVar("spikinggamma_kernels", default="auto")
_announced: set[str] = set()
_NAMES = ("auto", "cpu", "triton", "reference")
_WORDS = {"cpu": "compiled for the processor", "triton": "Triton"}


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Force a backend inside a `with` block: "auto", "cpu" (compiled), "triton" or "reference" (plain PyTorch).

    A scan that the backend cannot compute, such as "cpu" on a GPU or another element type, is computed in plain
    PyTorch. On the processor, "triton" uses Triton's interpreter.

    Raises:
        SpikingGammaError: The name is unknown.
    """
    if name not in _NAMES:
        raise SpikingGammaError("name", name, "one of " + ", ".join(f'"{known}"' for known in _NAMES))
    token = _choice.set(name)
    try:
        yield
    finally:
        _choice.reset(token)


def is_compiled(like: Tensor) -> bool:
    """Return whether scans of such a tensor use the kernels compiled for the processor."""
    return _chosen(like) == "cpu"


def _chosen(like: Tensor) -> str:
    """Return the backend of a scan; each kind is logged once."""
    choice = _choice.get()
    fits = like.dtype in (torch.float32, torch.float64)
    if fits and like.device.type == "cpu" and choice in ("auto", "cpu"):
        name = "cpu"
    elif fits and _has_triton() and (choice == "triton" or (choice == "auto" and like.device.type == "cuda")):
        name = "triton"
    else:
        name = "reference"
    words = _WORDS.get(name, f"plain PyTorch on {like.device.type} in {like.dtype}")
    if words not in _announced:
        _announced.add(words)
        _log.info("scans over time: %s", words)
    return name


@lru_cache(maxsize=1)
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def _backend(like: Tensor) -> Any:
    """Return the module of the backend, imported only when needed, because compilers take seconds to load."""
    name = _chosen(like)
    if name == "reference":
        return reference
    return importlib.import_module(f"spikinggamma.kernels.{'cpu_backend' if name == 'cpu' else 'triton_backend'}")


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """Encode the positive part of a signal by the sigma-delta code.

    Args:
        signal: x, [T, B, N].
        alpha_0: Decay per step of the estimate.
        code: The sigma-delta code.
        dt_ms: Time step in ms.
        state: Estimate and adaptation before the first step.
        counting: Whether spike counts are needed.

    Returns:
        The message 2 ϑ(t) n(t), [T, B, N]; the spikes n(t) as int32, [T, B, N], or possibly [0, 0, 0] if counts are not
        needed; and the final state.
    """
    return _backend(signal).code_forward(signal, alpha_0, code, dt_ms, state, counting=counting)


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """Return x(t) = b + Σ_k v_k h_k(t), [T, B, N], and the final buckets, [K, B, N], without gradients.

    Args:
        drive: u, [T, B, N].
        weight: v, [K, N].
        bias: b, [N].
        alpha: Decay per step of each bucket, [K].
        buckets: h before the first step, [K, B, N].
    """
    return _backend(drive).signal_forward(drive, weight, bias, alpha, buckets)


def signal_adjoint(grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint of `signal_forward` with respect to the drive.

    Args:
        grad: δ = ∂ℓ/∂x, [T, B, N].
        weight: v, [K, N].
        alpha: Decay per step of each bucket, [K].

    Returns:
        r = ∂ℓ/∂u, [T, B, N], and ∂ℓ/∂h before the first step, [K, B, N].
    """
    return _backend(grad).signal_adjoint(grad, weight, alpha)


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
    """Run `signal_forward` and `code_forward` in one.

    Args:
        drive: u, [T, B, N].
        weight: v, [K, N].
        bias: b, [N].
        alpha: Decay per step of each bucket, [K].
        state: State before the first step.
        code: The sigma-delta code.
        dt_ms: Time step in ms.
        counting: Whether spike counts are needed.

    Returns:
        The signal x and the message, both [T, B, N]; the spikes n(t) as in `code_forward`; and the final state.
    """
    return _backend(drive).neuron_forward(drive, weight, bias, alpha, state, code, dt_ms, counting=counting)


def neuron_adjoint(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint of `neuron_forward` for drive, weights and bias, with ∂ŷ/∂y = 1 and rectification.

    Args:
        grad: ∂ℓ/∂s of the message, [T, B, N]; δ = ∂ℓ/∂x is ∂ℓ/∂s(t) - α_0 ∂ℓ/∂s(t+1) where x(t) > 0, else zero.
        signal: x, [T, B, N].
        drive: u of the first S <= T steps, [S, B, N]. Later steps contribute only to ∂ℓ/∂u, as a window needs.
        weight: v, [K, N].
        alpha: Decay per step of each bucket, [K]; that of the first is the decay α_0 of the estimate too.
        buckets: h before the first step, [K, B, N].

    Returns:
        r = ∂ℓ/∂u, [T, B, N]; ∂ℓ/∂v, [K, N], and ∂ℓ/∂b, [N], from δ of the first S steps.
    """
    return _backend(grad).neuron_adjoint(grad, signal, drive, weight, alpha, buckets)


def signal_gradients(
    grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the adjoint of `signal_forward` for drive, weights and bias, as `neuron_adjoint` does from ∂ℓ/∂s.

    Args:
        grad: δ = ∂ℓ/∂x, [T, B, N].
        drive: u of the first S <= T steps, [S, B, N].
        weight: v, [K, N].
        alpha: Decay per step of each bucket, [K].
        buckets: h before the first step, [K, B, N].
    """
    return _backend(grad).signal_gradients(grad, drive, weight, alpha, buckets)


def bucket_products(grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """Return ∂ℓ/∂v_k = Σ_t Σ_B δ(t) h_k(t), [K, N], with buckets computed from the drive and never stored over time.

    Args:
        grad: δ, [T, B, N].
        drive: u, [T, B, N].
        alpha: Decay per step of each bucket, [K].
        buckets: h before the first step, [K, B, N].
    """
    return _backend(grad).bucket_products(grad, drive, alpha, buckets)


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """Return every bucket at every step, [T, B, K, M], and the final buckets, [K, B, M].

    Args:
        drive: u, [T, B, M].
        alpha: Decay per step of each bucket, [K].
        buckets: h before the first step, [K, B, M].
    """
    return _backend(drive).filter_forward(drive, alpha, buckets)


def filter_adjoint(grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return the adjoint of `filter_forward`: g_k(t), [T, B, K, M], and ∂ℓ/∂h before the first step, [K, B, M].

    Args:
        grad: e_k(t) = ∂ℓ/∂h_k(t), [T, B, K, M].
        alpha: Decay per step of each bucket, [K].
    """
    return _backend(grad).filter_adjoint(grad, alpha)
