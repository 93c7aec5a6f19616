"""One place chooses how a scan is computed: compiled for the processor, by Triton on a GPU, or step by step in PyTorch."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

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

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)
_choice: ContextVar[str] = ContextVar("spikinggamma_kernels", default="auto")
_announced: set[str] = set()
_NAMES = ("auto", "cpu", "triton", "reference")
_WORDS = {"cpu": "compiled for the processor", "triton": "Triton"}


@contextlib.contextmanager
def use(name: str) -> Iterator[None]:
    """Force a backend inside a `with` block: "auto", "cpu" (compiled), "triton" or "reference" (plain PyTorch).

    What cannot run somewhere, "cpu" on a GPU or another element type, is plain PyTorch there. "triton" on the processor is for
    Triton's interpreter.
    """
    if name not in _NAMES:
        raise SpikingGammaError("name", name, "one of " + ", ".join(f'"{known}"' for known in _NAMES))
    token = _choice.set(name)
    try:
        yield
    finally:
        _choice.reset(token)


def is_compiled(like: Tensor) -> bool:
    """Whether a scan of such a tensor goes to the kernels that are compiled for the processor."""
    return _chosen(like) == "cpu"


def has_scan(*tensors: Tensor) -> bool:
    """Whether a scan over these is computed in one go, compiled or by Triton.

    They must have one device and one element type, which allow it, and no other choice must have been made.
    """
    first = tensors[0]
    alike = all(one.dtype == first.dtype and one.device == first.device for one in tensors)
    return alike and _chosen(first) != "reference"


def with_triton(module: str) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """Decorate a scan for the processor: where Triton is chosen, its namesake in that module of this room is called.

    The first tensor among the positional arguments decides.
    """

    def decorate(scan: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        @functools.wraps(scan)
        def choose(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            if _chosen(next(one for one in args if isinstance(one, Tensor))) != "triton":
                return scan(*args, **kwargs)
            by_triton = getattr(importlib.import_module(f"spikinggamma.kernels.{module}"), scan.__name__)
            result: _Result = by_triton(*args, **kwargs)
            return result

        return choose

    return decorate


def _chosen(like: Tensor) -> str:
    """The backend of a scan, told once for each kind."""
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
    """The module that does it; loaded when it is needed, for compilers take seconds to load."""
    name = _chosen(like)
    if name == "reference":
        return reference
    return importlib.import_module(f"spikinggamma.kernels.{'cpu_backend' if name == 'cpu' else 'triton_backend'}")


def code_forward(
    signal: Tensor, alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState, *, counting: bool = True
) -> tuple[Tensor, Tensor, SigmaDeltaState]:
    """The sigma-delta code of a signal x [T, B, N], of which only the positive part can be told.

    Returns:
        What travels, 2 ϑ(t) n(t) [T, B, N]; the spikes n(t) as int32 [T, B, N], which may be left out, [0, 0, 0], where they
        need not be counted; and the state after the last step.
    """
    return _backend(signal).code_forward(signal, alpha_0, code, dt_ms, state, counting=counting)


def signal_forward(
    drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor]:
    """x(t) = b + Σ_k v_k h_k(t) over a sequence, without gradients: x [T, B, N] and the last buckets [K, B, N]."""
    return _backend(drive).signal_forward(drive, weight, bias, alpha, buckets)


def signal_adjoint(grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Adjoint of `signal_forward` in the drive.

    Args:
        blame: δ = ∂ℓ/∂x [T, B, N].
        weight: v [K, N].
        alpha: Decay per step [K].

    Returns:
        r = ∂ℓ/∂u [T, B, N], and ∂ℓ/∂h before the first step [K, B, N].
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
    """`signal_forward` and `code_forward` in one: x and what travels [T, B, N], the spikes n(t), and the state after."""
    return _backend(drive).neuron_forward(drive, weight, bias, alpha, state, code, dt_ms, counting=counting)


def neuron_adjoint(
    grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Adjoint of `neuron_forward` in the drive, the weights and the bias, with ∂ŷ/∂y = 1, where a layer rectifies.

    Args:
        grad: ∂ℓ/∂s of what travels [T, B, N]; δ = ∂ℓ/∂x is ∂ℓ/∂s(t) - α_0 ∂ℓ/∂s(t+1) where x(t) > 0, else zero.
        signal: x [T, B, N].
        drive: u of the first S steps [S, B, N], at most T. Later steps contribute to ∂ℓ/∂u alone, as a window needs it.
        weight: v [K, N].
        alpha: Decay per step [K]; α_0, of the first bucket, is that of the estimate too.
        buckets: h before the first step [K, B, N].

    Returns:
        r = ∂ℓ/∂u [T, B, N]; ∂ℓ/∂v [K, N] and ∂ℓ/∂b [N] of δ in the first S steps.
    """
    return _backend(grad).neuron_adjoint(grad, signal, drive, weight, alpha, buckets)


def signal_gradients(
    grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Adjoint of `signal_forward` in the drive, the weights and the bias: as `neuron_adjoint`, from δ = ∂ℓ/∂x [T, B, N]."""
    return _backend(grad).signal_gradients(grad, drive, weight, alpha, buckets)


def bucket_products(grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
    """∂ℓ/∂v_k = Σ_t Σ_B δ(t) h_k(t) [K, N], with the buckets filled anew from the drive, never stored over time."""
    return _backend(grad).bucket_products(grad, drive, alpha, buckets)


def filter_forward(drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
    """Every bucket at every step: drive [T, B, M] to traces [T, B, K, M], and the last buckets [K, B, M]."""
    return _backend(drive).filter_forward(drive, alpha, buckets)


def filter_adjoint(grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Adjoint of `filter_forward`: e_k(t) [T, B, K, M] to g_k(t) [T, B, K, M] and ∂ℓ/∂h before the first step [K, B, M]."""
    return _backend(grad).filter_adjoint(grad, alpha)
