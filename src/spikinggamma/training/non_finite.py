"""Errors for numbers that are not finite, which name the layer and what is still valid."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import SequenceNet

__all__ = ["NotFinite", "first_fault", "has_finite_parameters", "non_finite_error"]


class NotFinite(SpikingGammaError):
    """A loss, gradient or parameter is not a finite number."""


def non_finite_error(
    what: str, net: SequenceNet, spikes: Tensor | None, dt_ms: float, *, when: str, kept: str
) -> NotFinite:
    """Return the error for a run whose loss or gradient is not a finite number.

    Args:
        what: The number, for example `loss nan`.
        net: The net with its present parameters and gradients.
        spikes: The batch in which it happened, [T, B, N], if there is one.
        dt_ms: Time step in ms.
        when: Point of the training, for example `epoch 3, batch 7`.
        kept: Sentence about what is still valid.
    """
    remedy = f"Train anew with a smaller learning.learning_rate or learning.clip_norm. {kept}"
    got = f"{what} in {when}; first fault: {first_fault(net, spikes, dt_ms)}"
    return NotFinite("training", got, "finite numbers", remedy)


def has_finite_parameters(net: SequenceNet) -> bool:
    """Return whether every parameter is finite."""
    return all(bool(parameter.isfinite().all()) for parameter in net.parameters())


def first_fault(net: SequenceNet, spikes: Tensor | None, dt_ms: float) -> str:
    """Return the name of the first non-finite parameter, drive or signal, or else gradient.

    Parameters, drives and signals are checked from the input upwards, then gradients from the read-out downwards, which is
    the direction of backpropagation. The output of a hidden layer is not checked, since it affects the drive of the next.

    Args:
        net: The net with its present parameters and gradients.
        spikes: The batch, [T, B, N], if there is one.
        dt_ms: Time step in ms.
    """
    named = list(net.named_parameters())
    for name, parameter in named:
        if not _finite(parameter):
            return f"parameter {name}"
    if spikes is not None:
        if not _finite(spikes):
            return "the input"
        net.eval()  # no dropout, whose random numbers must not change the run
        spikes = spikes.to(named[0][1])
        with torch.no_grad():
            activations, _ = net.run(spikes, net.initial_state(spikes.shape[1]), dt_ms)
        for number, layer in enumerate(activations.layers):
            for quantity in ("drive", "signal"):
                tensor = getattr(layer, quantity, None)
                if tensor is not None and not _finite(tensor):
                    return f"{quantity} of layers.{number}"
        if not _finite(activations.layers[-1].outputs):
            return "the logits"
    for name, parameter in reversed(named):
        if parameter.grad is not None and not _finite(parameter.grad):
            return f"gradient of {name}"
    return "none in the net: the loss itself"


@torch.no_grad()
def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
