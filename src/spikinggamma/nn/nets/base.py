"""The interface of nets for learning rules and training: a net is run chunk by chunk, and returns its activations."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from typing_extensions import TypeVar

from spikinggamma.errors import SpikingGammaError
from spikinggamma.registry import Registry

__all__ = [
    "NETS",
    "Activations",
    "LayerOutputs",
    "MaskedState",
    "Neurons",
    "SequenceNet",
]


@runtime_checkable
class Neurons(Protocol):
    """A hidden layer, as counters of its spikes see it."""

    @property
    def neurons(self) -> int:
        """Return the number of neurons."""


@runtime_checkable
class LayerOutputs(Protocol):
    """Activations of one layer in a chunk, as far as all learning rules and counters read them."""

    @property
    def outputs(self) -> Tensor:
        """Return the output of the layer, [T, B, *shape]; the logits for the read-out."""

    @property
    def counts(self) -> Tensor | None:
        """Return the spikes per step, [T, B, N]; None for a layer that does not spike."""


@runtime_checkable
class Activations(Protocol):
    """Activations of a net in a chunk."""

    @property
    def layers(self) -> Sequence[LayerOutputs]:
        """Return the activations of every hidden layer, in order, followed by those of the read-out."""

    @property
    def masks(self) -> tuple[Tensor | None, ...]:
        """Return the dropout masks of this batch of recordings."""

    def priced(self, cost: Float[Tensor, "T B"]) -> Activations:
        """Return the same activations with an activity cost at each step, [T, B]."""


@runtime_checkable
class MaskedState(Protocol):
    """The state of a net between chunks, as learning rules and training use it: a named tuple with dropout masks."""

    @property
    def masks(self) -> tuple[Tensor | None, ...]:
        """Return the dropout masks of this batch of recordings."""

    def _replace(self, *, masks: tuple[Tensor | None, ...]) -> MaskedState:
        """Return the same state with other masks."""


CarriedT = TypeVar("CarriedT", bound=MaskedState, default=Any)
ActivationsT = TypeVar("ActivationsT", bound=Activations, default=Any)


class SequenceNet(nn.Module, abc.ABC, Generic[CarriedT, ActivationsT]):
    """Base class of nets, with all methods that learning rules and training use.

    The activations that `run` returns are for learning rules and counters; see `Activations`.

    Args:
        dropout: Probability that a hidden neuron is silenced for a whole recording in training; the outputs of the
            others are scaled up.

    Raises:
        SpikingGammaError: The probability is not between 0 and 1.

    Attributes:
        spikes: Whether hidden layers spike, so that reports show rates and rasters.
    """

    spikes: ClassVar[bool] = True

    def __init__(self, dropout: float) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise SpikingGammaError("dropout", dropout, "a probability of at least 0 and below 1")
        self.dropout = dropout

    @property
    @abc.abstractmethod
    def hidden(self) -> Sequence[Neurons]:
        """Return the layers below the read-out."""

    @property
    @abc.abstractmethod
    def classes(self) -> int:
        """Return C, the number of outputs."""

    @abc.abstractmethod
    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> CarriedT:
        """Return zero states, with new dropout masks if the net is in training mode and `dropout` is true.

        Args:
            batch: Number of recordings.
            generator: Random numbers of dropout.
            dropout: Whether to use dropout.
        """

    @abc.abstractmethod
    def run(
        self, spikes: Float[Tensor, "T B *in_shape"], state: CarriedT, dt_ms: float
    ) -> tuple[ActivationsT, CarriedT]:
        """Run a chunk of recordings; return its activations and the state after it.

        Args:
            spikes: [T, B, *in_shape].
            state: State before the chunk.
            dt_ms: Time step in ms.
        """

    @abc.abstractmethod
    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: CarriedT | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], CarriedT]:
        """Return logits at every step and the final state, differentiable by autograd.

        Args:
            spikes: [T, B, *in_shape].
            state: State of the call before, which carries no gradient, so learning from a chunk ends at its start; None
                starts a recording.
            dt_ms: Time step in ms.
        """

    @abc.abstractmethod
    def calibrate(
        self,
        spikes: Float[Tensor, "T B *in_shape"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 1.0,
    ) -> list[float]:
        """Scale the weights of each layer, from the input upwards, until its signal has the right size on this batch.

        Args:
            spikes: [T, B, *in_shape].
            dt_ms: Time step in ms.
            lengths: Number of steps of each recording, [B]; None without padding.
            signal_per_threshold: Root mean square of the signal of a hidden layer, in thresholds.

        Returns:
            The factor of each layer's weights.
        """

    @abc.abstractmethod
    def scale_thresholds_(self, factor: float) -> None:
        """Multiply the thresholds of all neurons: higher thresholds give fewer spikes and a less faithful code.

        Raises:
            SpikingGammaError: The factor is not positive, or the net has no thresholds.
        """

    def constrain_(self) -> None:
        """Put delays and other bounded parameters back into their bounds; to be called after each step of an optimiser."""
        for module in self.modules():
            constrain = None if module is self else getattr(module, "constrain_", None)
            if callable(constrain):
                constrain()

    def dropout_masks(
        self, batch: int, shapes: Sequence[Sequence[int]], generator: torch.Generator | None, wanted: bool, like: Tensor
    ) -> tuple[Float[Tensor, "B *out_shape"] | None, ...]:
        """Return a mask for each hidden layer, zero with probability `dropout`, else scaled up; None without dropout.

        Args:
            batch: Number of recordings.
            shapes: Shape of one sample's output of each layer.
            generator: Random numbers.
            wanted: Whether to use dropout.
            like: Tensor with the type and device of the masks.
        """
        if not (wanted and self.training and self.dropout > 0.0):
            return (None,) * len(shapes)
        drawn = [torch.rand(batch, *shape, generator=generator) for shape in shapes]
        return tuple((one >= self.dropout).to(like) / (1.0 - self.dropout) for one in drawn)


NETS: Registry[type[SequenceNet]] = Registry("net")
