"""Two independent oracles for gradients: autograd of the specification, and finite differences.

Neither uses the code that it checks. The first unrolls the functional step of `spikinggamma.functional` over time and lets
autograd differentiate a loss that is written here from its definition; it uses no kernel, no hand-derived adjoint and no
`Loss`. The second uses only the value of that loss; it needs a net that is a differentiable function of its parameters,
that is one that passes the signal itself instead of spikes.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from spikinggamma.bench.problems import DT_MS, Case, Problem
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import (
    SigmaDeltaState,
    SpikingGammaParameters,
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
    "reference_loss",
    "reference_net",
]

Gradient = dict[str, Tensor]


def autograd_gradient(problem: Problem, ask: Case) -> Gradient:
    """Return the gradient by every parameter, by autograd through the unrolled specification."""
    logits, outputs = reference_net(problem.net, problem.spikes)
    loss = reference_loss(ask, logits, outputs, problem.lengths, _units(problem.net))
    names, parameters = zip(*problem.net.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


@torch.no_grad()
def finite_difference_gradient(problem: Problem, ask: Case, *, step: float = 1e-5) -> Gradient:
    """Return the gradient by every parameter, by central differences (ℓ(θ + h) - ℓ(θ - h)) / 2h.

    The error is of order h² where no rectifier switches between the two; h = 1e-5 balances it against rounding.
    """

    def value() -> float:
        state = problem.net.initial_state(problem.spikes.shape[1])
        *hidden, last = problem.net.run(problem.spikes, state, DT_MS)[0].layers
        outputs = [
            _output(layer, activations.signal) for layer, activations in zip(problem.net.hidden, hidden, strict=True)
        ]
        return float(reference_loss(ask, last.signal, outputs, problem.lengths, _units(problem.net)))

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
    net: GammaNet, spikes: Float[Tensor, "T B ..."]
) -> tuple[Float[Tensor, "T B C"], list[Float[Tensor, "T B N"]]]:
    """Run the net by its equations from a zero state; return logits, and y of each hidden layer."""
    sent, outputs = spikes * net.input_gain, []
    masks = net.initial_state(spikes.shape[1], generator=mask_generator()).masks
    for layer, mask in zip(net.hidden, masks, strict=True):
        sent, signal = _reference_layer(layer, sent.reshape(*sent.shape[:2], *layer.in_shape))
        sent = sent if mask is None else sent * mask.flatten(1)
        outputs.append(_output(layer, signal))
    last = net.stack[-1]
    return _reference_layer(last, sent.reshape(*sent.shape[:2], *last.in_shape))[1], outputs


def _output(layer: GammaLayer, signal: Tensor) -> Tensor:
    return torch.relu(signal) if layer.rectify else signal


def _units(net: GammaNet) -> list[float]:
    """Return the unit of y in the activity cost for each hidden layer, which is the resting threshold."""
    return [1.0 if layer.code is None else layer.code.threshold for layer in net.hidden]


def _reference_layer(layer: GammaLayer, spikes: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's messages and its signal, flattened to [T, B, N]."""
    alpha, state = layer.alpha(DT_MS), layer.initial_state(spikes.shape[1])
    if isinstance(layer, PerSynapse):
        buckets, _ = gamma_sequence(alpha, state.buckets, spikes.flatten(2))
        signal = layer.bias + torch.einsum("tkbm,kmn->tbn", buckets, layer.weight)
        return _spoken(layer, signal, float(alpha[0].detach())), signal
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
    parameters = SpikingGammaParameters(alpha, weight, bias, layer.code, DT_MS, layer.rectify)
    output, _ = spiking_gamma_sequence(parameters, state, drive)
    return output.sent, output.signal


def _spoken(layer: GammaLayer, signal: Float[Tensor, "T B N"], alpha_0: float) -> Float[Tensor, "T B N"]:
    """Return the messages of given signals: the code's value, with the derivative of y(t) - α_0 y(t-1)."""
    before, sent = torch.zeros_like(signal[0]), []
    state = SigmaDeltaState(before, before)
    for x in signal.unbind(0):
        output = _output(layer, x)
        message = output - alpha_0 * before
        if layer.code is not None:
            value, state = sigma_delta_step(layer.code, alpha_0, DT_MS, state, output.detach())
            message = value + message - message.detach()
        sent.append(message)
        before = output
    return torch.stack(sent)


def reference_loss(
    ask: Case,
    logits: Float[Tensor, "T B C"],
    outputs: list[Float[Tensor, "T B _"]],
    lengths: Int[Tensor, " B"],
    units: list[float],
) -> Float[Tensor, ""]:
    """Return the loss of a batch from its definition, recording by recording, plus the activity cost."""
    batch = len(lengths)
    own = [logits[: int(length), sample] for sample, length in enumerate(lengths)]
    heights = [
        y[: int(length), sample].mean() / unit
        for y, unit in zip(outputs, units, strict=True)
        for sample, length in enumerate(lengths)
    ]
    price = ask.activity_cost * torch.stack(heights).sum() / batch
    if ask.loss == "each_step":
        return _each_step(ask, own) + price
    losses = []
    for mine, label in zip(own, ask.targets, strict=True):
        if ask.loss == "sum":
            losses.append(F.cross_entropy(mine.mean(0), label))
        elif ask.loss == "last":
            losses.append(F.cross_entropy(mine[-1], label))
        else:
            losses.append(_running(mine, label))
    return torch.stack(losses).sum() / batch + price


def _each_step(ask: Case, own: list[Tensor]) -> Tensor:
    """Return the mean over all labelled steps of the batch."""
    total, count = own[0].new_zeros(()), 0
    for sample, mine in enumerate(own):
        if ask.form == "values":
            total = total + 0.5 * (mine - ask.targets[: len(mine), sample]).square().sum()
            count += len(mine)
            continue
        labels = ask.targets[sample].expand(len(mine)) if ask.form == "class" else ask.targets[: len(mine), sample]
        total = total + F.cross_entropy(mine[labels >= 0], labels[labels >= 0], reduction="sum")
        count += int((labels >= 0).sum())
    return total / count


def _running(mine: Float[Tensor, "T C"], label: Int[Tensor, ""]) -> Tensor:
    """Return Σ ω(t) CE(m(t)) / Σ ω(t), where m(t) has the value of the mean so far and passes its whole gradient to x(t)."""
    time = torch.arange(1, len(mine) + 1, dtype=mine.dtype)
    mean = (mine.cumsum(0) / time.unsqueeze(1)).detach() + mine - mine.detach()
    weight = (time * DT_MS / 300.0).clamp_max(1.0).square()
    return (weight * F.cross_entropy(mean, label.expand(len(mine)), reduction="none")).sum() / weight.sum()
