"""Small nets of every kind, and the same nets written out step by step for autograd: the judge of layers and rules."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from spikinggamma.functional import (
    SigmaDelta,
    SpikingGammaParameters,
    SpikingGammaState,
    gamma_sequence,
    spiking_gamma_sequence,
)
from spikinggamma.nn import Conv2d, Dense, GammaLayer, GammaNet, PerSynapse, Timescales, dense_net

DT_MS = 2.0
TAU_MS = (4.0, 5.0, 7.0)
CLASSES = 3


def dense() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS)


def per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, synapse="synapse")


def analogue() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, analogue=True)


def unrectified() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, rectify=False)


def trained_tau() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, train_tau=True)


def trained_tau_per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, train_tau=True, synapse="synapse")


def convolutional() -> GammaNet:
    """Kernels with stride and padding, then a per-synapse layer, then a read-out: all three kinds in one net."""
    code = SigmaDelta(adaptation=0.3, max_spikes=2)
    return GammaNet(
        [
            Conv2d((1, 3, 2), 4, 3, Timescales(TAU_MS), code=code, padding=1),
            Conv2d((4, 3, 2), 3, 2, Timescales((4.0, 9.0)), code=code, stride=2, padding=1),
            PerSynapse((12,), 5, Timescales(TAU_MS), code=code),
            Dense((5,), CLASSES, Timescales((4.0, 6.0)), code=None, readout=True),
        ]
    )


def dropped_out() -> GammaNet:
    return dense_net((6, 8, 8, CLASSES), tau_ms=TAU_MS, dropout=0.4)


NETS: dict[str, Callable[[], GammaNet]] = {
    make.__name__: make
    for make in (
        dense,
        per_synapse,
        analogue,
        unrectified,
        trained_tau,
        trained_tau_per_synapse,
        convolutional,
        dropped_out,
    )
}


def prepared(make: Callable[[], GammaNet], *, steps: int = 40, batch: int = 3) -> tuple[GammaNet, Tensor]:
    """A calibrated net in double precision, biases away from zero, and sparse spikes for it [T, B, *in_shape]."""
    torch.manual_seed(0)
    net = make().double()
    spikes = (torch.rand(steps, batch, *net.stack[0].in_shape) < 0.2).double()
    net.calibrate(spikes, dt_ms=DT_MS)
    with torch.no_grad():
        for layer in net.stack:
            layer.bias.normal_(std=0.1)
    return net, spikes


def gradients(net: nn.Module) -> dict[str, Tensor]:
    """Copies of every parameter's gradient."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for name, p in net.named_parameters()
    }


def relative_error(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The worst parameter's |found - wanted| / |wanted|."""
    assert found.keys() == wanted.keys()
    return max(float((found[name] - g).norm() / g.norm().clamp_min(1e-300)) for name, g in wanted.items())


def cosine(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """Between all gradients, as one vector."""
    one, other = (torch.cat([part[name].flatten() for name in wanted]) for part in (found, wanted))
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))


def by_hand(net: GammaNet, spikes: Tensor, *, masks: tuple[Tensor | None, ...] | None = None) -> Tensor:
    """Logits [T, B, C] from the functional specification, one step at a time, for autograd to differentiate."""
    message = spikes * net.input_gain
    for layer, mask in zip(net.stack, (*(masks or (None,) * len(net.hidden)), None), strict=True):
        message = _layer_by_hand(layer, message.reshape(*message.shape[:2], *layer.in_shape))
        message = message if mask is None else message * mask
    return message


def _layer_by_hand(layer: GammaLayer, inputs: Tensor) -> Tensor:
    alpha = 1.0 - DT_MS / layer.timescales.tau_ms()
    steps, batch = inputs.shape[:2]
    if isinstance(layer, PerSynapse):
        traces, _ = gamma_sequence(alpha, inputs.new_zeros(layer.order, batch, layer.cells), inputs.flatten(2))
        signal = layer.bias + torch.einsum("tkbj,kji->tbi", traces, layer.weight)
        # A neuron of one bucket that is driven by a signal's own message has that signal in its bucket.
        drive = torch.stack([now - alpha[0].detach() * then for then, now in pairwise([signal[0] * 0.0, *signal])])
        ones, zeros = inputs.new_ones(1, layer.neurons), inputs.new_zeros(layer.neurons)
        parameters = SpikingGammaParameters(alpha[:1].detach(), ones, zeros, layer.code, DT_MS, layer.rectify)
    else:
        if isinstance(layer, Conv2d):
            frames = torch.nn.functional.conv2d(
                inputs.flatten(0, 1), layer.weight, stride=layer.stride, padding=layer.padding
            )
            drive = frames.reshape(steps, batch, -1)
        else:
            assert isinstance(layer, Dense)
            drive = torch.einsum("tbj,ij->tbi", inputs.flatten(2), layer.weight)
        cells = layer.neurons // layer.bias.numel()
        v = torch.stack([layer.bucket_weight] * cells, dim=2).flatten(1)
        b = torch.stack([layer.bias] * cells, dim=1).flatten()
        parameters = SpikingGammaParameters(alpha, v, b, layer.code, DT_MS, layer.rectify)
    buckets = inputs.new_zeros(len(parameters.alpha), batch, layer.neurons)
    state = SpikingGammaState(buckets, inputs.new_zeros(batch, layer.neurons), inputs.new_zeros(batch, layer.neurons))
    output, _ = spiking_gamma_sequence(parameters, state, drive)
    return output.signal if layer.readout else output.sent.view(steps, batch, *layer.out_shape)
