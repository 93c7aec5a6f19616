"""When numbers stop being finite: say in which layer, and what is still good."""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import SequenceNet

__all__ = ["NotFinite", "first_fault", "has_finite_parameters", "non_finite_error"]


class NotFinite(SpikingGammaError):
    """A loss, gradient or parameter that is not a finite number."""


def non_finite_error(
    what: str, net: SequenceNet, spikes: Tensor | None, dt_ms: float, *, when: str, kept: str
) -> NotFinite:
    """The error for a run whose loss or gradient is not a finite number.

    Args:
        what: For example `loss nan`.
        net: As it is, with the gradients that it has.
        spikes: The batch at fault [T, B, N], if there is one.
        dt_ms: Its time step.
        when: For example `epoch 3, batch 7`.
        kept: What is safe.
    """
    remedy = f"Train anew with a smaller learning.learning_rate or learning.clip_norm. {kept}"
    got = f"{what} in {when}; first fault: {first_fault(net, spikes, dt_ms)}"
    return NotFinite("training", got, "finite numbers", remedy)


def has_finite_parameters(net: SequenceNet) -> bool:
    """Whether every parameter is a finite number."""
    return all(bool(parameter.isfinite().all()) for parameter in net.parameters())


def first_fault(net: SequenceNet, spikes: Tensor | None, dt_ms: float) -> str:
    """Name the first non-finite thing: a parameter, a drive or signal, or else a gradient.

    Parameters, drives and signals are looked at from the input upwards; gradients from the read-out downwards, the way in
    which error signals travel. What a hidden layer sends is not looked at: it shows in the drive of the layer above.
    """
    named = list(net.named_parameters())
    for name, parameter in named:
        if not _finite(parameter):
            return f"parameter {name}"
    if spikes is not None:
        if not _finite(spikes):
            return "the input"
        net.eval()  # no dropout: its random numbers belong to the run
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
