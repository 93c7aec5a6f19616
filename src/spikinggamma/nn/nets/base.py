"""What a net is to whoever teaches it: layers in a row that are run chunk by chunk and leave a tape behind."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
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
    "check_batch",
    "check_spikes",
    "check_state",
    "checked_factor",
    "checked_sizes",
    "level_of",
    "no_thresholds",
    "steps_of_recordings",
]


@runtime_checkable
class Neurons(Protocol):
    """A hidden layer, as far as its spikes are counted."""

    @property
    def neurons(self) -> int:
        """How many it has."""


@runtime_checkable
class LayerOutputs(Protocol):
    """What a chunk of one layer leaves behind, as far as every learning rule and counter reads it."""

    @property
    def outputs(self) -> Tensor:
        """What was sent, [T, B, *shape]; the logits, of the read-out."""

    @property
    def counts(self) -> Tensor | None:
        """Spikes per step, [T, B, N]; None where there are none."""


@runtime_checkable
class Activations(Protocol):
    """What a chunk leaves behind in a net."""

    @property
    def layers(self) -> Sequence[LayerOutputs]:
        """Of every hidden layer, in order, and last of the read-out."""

    @property
    def masks(self) -> tuple[Tensor | None, ...]:
        """Dropout masks of this batch of recordings."""

    def priced(self, cost: Float[Tensor, "T B"]) -> Activations:
        """Return the same with a price of an output at each step."""


@runtime_checkable
class MaskedState(Protocol):
    """What a net hands on from chunk to chunk, as far as learning rules and training know it: a named tuple."""

    @property
    def masks(self) -> tuple[Tensor | None, ...]:
        """Dropout masks of this batch of recordings."""

    def _replace(self, *, masks: tuple[Tensor | None, ...]) -> MaskedState:
        """Return the same with other masks."""


CarriedT = TypeVar("CarriedT", bound=MaskedState, default=Any)
ActivationsT = TypeVar("ActivationsT", bound=Activations, default=Any)


class SequenceNet(nn.Module, abc.ABC, Generic[CarriedT, ActivationsT]):
    """A net that learning rules and training know by these calls alone.

    What `run` leaves behind is for learning rules and for counting: see `Activations`.

    Args:
        dropout: Share of hidden neurons silenced for a whole recording while training; the others speak louder.

    Raises:
        SpikingGammaError: A share that is none.

    Attributes:
        spikes: Whether its hidden layers send spikes, of which reports show rates and rasters.
    """

    spikes: ClassVar[bool] = True

    def __init__(self, dropout: float) -> None:
        super().__init__()
        if not 0.0 <= dropout < 1.0:
            raise SpikingGammaError("dropout", dropout, "a share from 0 up to, but not including, 1")
        self.dropout = dropout

    @property
    @abc.abstractmethod
    def hidden(self) -> Sequence[Neurons]:
        """The layers below the read-out."""

    @property
    @abc.abstractmethod
    def classes(self) -> int:
        """C, the number of outputs."""

    @abc.abstractmethod
    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> CarriedT:
        """Zero states, and fresh dropout masks where the net is in training mode and `dropout` is wanted."""

    @abc.abstractmethod
    def run(
        self, spikes: Float[Tensor, "T B *in_shape"], state: CarriedT, dt_ms: float
    ) -> tuple[ActivationsT, CarriedT]:
        """Run a chunk of recordings: return what it leaves behind, and the state after it."""

    @abc.abstractmethod
    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: CarriedT | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], CarriedT]:
        """Return logits at every step and the state after the last, differentiable by autograd.

        None starts a recording. A state that is handed on carries no gradient: what is learnt from a chunk ends at its start.
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
        """Scale each layer's weights, from the input upwards, until its signal is of the right size on this batch."""

    @abc.abstractmethod
    def scale_thresholds_(self, factor: float) -> None:
        """Multiply the thresholds of all neurons: the dial between few spikes and faithful ones.

        Raises:
            SpikingGammaError: A factor that is not positive, or a net without thresholds.
        """

    def constrain_(self) -> None:
        """Put parameters back into their bounds; to be called after each step of an optimiser."""

    def dropout_masks(
        self, batch: int, shapes: Sequence[Sequence[int]], generator: torch.Generator | None, wanted: bool, like: Tensor
    ) -> tuple[Float[Tensor, "B *out_shape"] | None, ...]:
        """A mask for each hidden layer: zero with probability `dropout`, and else as much louder; None for no dropout."""
        if not (wanted and self.training and self.dropout > 0.0):
            return (None,) * len(shapes)
        drawn = [torch.rand(batch, *shape, generator=generator) for shape in shapes]
        return tuple((one >= self.dropout).to(like) / (1.0 - self.dropout) for one in drawn)


