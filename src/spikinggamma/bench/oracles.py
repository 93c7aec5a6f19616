"""Two independent oracles for gradients: autograd of the specification, and finite differences.

Neither uses the code that it checks. The first unrolls the functional step of `spikinggamma.functional` over time and lets
autograd differentiate a loss that is written from its definition (`loss_oracles`); it uses no kernel, no hand-derived adjoint
and no `Loss`. The second uses only the value of that loss; it needs a net that is a differentiable function of its parameters,
that is one that passes the signal itself instead of spikes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from spikinggamma.bench.loss_oracles import reference_activity, reference_loss
from spikinggamma.bench.problems import DT_MS, Case, Problem
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import (
    SigmaDeltaState,
    SpikingGammaParameters,
    SpikingGammaState,
    decay_factors,
    gamma_sequence,
    sigma_delta_step,
    spiking_gamma_sequence,
)
from spikinggamma.nn import Conv2d, Dense, GammaLayer, GammaNet, PerSynapse

__all__ = [
    "Gradient",
    "autograd_gradient",
    "finite_difference_gradient",
    "mask_generator",
    "reference_net",
]

Gradient = dict[str, Tensor]


def autograd_gradient(problem: Problem, ask: Case) -> Gradient:
    """Return the gradient by every parameter, by autograd through the unrolled specification."""
    net = problem.net
    masks = net.initial_state(problem.spikes.shape[1], generator=mask_generator()).masks
    logits, outputs = reference_net(net, problem.spikes, DT_MS, masks=masks)
    loss = _loss(problem, ask, logits, outputs)
    names, parameters = zip(*net.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


@torch.no_grad()
def finite_difference_gradient(problem: Problem, ask: Case, *, step: float = 1e-5) -> Gradient:
    """Return the gradient by every parameter, by central differences (ℓ(θ + h) - ℓ(θ - h)) / 2h.

    The error is of order h² if no rectifier switches between the two values; h = 1e-5 balances it against rounding.

    Args:
        problem: The net and the batch.
        ask: The loss and the targets.
        step: h.
    """

    def value() -> float:
        state = problem.net.initial_state(problem.spikes.shape[1])
        *hidden, last = problem.net.run(problem.spikes, state, DT_MS)[0].layers
        outputs = [
            _output(layer, activations.signal) for layer, activations in zip(problem.net.hidden, hidden, strict=True)
        ]
        return float(_loss(problem, ask, last.signal, outputs))

    found = {}
    for name, parameter in problem.net.named_parameters():
        flat = parameter.view(-1)
        gradient = torch.zeros_like(flat)
        for index in range(len(flat)):
            kept = float(flat[index])
            flat[index] = kept + step
            above = value()
            flat[index] = kept - step
            gradient[index] = (above - value()) / (2 * step)
            flat[index] = kept
        found[name] = gradient.view_as(parameter)
    return found


def mask_generator() -> torch.Generator:
    """Return the random generator of dropout, so that oracle and rule draw the same masks."""
    return torch.Generator().manual_seed(0)


def reference_net(
    net: GammaNet, spikes: Float[Tensor, "T B ..."], dt_ms: float, *, masks: Sequence[Tensor | None] | None = None
) -> tuple[Float[Tensor, "T B C"], list[Float[Tensor, "T B N"]]]:
    """Run the net by its equations from a zero state; return logits, and y of each hidden layer.

    Args:
        net: The net, whose parameters are differentiated.
        spikes: Input.
        dt_ms: Time step [ms].
        masks: Dropout mask of each hidden layer, [B, *out_shape]; None for no dropout.
    """
    sent, outputs = spikes * net.input_gain, []
    for layer, mask in zip(net.hidden, masks or (None,) * len(net.hidden), strict=True):
        sent, signal = _reference_layer(layer, sent.reshape(*sent.shape[:2], *layer.in_shape), dt_ms)
        sent = sent if mask is None else sent * mask.flatten(1)
        outputs.append(_output(layer, signal))
    last = net.stack[-1]
    return _reference_layer(last, sent.reshape(*sent.shape[:2], *last.in_shape), dt_ms)[1], outputs


def _loss(problem: Problem, ask: Case, logits: Tensor, outputs: Sequence[Tensor]) -> Float[Tensor, ""]:
    """Return the loss of a batch, with its activity cost in units of the resting threshold."""
    units = [1.0 if layer.code is None else layer.code.threshold for layer in problem.net.hidden]
    loss = reference_loss(ask.loss, logits, ask.targets, problem.lengths, DT_MS)
    return loss + ask.activity_cost * reference_activity(outputs, problem.lengths, units)


def _output(layer: GammaLayer, signal: Tensor) -> Tensor:
    return torch.relu(signal) if layer.rectify else signal


def _reference_layer(layer: GammaLayer, spikes: Tensor, dt_ms: float) -> tuple[Tensor, Tensor]:
    """Return a layer's messages and its signal, flattened to [T, B, N]."""
    alpha = decay_factors(layer.timescales.tau_ms(), dt_ms)
    if isinstance(layer, PerSynapse):
        before = spikes.new_zeros(len(alpha), spikes.shape[1], layer.cells)
        buckets, _ = gamma_sequence(alpha, before, spikes.flatten(2))
        signal = layer.bias + torch.einsum("tkbm,kmn->tbn", buckets, layer.weight)
        return _spoken(layer, signal, float(alpha[0].detach()), dt_ms), signal
    if isinstance(layer, Dense):
        drive = torch.einsum("tbm,nm->tbn", spikes.flatten(2), layer.weight)
    elif isinstance(layer, Conv2d):
        frames = [
            F.conv2d(frame, layer.weight, stride=layer.stride, padding=layer.padding) for frame in spikes.unbind()
        ]
        drive = torch.stack(frames).flatten(2)
    else:
        raise SpikingGammaError("layer", type(layer).__name__, "a kind of layer that this oracle supports")
    cells = layer.neurons // len(layer.bias)
    weight, bias = layer.bucket_weight.repeat_interleave(cells, 1), layer.bias.repeat_interleave(cells)
    parameters = SpikingGammaParameters(alpha, weight, bias, layer.code, dt_ms, layer.rectify)
    zero = torch.zeros_like(drive[0])
    state = SpikingGammaState(zero.expand(len(alpha), *zero.shape), zero, zero)
    output, _ = spiking_gamma_sequence(parameters, state, drive)
    return output.sent, output.signal


def _spoken(layer: GammaLayer, signal: Float[Tensor, "T B N"], alpha_0: float, dt_ms: float) -> Float[Tensor, "T B N"]:
    """Return the messages for given signals: the value of the code, with the derivative of y(t) - α_0 y(t-1)."""
    before, sent = torch.zeros_like(signal[0]), []
    state = SigmaDeltaState(before, before)
    for x in signal.unbind(0):
        output = _output(layer, x)
        message = output - alpha_0 * before
        if layer.code is not None:
            value, state = sigma_delta_step(layer.code, alpha_0, dt_ms, state, output.detach())
            message = value + message - message.detach()
        sent.append(message)
        before = output
    return torch.stack(sent)
