"""The interface of nets for learning rules and training: a net is run chunk by chunk, and returns its activations."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.registry import Registry

__all__ = [
    "NETS",
    "Activations",
    "LayerOutputs",
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


class SequenceNet(nn.Module, abc.ABC):
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
    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> Any:
        """Return zero states, with new dropout masks if the net is in training mode and `dropout` is true.

        Args:
            batch: Number of recordings.
            generator: Random numbers of dropout.
            dropout: Whether to use dropout.
        """

    @abc.abstractmethod
    def run(self, spikes: Float[Tensor, "T B *in_shape"], state: Any, dt_ms: float) -> tuple[Activations, Any]:
        """Run a chunk of recordings; return its activations and the state after it.

        Args:
            spikes: [T, B, *in_shape].
            state: State before the chunk.
            dt_ms: Time step in ms.
        """

    @abc.abstractmethod
    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: Any = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], Any]:
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
        """Put parameters back into their bounds; to be called after each step of an optimiser."""

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


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of a fully connected net, checked: inputs, hidden layers, classes.

    Raises:
        SpikingGammaError: There are fewer than two, or one is not an integer of at least 1.

    Example:
        >>> checked_sizes([140, 256, 10])
        (140, 256, 10)
    """
    if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
        raise SpikingGammaError("sizes", tuple(sizes), "inputs, hidden layers and classes, each at least 1")
    return tuple(int(size) for size in sizes)


def check_spikes(spikes: Tensor, channels: int, like: Tensor) -> None:
    """Check that a fully connected net can run on a chunk.

    Args:
        spikes: The chunk.
        channels: Number of inputs of the net.
        like: Tensor of the type of the net's parameters.

    Raises:
        SpikingGammaError: The chunk is not [T, B, channels] with at least one step and sample, or its type is not that
            of `like`.
    """
    if spikes.ndim != 3 or spikes.shape[2] != channels or 0 in spikes.shape:
        raise SpikingGammaError("spikes", list(spikes.shape), f"[T, B, {channels}], at least one step and sample")
    if spikes.dtype != like.dtype:
        raise SpikingGammaError("spikes", spikes.dtype, f"{like.dtype}, as the net's parameters")


def check_batch(spikes: Tensor, in_shape: Sequence[int], like: Tensor) -> None:
    """Check that a net can run on a chunk.

    Args:
        spikes: The chunk.
        in_shape: Shape of one sample's input at one step.
        like: Tensor of the type of the net's parameters.

    Raises:
        SpikingGammaError: The chunk is neither [T, B, *in_shape] nor the same with the axes of a sample flattened, has
            no step or no sample, or its type is not that of `like`.
    """
    shape, flat = tuple(in_shape), (torch.Size(in_shape).numel(),)
    if spikes.ndim < 3 or tuple(spikes.shape[2:]) not in (shape, flat) or 0 in spikes.shape:
        wanted = f"[T, B, {', '.join(map(str, shape))}]" + (f" or [T, B, {flat[0]}]" if len(shape) > 1 else "")
        raise SpikingGammaError("spikes", list(spikes.shape), f"{wanted}, at least one step and sample")
    if spikes.dtype != like.dtype:
        raise SpikingGammaError("spikes", spikes.dtype, f"{like.dtype}, as the net's parameters")


def check_state(what: str, found: Sequence[Tensor], batch: int, sizes: Sequence[int]) -> None:
    """Check that states belong to a batch: one tensor [batch, size] for each of the sizes.

    Args:
        what: Description of the states, for the error.
        found: The states.
        batch: Number of recordings.
        sizes: Size of each state.

    Raises:
        SpikingGammaError: They have other shapes.
    """
    shapes, wanted = [list(one.shape) for one in found], [[batch, size] for size in sizes]
    if shapes != wanted:
        remedy = "A state belongs to the batch that made it: start a new recording with state=None."
        raise SpikingGammaError("state", f"{what} of shape {shapes}", f"{wanted} for this batch", remedy)


def checked_factor(factor: float) -> float:
    """Return a factor of thresholds, checked.

    Raises:
        SpikingGammaError: It is not positive and finite.
    """
    if not 0.0 < factor < math.inf:
        raise SpikingGammaError("threshold_scale", factor, "a positive, finite number")
    return factor


def no_thresholds(net: str) -> SpikingGammaError:
    """Return the error for changing thresholds in a net without them."""
    return SpikingGammaError("threshold_scale", f"given for {net}", "neurons that spike", "Leave it out for this net.")


def steps_of_recordings(spikes: Float[Tensor, "T B ..."], lengths: Int[Tensor, " B"] | None) -> Bool[Tensor, "T B"]:
    """Return a mask of the steps that belong to a recording, [T, B]; all steps if `lengths` is None."""
    if lengths is None:
        return torch.ones(spikes.shape[:2], dtype=torch.bool, device=spikes.device)
    return torch.arange(len(spikes), device=spikes.device).unsqueeze(1) < lengths


def level_of(signal: Float[Tensor, "T B ..."], valid: Bool[Tensor, "T B"], layer: int) -> float:
    """Return the root mean square of a layer's signal over the steps of recordings.

    Args:
        signal: [T, B, ...].
        valid: Mask of these steps, [T, B].
        layer: Index of the layer, for the error.

    Raises:
        SpikingGammaError: The signal is zero, so no factor can scale it.
    """
    level = float(signal[valid].square().mean().sqrt())
    if not level > 0.0:
        reached = f"input that reaches layer {layer}"
        raise SpikingGammaError("spikes", "a batch without any event", reached, "Calibrate on real input.")
    return level
