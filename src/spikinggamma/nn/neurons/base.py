"""The interface of neurons: a class defines options, state, one step, and the response without spikes."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.state import StateT, StateTree, check_state, map_tensors, tensors_of
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


class Neuron(Layer[StateT]):
    """Base class of neurons of one kind, in any shape: drive in, spikes out.

    A kind of neuron is a subclass in a file of its own, registered in `NEURONS`. It defines its state and its step.
    Sequences, chunks, nets, recurrence, learning rules, recipes, reports and citations are derived from these. Parameters of
    its own hold one number for each neuron, or have a shape that broadcasts to that of the neurons.

    Args:
        shape: Shape of one sample's neurons, for example `(128,)` or `(16, 17, 17)`.
        options: Options of the kind, or values by name; missing values have their defaults.
        generator: Random numbers of the neuron's own parameters, if it has any.

    Attributes:
        State: Named tuple of the state, in which every part is a tensor [B, *shape], zero at the start of a recording.
        scan: Compiled sequence, `scan(neuron, drive, state, dt_ms)` over [T, B, N], or None for a loop over `step`.
        recurrent_scan: The same with recurrent weights [N, N] and the spikes of the step before the first [B, N],
            `recurrent_scan(neuron, drive, state, dt_ms, weight, said)`; or None.
        leak: Dynamics in closed form, `leak(neuron, dt_ms)`, for neurons whose state follows constant linear dynamics,
            apart from effects of spikes that pass no gradient; needs `slope`. If it is None, learning rules determine
            the dynamics from `step`.
        slope: Slope ∂s/∂m of the surrogate at each step of a sequence, `slope(neuron, drive, state, dt_ms)`, which is
            faster than the derivative of `step`; or None.

    Raises:
        SpikingGammaError: An option is unknown or out of range.

    Shapes: drive [T, B, *shape] to spikes [T, B, *shape].
    """

    State: ClassVar[Callable[..., tuple[Tensor, ...]]]
    scan: ClassVar[Callable[..., tuple[Tensor, StateTree]] | None] = None
    recurrent_scan: ClassVar[Callable[..., tuple[Tensor, StateTree]] | None] = None
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
        # Records the type and the device of neurons without parameters.
        self.register_buffer("_like", torch.zeros(()), persistent=False)

    @property
    def neurons(self) -> int:
        """Return the number of neurons."""
        return torch.Size(self.out_shape).numel()

    @abc.abstractmethod
    def step(
        self, state: StateT, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], StateT]:
        """Return the spikes of one step and the state after it; differentiable, with each neuron independent of others.

        Args:
            state: State before the step.
            drive: [B, *shape].
            dt_ms: Time step in ms.
        """

    @abc.abstractmethod
    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane of neurons that never spike, in units of their threshold, as `calibrate` measures it.

        Args:
            drive: [T, B, *shape].
            dt_ms: Time step in ms.
        """

    def initial_state(self, batch: int) -> StateT:
        """Return the state at the start of `batch` recordings, all zero."""
        parts = len(self.State._fields)  # type: ignore[attr-defined]
        zero = self.State(*self.get_buffer("_like").new_zeros(parts, batch, *self.out_shape).unbind(0))
        return cast(StateT, zero)

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: StateT, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], StateT]:
        """Return the spikes at every step and the final state, by `scan` if there is one, else step by step.

        Args:
            x: Drive, [T, B, *shape].
            state: State before the first step.
            dt_ms: Time step in ms.
        """
        check_state("neurons", tensors_of(state), x.shape[1], self.out_shape)
        if self.scan is None:
            return self.unrolled(x, state, dt_ms)
        # Compiled scans take only [T, B, N].
        flat = map_tensors(lambda part: part.flatten(1), state)
        spikes, after = type(self).scan(self, x.flatten(2), flat, dt_ms)  # type: ignore[misc]
        whole = map_tensors(lambda part: part.view(len(part), *self.out_shape), after)
        return spikes.view(x.shape), cast(StateT, whole)

    def unrolled(
        self, drive: Float[Tensor, "T B *shape"], state: StateT, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], StateT]:
        """Return the same as `forward`, by a loop over `step`; see `Neuron.forward`."""
        spikes = []
        for u in drive.unbind(0):
            out, state = self.step(state, u, dt_ms)
            spikes.append(out)
        return torch.stack(spikes), state

    def scale_threshold_(self, factor: float) -> None:
        """Multiply the resting threshold by `factor`.

        Raises:
            SpikingGammaError: This kind of neuron has no option `threshold`.
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
        SpikingGammaError: The class is not registered.
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

    Args:
        kind: Name of the kind.
        shape: Shape of one sample's neurons.
        options: Options of the kind, or values by name; missing values have their defaults.
        generator: Random numbers of the neuron's own parameters, if it has any.

    Raises:
        SpikingGammaError: The kind is unknown, or an option is unknown or out of range.

    Example:
        >>> make_neuron("lif", (8,), {"tau_ms": 12.0}).options.tau_ms
        12.0
    """
    return NEURONS.find(kind, argument="neuron").target(shape, options, generator)
