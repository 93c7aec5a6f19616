"""What the rules of SpikingGamma share: the error signal flows through linear buckets."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.learning.rule import Rule
from spikinggamma.nn import GammaLayer, GammaNet, LayerActivations, NetActivations, SequenceNet
from spikinggamma.nn.autograd import alpha_gradient
from spikinggamma.options import Options

__all__ = ["GammaRule", "accumulate_timescales", "advance", "propagate_down"]


class GammaRule(Rule[NetActivations]):
    """A rule of SpikingGamma, for a `GammaNet`."""

    nets = (GammaNet,)

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        assert isinstance(net, GammaNet)
        self.net = net
        with torch.no_grad():
            self.alphas = [layer.alpha(dt_ms) for layer in net.stack]


def propagate_down(
    net: GammaNet, activations: NetActivations, index: int, grad: Float[Tensor, "T B *in_shape"]
) -> Float[Tensor, "T B N"]:
    """δ of layer `index - 1` from blame on its outputs: through its dropout mask, with the cost of speaking, its gate.

    It takes the place of `blame`, which is as large as anything that a chunk needs.
    """
    mask = activations.masks[index - 1]
    layer, signal = net.stack[index - 1], activations.layers[index - 1].signal
    if mask is not None:
        grad = grad.reshape(*grad.shape[:2], *mask.shape[1:]).mul_(mask)
    grad = grad.reshape(signal.shape)
    if activations.cost is not None:
        unit = layer.code.threshold if layer.code is not None else 1.0
        grad.add_(activations.cost.unsqueeze(2) / (layer.neurons * unit))
    return layer.apply_relu_mask(grad, signal)


def advance(
    drive: Float[Tensor, "T B M"], alpha: Float[Tensor, " J"], buckets: Float[Tensor, "J B M"]
) -> Float[Tensor, "J B M"]:
    """Buckets after a chunk, nothing in between kept."""
    nothing = drive.new_zeros(len(alpha), drive.shape[2])
    return kernels.signal_forward(drive, nothing, nothing[0], alpha, buckets)[1]


def accumulate_timescales(
    layer: GammaLayer,
    activations: LayerActivations,
    delta: Float[Tensor, "T B N"],
    alpha: Float[Tensor, " K"],
    dt_ms: float,
    steps: int | None = None,
) -> None:
    """Add the gradient of trained time constants, from the first `steps` steps of the tape (all by default)."""
    if not layer.timescales.trainable:
        return
    g, _ = kernels.filter_adjoint(layer.mix_adjoint(delta), alpha)
    traces, _ = kernels.filter_forward(activations.drive, alpha, activations.before.buckets)
    layer.timescales.accumulate(alpha_gradient(g[:steps], traces[:steps], activations.before.buckets), dt_ms)
