"""Dense layer: every input drives every neuron, with one bucket weight per neuron and bucket."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta
from spikinggamma.kernels import SpikeEvents
from spikinggamma.nn.layers.activations import add_gradient
from spikinggamma.nn.layers.per_neuron import BucketWeightedLayer
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.nn.spike_linear import spike_linear

__all__ = ["Dense"]


class Dense(BucketWeightedLayer):
    """u = W s_in over the flattened input; x = b + Σ_k v_k ⊙ h_k.

    Args:
        in_shape: Shape of one sample's input at one step; it is flattened.
        neurons: N, the number of neurons.
        timescales: Time constants of the buckets.
        code: The sigma-delta code; None sends the signal itself.
        readout: Whether the layer is a read-out, which returns the signal.
        rectify: Whether y = max(x, 0); else y = x.
        generator: Random numbers of the initial weights: W normal with variance 1 / fan-in.

    Shapes: spikes [T, B, *in_shape] to [T, B, N]; `weight` [N, N_in], `bucket_weight` [K, N], `bias` [N].

    Example:
        >>> layer = Dense((3,), 5, Timescales((4.0, 8.0)), code=SigmaDelta())
        >>> layer(torch.ones(7, 2, 3), layer.initial_state(2), dt_ms=1.0)[0].shape
        torch.Size([7, 2, 5])
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        neurons: int,
        timescales: Timescales,
        *,
        code: SigmaDelta | None,
        readout: bool = False,
        rectify: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            in_shape, (neurons,), neurons, timescales, code=code, readout=readout, rectify=rectify, generator=generator
        )
        fan_in = torch.Size(in_shape).numel()
        self.weight = nn.Parameter(torch.randn(neurons, fan_in, generator=generator) / fan_in**0.5)

    def as_events(self, inputs: Float[Tensor, "T B *in_shape"]) -> SpikeEvents | None:
        """List the input spikes if they are few; see `GammaLayer.as_events`."""
        return kernels.spike_events(self._rows(inputs))

    def project(
        self, inputs: Float[Tensor, "T B *in_shape"], input_events: SpikeEvents | None = None
    ) -> Float[Tensor, "T B N"]:
        """Return W s_in, [T, B, N]; see `GammaLayer.project`."""
        return spike_linear(inputs.flatten(2), self.weight, input_events)

    def fan_out(self) -> Float[Tensor, "*in_shape"]:
        """Return N for every input, [*in_shape]; see `GammaLayer.fan_out`."""
        return torch.full(self.in_shape, float(self.neurons))

    def project_adjoint(self, grad: Float[Tensor, "T B N"]) -> Float[Tensor, "T B *in_shape"]:
        """Return Wᵀ applied to an error signal, [T, B, *in_shape]; see `GammaLayer.project_adjoint`."""
        return (grad @ self.weight.detach()).view(*grad.shape[:2], *self.in_shape)

    def accumulate_projection(
        self,
        grad: Float[Tensor, "T B N"],
        inputs: Float[Tensor, "T B *in_shape"],
        input_events: SpikeEvents | None = None,
    ) -> None:
        """Add Σ_t r(t) s(t)ᵀ to the gradient of W; see `GammaLayer.accumulate_projection`."""
        input_events = self.as_events(inputs) if input_events is None else input_events
        add_gradient(self.weight, kernels.spike_outer(grad.reshape(-1, self.neurons), self._rows(inputs), input_events))

    def _rows(self, inputs: Tensor) -> Float[Tensor, "R N_in"]:
        return inputs.reshape(-1, self.weight.shape[1])

    def require_own_parameters(self, rule: str) -> None:
        """Raise an error if the layer trains its time constants; all other parameters belong to one neuron each."""
        self.require_fixed_timescales(rule)

    def sensitivities(
        self, senders: Float[Tensor, "K B *in_shape"], buckets: Float[Tensor, "K B N"]
    ) -> dict[str, Float[Tensor, ...]]:
        """Return ∂x_i/∂w_ij = Σ_k v_i^k ŝ_j^k, ∂x_i/∂v_i^k = h_i^k and ∂x_i/∂b_i = 1."""
        weight = torch.einsum("kbj,ki->bij", senders.flatten(2), self.bucket_weight.detach())
        return {"weight": weight, "bucket_weight": buckets.permute(1, 2, 0), "bias": torch.ones_like(buckets[0])}

    def accumulate_sensitivities(self, products: dict[str, Float[Tensor, ...]]) -> None:
        """Add gradients of W [N, N_in], v [N, K] and b [N]."""
        add_gradient(self.weight, products["weight"])
        add_gradient(self.bucket_weight, products["bucket_weight"].T)
        add_gradient(self.bias, products["bias"])
