"""The contract of a neuron: one file says its options, its state, one step, and its answer while it does not spike."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.state import check_state, map_tensors, tensors_of
from spikinggamma.options import Options
from spikinggamma.registry import Entry, Registry

__all__ = ["NEURONS", "Leak", "Neuron", "make_neuron"]


class Leak(NamedTuple):
    """Linear dynamics of S numbers that are the same for all neurons at all times: z' = A z + b u, m = γ z + ε u.

    Attributes:
        state: A, [S, S].
        drive: b, [S].
        out_state: γ of the membrane m, [S].
        out_drive: ε of the membrane m, a number.
    """

    state: Float[Tensor, "S S"]
    drive: Float[Tensor, " S"]
    out_state: Float[Tensor, " S"]
    out_drive: Float[Tensor, ""]


class Neuron(Layer):
    """Neurons of one kind, side by side in any shape: drive in, spikes out, at most a few a step.

    A kind of neuron is a subclass in a file of its own, registered in `NEURONS`. It says its state and its step; sequences,
    chunks, nets, recurrence, learning rules, recipes, reports and citations follow from these. Parameters of its own are
    numbers of each neuron, of the shape of the neurons or one that broadcasts to it.

    Args:
        shape: Shape of one sample's neurons, for example `(128,)` or `(16, 17, 17)`.
        options: Of the class's own kind; a mapping of values or None is completed by defaults.
        generator: Random numbers of its own parameters, where it has some.

    Attributes:
        State: The named tuple of the state: every part a tensor [B, *shape], zero at the start of a recording.
        scan: The same sequence as compiled code, `scan(neuron, drive, state, dt_ms)` over [T, B, N], or None for the loop
            over `step`.
        recurrent_scan: The same for neurons that hear one another a step late, `recurrent_scan(neuron, drive, state, dt_ms,
            weight, said)` with recurrent weights [N, N] and the spikes of the step before the first [B, N]; or None.
        leak: For neurons whose state follows constant linear dynamics while what a spike does to it passes no gradient: these
            dynamics in closed form, `leak(neuron, dt_ms)`, with `slope`; or None, and learning rules find them out.
        slope: The surrogate's slope ∂s/∂m at each step of a sequence, `slope(neuron, drive, state, dt_ms)`, faster than from
            `step`; or None.

    Shapes: drive [T, B, *shape] to spikes [T, B, *shape].
    """

    State: ClassVar[Callable[..., Any]]
    scan: ClassVar[Callable[..., Any] | None] = None
    recurrent_scan: ClassVar[Callable[..., Any] | None] = None
    leak: ClassVar[Callable[..., Leak] | None] = None
    slope: ClassVar[Callable[..., Tensor] | None] = None

    def __init__(
        self,
        shape: Sequence[int],
        options: Options | Mapping[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.out_shape = tuple(int(side) for side in shape)
        self.options = entry_of(type(self)).make_options(options, argument="neuron")
        # Of no use but to know the type and the device, for neurons without parameters.
        self.register_buffer("_like", torch.zeros(()), persistent=False)

    @property
    def neurons(self) -> int:
        """Return how many there are."""
        return torch.Size(self.out_shape).numel()

    @abc.abstractmethod
    def step(self, state: Any, drive: Float[Tensor, "B *shape"], dt_ms: float) -> tuple[Float[Tensor, "B *shape"], Any]:
        """Return the spikes of one step and the state after it; differentiable, each neuron by itself."""

    @abc.abstractmethod
    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane of neurons that never spike, in units of their threshold: what `calibrate` measures."""

    def initial_state(self, batch: int) -> Any:
        """Return the state of `batch` recordings at their start: all zero."""
        parts = len(self.State._fields)  # type: ignore[attr-defined]
        return self.State(*self.get_buffer("_like").new_zeros(parts, batch, *self.out_shape).unbind(0))

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: Any, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], Any]:
        """Return spikes at every step and the state after the last: compiled where there is a scan, else step by step."""
        check_state("neurons", tensors_of(state), x.shape[1], self.out_shape)
        if self.scan is None:
            return self.unrolled(x, state, dt_ms)
        # Compiled scans know [T, B, N] alone.
        flat = map_tensors(lambda part: part.flatten(1), state)
        spikes, after = type(self).scan(self, x.flatten(2), flat, dt_ms)  # type: ignore[misc]
        return spikes.view(x.shape), map_tensors(lambda part: part.view(len(part), *self.out_shape), after)

    def unrolled(
        self, drive: Float[Tensor, "T B *shape"], state: Any, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], Any]:
        """Return the same by the loop over `step`."""
        spikes = []
        for u in drive.unbind(0):
            out, state = self.step(state, u, dt_ms)
            spikes.append(out)
        return torch.stack(spikes), state

    def scale_threshold_(self, factor: float) -> None:
        """Multiply the threshold at rest by `factor`.

        Raises:
            SpikingGammaError: This kind has no option `threshold`.
        """
        if "threshold" not in type(self.options).model_fields:
            kind = type(self).__name__
            raise SpikingGammaError("threshold_scale", f"neurons of kind {kind}", "neurons with an option `threshold`")
        self.options = self.options.model_copy(update={"threshold": factor * self.options.threshold})

    def extra_repr(self) -> str:
        """Return the shape and the options."""
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.options if value not in ({}, ""))
        return f"{self.out_shape}, {chosen}"


NEURONS: Registry[type[Neuron]] = Registry("neuron")


def entry_of(kind: type[Neuron]) -> Entry[type[Neuron]]:
    """Return the entry of a class of neurons.

    Raises:
        SpikingGammaError: It is not registered.
    """
    name = NEURONS.name_of(kind)
    if not name:
        remedy = 'Put @NEURONS.register("name", options=...) above the class.'
        raise SpikingGammaError("neuron", f"{kind.__name__}, which is not registered", "a registered class", remedy)
    return NEURONS[name]


def make_neuron(
    kind: str,
    shape: Sequence[int],
    options: Options | Mapping[str, Any] | None = None,
    generator: torch.Generator | None = None,
) -> Neuron:
    """Return neurons by the name of their kind in `NEURONS`.

    Raises:
        SpikingGammaError: There is no such kind, or an option is unknown or out of range.

    Example:
        >>> make_neuron("lif", (8,), {"tau_ms": 12.0}).options.tau_ms
        12.0
    """
    return NEURONS.find(kind, argument="neuron").target(shape, options, generator)