NETS: Registry[type[SequenceNet]] = Registry("net")


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes of a fully connected net: inputs, hidden layers, classes.

    Raises:
        SpikingGammaError: Fewer than two, or one that is no whole number of at least 1.

    Example:
        >>> checked_sizes([140, 256, 10])
        (140, 256, 10)
    """
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise SpikingGammaError("sizes", tuple(sizes), "inputs, hidden layers and classes, each at least 1")
    return tuple(int(size) for size in sizes)


def check_spikes(spikes: Tensor, channels: int, like: Tensor) -> None:
    """See that a fully connected net can be run on a chunk.

    Raises:
        SpikingGammaError: Not [T, B, channels] with at least one step and sample, or of another number type than `like`.
    """
    if spikes.ndim != 3 or spikes.shape[2] != channels or 0 in spikes.shape:
        raise SpikingGammaError("spikes", list(spikes.shape), f"[T, B, {channels}], at least one step and sample")
    if spikes.dtype != like.dtype:
        raise SpikingGammaError("spikes", spikes.dtype, f"{like.dtype}, as the net's parameters")


def check_batch(spikes: Tensor, in_shape: Sequence[int], like: Tensor) -> None:
    """Check that a net can be run on a chunk.

    Raises:
        SpikingGammaError: Neither [T, B, *in_shape] nor the same with the axes of a sample as one, no step or no sample, or
            another number type than `like`.
    """
    shape, flat = tuple(in_shape), (torch.Size(in_shape).numel(),)
    if spikes.ndim < 3 or tuple(spikes.shape[2:]) not in (shape, flat) or 0 in spikes.shape:
        wanted = f"[T, B, {', '.join(map(str, shape))}]" + (f" or [T, B, {flat[0]}]" if len(shape) > 1 else "")
        raise SpikingGammaError("spikes", list(spikes.shape), f"{wanted}, at least one step and sample")
    if spikes.dtype != like.dtype:
        raise SpikingGammaError("spikes", spikes.dtype, f"{like.dtype}, as the net's parameters")


def check_state(what: str, found: Sequence[Tensor], batch: int, sizes: Sequence[int]) -> None:
    """See that states belong to a batch: one of [batch, size] for each of the sizes.

    Raises:
        SpikingGammaError: They do not; `what` they are of is said.
    """
    shapes, wanted = [list(one.shape) for one in found], [[batch, size] for size in sizes]
    if shapes != wanted:
        remedy = "A state belongs to the batch that made it: start a new recording with state=None."
        raise SpikingGammaError("state", f"{what} of shape {shapes}", f"{wanted} for this batch", remedy)


def checked_factor(factor: float) -> float:
    """A factor of thresholds.

    Raises:
        SpikingGammaError: It is not positive and finite.
    """
    if not 0.0 < factor < math.inf:
        raise SpikingGammaError("threshold_scale", factor, "a positive, finite number")
    return factor


def no_thresholds(net: str) -> SpikingGammaError:
    """What to raise where thresholds of such a net are to be changed."""
    return SpikingGammaError("threshold_scale", f"given for {net}", "neurons that spike", "Leave it out for this net.")


def steps_of_recordings(spikes: Float[Tensor, "T B ..."], lengths: Int[Tensor, " B"] | None) -> Bool[Tensor, "T B"]:
    """Which steps of a batch belong to a recording; all where `lengths` is None."""
    if lengths is None:
        return torch.ones(spikes.shape[:2], dtype=torch.bool, device=spikes.device)
    return torch.arange(len(spikes), device=spikes.device).unsqueeze(1) < lengths


def level_of(signal: Float[Tensor, "T B ..."], valid: Bool[Tensor, "T B"], layer: int) -> float:
    """Root mean square of a layer's signal over the steps of recordings.

    Raises:
        SpikingGammaError: It is zero, so that no factor can make it right.
    """
    level = float(signal[valid].square().mean().sqrt())
    if not level > 0.0:
        reached = f"input that reaches layer {layer}"
        raise SpikingGammaError("spikes", "a batch without any event", reached, "Calibrate on real input.")
    return level
