"""Common parts of the rules for SpikingGamma, in which the error signal flows through linear buckets."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.learning.rule import Rule
from spikinggamma.nn import GammaLayer, GammaNet, NetActivations, SequenceNet
from spikinggamma.nn.autograd import alpha_gradient
from spikinggamma.options import Options

__all__ = ["GammaRule", "accumulate_timescales", "advance", "output_gradient", "propagate_down"]


class GammaRule(Rule[NetActivations]):
    """Base class of the rules for a `GammaNet`.

    The arguments are those of `Rule`.
    """

    nets = (GammaNet,)

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        assert isinstance(net, GammaNet)
        self.net = net
        with torch.no_grad():
            self.alphas = [layer.alpha(dt_ms) for layer in net.stack]


def output_gradient(
    layer: GammaLayer,
    mask: Float[Tensor, "B *out_shape"] | None,
    cost: Float[Tensor, "T B"] | None,
    grad: Float[Tensor, "T B *in_shape"],
    alpha: Float[Tensor, " K"],
) -> Float[Tensor, "T B N"]:
    """Return ∂ℓ/∂s of a layer, given the gradient on the input of the layer above, with dropout mask and activity cost.

    The result overwrites `grad`, which is as large as any tensor of a chunk.

    Args:
        layer: The layer that sends the spikes.
        mask: Its dropout mask; None without dropout.
        cost: Activity cost at each step and recording; None without a cost.
        grad: Gradient with respect to the input of the layer above, [T, B, *in_shape].
        alpha: Decay per step of each of its buckets, [K].
    """
    grad = _through_mask(layer, mask, grad)
    if cost is not None:
        # The cost is on y, which is decoded from spikes by a leaky sum: ∂ℓ/∂s(t) = ∂ℓ/∂y(t) + α_0 ∂ℓ/∂s(t+1).
        each = _cost_per_neuron(layer, cost).unsqueeze(2)
        grad.add_(kernels.signal_adjoint(each, each.new_ones(1, 1), alpha[:1])[0])
    return grad


def propagate_down(
    net: GammaNet, activations: NetActivations, index: int, grad: Float[Tensor, "T B *in_shape"]
) -> Float[Tensor, "T B N"]:
    """Return δ of layer `index - 1`, given ∂ℓ/∂y, with its dropout mask, activity cost and gate.

    The result overwrites `grad`, which is as large as any tensor of a chunk.

    Args:
        net: The net.
        activations: Activations of the chunk.
        index: Index of the layer above.
        grad: Gradient with respect to the output y of the layer below, [T, B, *in_shape].
    """
    layer = net.stack[index - 1]
    grad = _through_mask(layer, activations.masks[index - 1], grad)
    if activations.cost is not None:
        grad.add_(_cost_per_neuron(layer, activations.cost).unsqueeze(2))
    return layer.apply_relu_mask(grad, activations.layers[index - 1].signal)


def _through_mask(layer: GammaLayer, mask: Tensor | None, grad: Tensor) -> Float[Tensor, "T B N"]:
    if mask is not None:
        grad = grad.reshape(*grad.shape[:2], *mask.shape[1:]).mul_(mask)
    return grad.reshape(*grad.shape[:2], layer.neurons)


def _cost_per_neuron(layer: GammaLayer, cost: Float[Tensor, "T B"]) -> Float[Tensor, "T B"]:
    """Return ∂ℓ/∂y of each neuron; the cost is on the mean output of the layer in units of its threshold."""
    unit = layer.code.threshold if layer.code is not None else 1.0
    return cost / (layer.neurons * unit)


def advance(
    drive: Float[Tensor, "T B M"], alpha: Float[Tensor, " J"], buckets: Float[Tensor, "J B M"]
) -> Float[Tensor, "J B M"]:
    """Return the buckets after a chunk, without the values in between.

    Args:
        drive: Drive, [T, B, M].
        alpha: Decay per step of each bucket, [J].
        buckets: Buckets before the chunk, [J, B, M].
    """
    nothing = drive.new_zeros(len(alpha), drive.shape[2])
    return kernels.signal_forward(drive, nothing, nothing[0], alpha, buckets)[1]


def accumulate_timescales(
    layer: GammaLayer,
    drive: Float[Tensor, "S B M"],
    buckets: Float[Tensor, "K B M"],
    delta: Float[Tensor, "T B N"],
    alpha: Float[Tensor, " K"],
    dt_ms: float,
) -> None:
    """Add the gradient of trained time constants, for the first S of T steps.

    Args:
        layer: The layer.
        drive: Its drive at the S steps, [S, B, M].
        buckets: Its buckets before the first step, [K, B, M].
        delta: Error signal of its signal at all T steps, [T, B, N].
        alpha: Decay per step of each bucket, [K].
        dt_ms: Time step in ms.
    """
    if not layer.timescales.trainable:
        return
    g, _ = kernels.filter_adjoint(layer.mix_adjoint(delta), alpha)
    traces, _ = kernels.filter_forward(drive, alpha, buckets)
    layer.timescales.accumulate(alpha_gradient(g[: len(drive)], traces, buckets), dt_ms)
