"""Forward eligibility traces: every parameter of a layer is followed through the buckets of the layer above.

    E_0(t) = 1[x_i(t) > 0] ∂x_i(t)/∂θ_i,    E_k(t) = α_k E_k(t-1) + (1 - α_k) E_{k-1}(t-1)
    ∂ℓ/∂θ_i = Σ_t Σ_k ε_i^k(t) E_k(t),      ε^k = Pᵀ Q_kᵀ δ of the layer above

The gradient is exact for one hidden layer; to layers further down, error signals are propagated as in `instantaneous`.
The rule is strictly causal, and memory is constant in time: K values for every parameter and sample. Inside a chunk the
sum over t is computed by the adjoint of the layer above, which gives the same sum; the traces carry it from one chunk
to the next.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.learning.gamma_rule import GammaRule, propagate_down
from spikinggamma.learning.instantaneous import CausalLayerGradient
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import GammaNet, NetActivations, SequenceNet
from spikinggamma.nn.autograd import decoded
from spikinggamma.options import Options

__all__ = ["Traced"]


class _Traces:
    """E_k of one hidden layer before the present chunk: {parameter: [K, B, N, ...]}, with K of the layer above."""

    def __init__(self, net: GammaNet, index: int, alphas: list[Tensor]) -> None:
        self.layer = net.stack[index]
        self.own = alphas[index]
        self.above = alphas[index + 1]
        self.values: dict[str, Tensor] = {}
        self._senders: Tensor | None = None

    def move_on(self, activations: NetActivations, index: int) -> None:
        """Update the traces through a chunk, step by step."""
        own = activations.layers[index]
        steps, batch = own.drive.shape[:2]
        inputs = own.inputs.flatten(2)
        if self._senders is None:
            self._senders = inputs.new_zeros(len(self.own), batch, inputs.shape[2])
        senders, self._senders = kernels.filter_forward(inputs, self.own, self._senders)
        buckets, _ = kernels.filter_forward(own.drive, self.own, own.before.buckets)
        gate = self.layer.gate(own.signal)
        for t in range(steps):
            heard = senders[t].transpose(0, 1).reshape(len(self.own), batch, *self.layer.in_shape)
            now = self.layer.sensitivities(heard, buckets[t].transpose(0, 1))
            for name, sensitivity in now.items():
                opened = sensitivity * gate[t].view(*gate[t].shape, *[1] * (sensitivity.ndim - 2))
                self._filter(name, opened)

    def _filter(self, name: str, sensitivity: Tensor) -> None:
        past = self.values.get(name)
        if past is None:
            past = sensitivity.new_zeros(len(self.above), *sensitivity.shape)
        alpha = self.above[1:].view(-1, *[1] * sensitivity.ndim)
        self.values[name] = torch.cat([sensitivity.unsqueeze(0), alpha * past[1:] + (1.0 - alpha) * past[:-1]])

    def accumulate(self, grad: Float[Tensor, "K B N"]) -> None:
        """Add Σ_k ε^k E_k for error signals that apply to steps before the chunk."""
        products = {
            name: torch.einsum("kbn,kbnp->np", grad, value.flatten(3)).view(value.shape[2:])
            if value.ndim > 3
            else torch.einsum("kbn,kbn->n", grad, value)
            for name, value in self.values.items()
        }
        if products:
            self.layer.accumulate_sensitivities(products)


@RULES.register("traced")
class Traced(GammaRule):
    """Follow every parameter through the buckets of the layer above by eligibility traces; exact for one hidden layer.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: A hidden layer shares weights between neurons, or trains its time constants.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        for layer in self.net.hidden:
            layer.require_own_parameters("traced")
        self._gradients = [
            CausalLayerGradient(self.net, index, alpha, dt_ms) for index, alpha in enumerate(self.alphas)
        ]
        self._traces = [_Traces(self.net, index, self.alphas) for index in range(len(self.net.stack) - 1)]
        self._pending: NetActivations | None = None

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        if self._pending is not None:
            for index, traces in enumerate(self._traces):
                traces.move_on(self._pending, index)
        self._pending = activations
        own = delta
        for index in reversed(range(len(self.net.stack))):
            layer, alpha = self.net.stack[index], self.alphas[index]
            self._gradients[index].accumulate(activations.layers[index], own)
            if index == 0:
                break
            drive_grad, carried = layer.signal_adjoint(delta, alpha)
            own = propagate_down(
                self.net, activations, index, layer.project_adjoint(decoded(drive_grad, float(alpha[0])))
            )
            # Buckets before the chunk as filters of the decoded signal: bucket 0 has no memory of its own then.
            carried[0] -= alpha[0] * drive_grad[0]
            told = layer.project_adjoint(carried).flatten(2)
            mask = activations.masks[index - 1]
            self._traces[index - 1].accumulate(told if mask is None else told * mask.flatten(1))
            delta = propagate_down(self.net, activations, index, layer.project_adjoint(layer.mix_adjoint_sum(delta)))
        return True

    def finish(self) -> bool:
        """Return False, since every chunk adds its gradients at once."""
        return False
