"""What the rules of SpikingGamma share: the error signal flows through linear buckets."""

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
    """A rule of SpikingGamma, for a `GammaNet`."""

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
    """∂ℓ/∂s of a layer from the gradient on what its listeners heard: through its dropout mask, with the cost of its outputs.

    It takes the place of `grad`, which is as large as anything that a chunk needs.
    """
    grad = _through_mask(layer, mask, grad)
    if cost is not None:
        # The cost is one of y, and y(t) is heard as long as it is decoded: ∂ℓ/∂s(t) = ∂ℓ/∂y(t) + α_0 ∂ℓ/∂s(t+1).
        each = _cost_per_neuron(layer, cost).unsqueeze(2)
        grad.add_(kernels.signal_adjoint(each, each.new_ones(1, 1), alpha[:1])[0])
    return grad


def propagate_down(
    net: GammaNet, activations: NetActivations, index: int, grad: Float[Tensor, "T B *in_shape"]
) -> Float[Tensor, "T B N"]:
    """δ of layer `index - 1` from ∂ℓ/∂y: through its dropout mask, with the cost of its outputs, its gate.

    It takes the place of `grad`, which is as large as anything that a chunk needs.
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
    """∂ℓ/∂y of each neuron, from the cost of a layer's mean output in units of its threshold."""
    unit = layer.code.threshold if layer.code is not None else 1.0
    return cost / (layer.neurons * unit)


def advance(
    drive: Float[Tensor, "T B M"], alpha: Float[Tensor, " J"], buckets: Float[Tensor, "J B M"]
) -> Float[Tensor, "J B M"]:
    """Buckets after a chunk, nothing in between kept."""
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
    """Add the gradient of trained time constants, of the S steps of the drive, which are the first of T."""
    if not layer.timescales.trainable:
        return
    g, _ = kernels.filter_adjoint(layer.mix_adjoint(delta), alpha)
    traces, _ = kernels.filter_forward(drive, alpha, buckets)
    layer.timescales.accumulate(alpha_gradient(g[: len(drive)], traces, buckets), dt_ms)
