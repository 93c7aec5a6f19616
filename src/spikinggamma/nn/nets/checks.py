"""Checks of the inputs of nets, and of the signals that calibration measures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = [
    "check_batch",
    "check_spikes",
    "check_state",
    "checked_factor",
    "checked_sizes",
    "level_of",
    "no_thresholds",
    "steps_of_recordings",
]


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
