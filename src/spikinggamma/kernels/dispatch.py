"""One place chooses how a scan is computed: compiled for the processor, by Triton on a GPU, or step by step in PyTorch."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar, cast

import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.kernels import reference

__all__ = [
    "Scans",
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

P = ParamSpec("P")
Result = TypeVar("Result")
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


def with_triton(module: str) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Decorate a scan for the processor: where Triton is chosen, its namesake in that module of this room is called.

    The first tensor among the positional arguments decides.
    """

    def decorate(scan: Callable[P, Result]) -> Callable[P, Result]:
        @functools.wraps(scan)
        def choose(*args: P.args, **kwargs: P.kwargs) -> Result:
            if _chosen(next(one for one in args if isinstance(one, Tensor))) != "triton":
                return scan(*args, **kwargs)
            by_triton = getattr(importlib.import_module(f"spikinggamma.kernels.{module}"), scan.__name__)
            result: Result = by_triton(*args, **kwargs)
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


def _backend(like: Tensor) -> Scans:
    """Return the module of the backend, imported only when needed, because compilers take seconds to load."""
    name = _chosen(like)
    if name == "reference":
        return reference
    module = "cpu_backend" if name == "cpu" else "triton_backend"
    return cast(Scans, importlib.import_module(f"spikinggamma.kernels.{module}"))


class Scans(Protocol):
    """The scans of SpikingGamma layers, which every backend has as functions of these names."""

    def code_forward(
        self,
        signal: Tensor,
        alpha_0: float,
        code: SigmaDelta,
        dt_ms: float,
        state: SigmaDeltaState,
        *,
        counting: bool = True,
    ) -> tuple[Tensor, Tensor, SigmaDeltaState]:
        """The sigma-delta code of a signal x [T, B, N], of which only the positive part can be told.

        Returns:
            What travels, 2 ϑ(t) n(t) [T, B, N]; the spikes n(t) as int32 [T, B, N], which may be left out, [0, 0, 0],
            where they need not be counted; and the state after the last step.
        """

    def signal_forward(
        self, drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, buckets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x(t) = b + Σ_k v_k h_k(t) over a sequence, without gradients: x [T, B, N] and the last buckets [K, B, N]."""

    def signal_adjoint(self, grad: Tensor, weight: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Adjoint of `signal_forward` in the drive.

        Args:
            grad: δ = ∂ℓ/∂x [T, B, N].
            weight: v [K, N].
            alpha: Decay per step [K].

        Returns:
            r = ∂ℓ/∂u [T, B, N], and ∂ℓ/∂h before the first step [K, B, N].
        """

    def neuron_forward(
        self,
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

    def neuron_adjoint(
        self, grad: Tensor, signal: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
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

    def signal_gradients(
        self, grad: Tensor, drive: Tensor, weight: Tensor, alpha: Tensor, buckets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Adjoint of `signal_forward` in the drive, the weights and the bias: as `neuron_adjoint`, from δ = ∂ℓ/∂x [T, B, N]."""

    def bucket_products(self, grad: Tensor, drive: Tensor, alpha: Tensor, buckets: Tensor) -> Tensor:
        """∂ℓ/∂v_k = Σ_t Σ_B δ(t) h_k(t) [K, N], with the buckets filled anew from the drive, never stored over time."""

    def filter_forward(self, drive: Tensor, alpha: Tensor, buckets: Tensor) -> tuple[Tensor, Tensor]:
        """Every bucket at every step: drive [T, B, M] to traces [T, B, K, M], and the last buckets [K, B, M]."""

    def filter_adjoint(self, grad: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Adjoint of `filter_forward`: e_k(t) [T, B, K, M] to g_k(t) [T, B, K, M] and ∂ℓ/∂h before the first step [K, B, M]."""


if TYPE_CHECKING:  # Every backend has these functions, in this form.
    from spikinggamma.kernels import cpu_backend, triton_backend

    _backends: tuple[Scans, ...] = (reference, cpu_backend, triton_backend)


def _dispatched(method: Callable[Concatenate[Scans, P], Result]) -> Callable[P, Result]:
    """Return the function of this name that takes the backend of its first argument."""

    @functools.wraps(method)
    def call(*given: P.args, **named: P.kwargs) -> Result:
        like = given[0] if given else next(iter(named.values()))
        assert isinstance(like, Tensor)
        result: Result = getattr(_backend(like), method.__name__)(*given, **named)
        return result

    signature = inspect.signature(method)
    call.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return call


code_forward = _dispatched(Scans.code_forward)
signal_forward = _dispatched(Scans.signal_forward)
signal_adjoint = _dispatched(Scans.signal_adjoint)
neuron_forward = _dispatched(Scans.neuron_forward)
neuron_adjoint = _dispatched(Scans.neuron_adjoint)
signal_gradients = _dispatched(Scans.signal_gradients)
bucket_products = _dispatched(Scans.bucket_products)
filter_forward = _dispatched(Scans.filter_forward)
filter_adjoint = _dispatched(Scans.filter_adjoint)
