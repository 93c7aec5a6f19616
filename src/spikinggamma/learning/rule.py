"""What a learning rule is: it takes tapes and blame chunk by chunk, and adds to the gradients."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import GammaLayer, GammaNet, LayerActivations, NetActivations, SequenceNet
from spikinggamma.nn.autograd import alpha_gradient

__all__ = ["GammaRule", "Rule", "accumulate_timescales", "advance", "propagate_down"]


class Rule(abc.ABC):
    """One batch of recordings under one rule.

    Args:
        net: The net whose `.grad` it adds to.
        dt_ms: Time step of the run.

    Attributes:
        through_autograd: Whether it follows autograd's graph, so that the net is to be run with gradients enabled.
    """

    through_autograd: bool = False
    nets: ClassVar[tuple[type[SequenceNet], ...]] = ()

    def __init__(self, net: SequenceNet, dt_ms: float) -> None:
        self.dt_ms = dt_ms

    @abc.abstractmethod
    def accumulate(self, activations: Any, delta: Float[Tensor, "T B C"]) -> bool:
        """The next chunk's tape, as the net's `run` left it, and the blame on its logits.

        Returns:
            Whether gradients were added, for this or an older chunk.
        """

    @abc.abstractmethod
    def finish(self) -> bool:
        """The recording is over: commit what is still held back. Returns whether there was anything."""


class GammaRule(Rule):
    """A rule of SpikingGamma: error flows through linear buckets, so it needs a `GammaNet`."""

    def __init__(self, net: SequenceNet, dt_ms: float) -> None:
        super().__init__(net, dt_ms)
        if not isinstance(net, GammaNet):
            raise SpikingGammaError("rule", "one of SpikingGamma", f"one for a {type(net).__name__}, such as bptt")
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
