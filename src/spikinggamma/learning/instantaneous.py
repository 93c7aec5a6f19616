"""Instantaneous error signals: the value of every bucket is approximated by the present signal of its sender.

    e(t) = δ(t) ⊙ Σ_k v_k

The rule has constant memory and is strictly causal. It is biased in hidden layers, but the gradient of each layer's own
parameters, given its δ, is exact. This is how the library reads the online rule of SpikingGamma (arXiv 2602.01978).
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from spikinggamma.bibliography import SPIKINGGAMMA
from spikinggamma.learning.gamma_rule import GammaRule, accumulate_timescales, propagate_down
from spikinggamma.learning.history import SenderHistory, TimescaleHistory
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import GammaNet, LayerActivations, NetActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["CausalLayerGradient", "Instantaneous"]


class CausalLayerGradient:
    """The exact gradient of one layer's parameters, given its δ chunk by chunk.

    Args:
        net: The net.
        index: Index of the layer.
        alpha: Decay per step of each bucket, [K].
        dt_ms: Time step in ms.
    """

    def __init__(self, net: GammaNet, index: int, alpha: Float[Tensor, " K"], dt_ms: float) -> None:
        self.layer = net.stack[index]
        self.alpha = alpha
        self.dt_ms = dt_ms
        self._senders = SenderHistory(self.layer, alpha)
        self._timescales = TimescaleHistory(self.layer, alpha, dt_ms)

    def accumulate(self, activations: LayerActivations, delta: Float[Tensor, "T B N"]) -> None:
        """Add the gradients of a chunk: the adjoint inside the chunk, and a boundary term for the inputs before it."""
        layer, alpha = self.layer, self.alpha
        layer.accumulate_mix(delta, activations.drive, activations.before.buckets, alpha)
        layer.accumulate_bias(delta)
        accumulate_timescales(layer, activations.drive, activations.before.buckets, delta, alpha, self.dt_ms)
        if not (layer.projection_learns or layer.timescales.trainable):
            return
        drive_grad, carried = layer.signal_adjoint(delta, alpha)
        self._timescales.accumulate(activations, carried)
        if layer.projection_learns:
            layer.accumulate_projection(drive_grad, activations.inputs, activations.input_events)
            senders = self._senders.before(activations)
            if senders is not None:
                layer.accumulate_projection(carried, senders)


@RULES.register("instantaneous", citations=(SPIKINGGAMMA,))
class Instantaneous(GammaRule):
    """Approximate every bucket by the sender's present signal; constant memory, biased in hidden layers.

    Gradients are added with every chunk. Source: the online rule of SpikingGamma (arXiv 2602.01978), as the library
    reads it.

    The arguments are those of `Rule`.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._gradients = [
            CausalLayerGradient(self.net, index, alpha, dt_ms) for index, alpha in enumerate(self.alphas)
        ]

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        for index in reversed(range(len(self.net.stack))):
            self._gradients[index].accumulate(activations.layers[index], delta)
            if index > 0:
                layer = self.net.stack[index]
                delta = propagate_down(
                    self.net, activations, index, layer.project_adjoint(layer.mix_adjoint_sum(delta))
                )
        return True

    def finish(self) -> bool:
        """Return False, since every chunk adds its gradients at once."""
        return False
