"""Per-synapse layer: every connection has its own weight for every bucket, so each synapse learns its own delay.

The product w_ij v_j^k of the other layers becomes v_ij^k. The buckets are on the sender's side (K·N_in states), and
each has its own matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.kernels import SpikeEvents
from spikinggamma.nn import autograd
from spikinggamma.nn.layers.activations import add_gradient
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.timescales import Timescales

__all__ = ["PerSynapse"]


class PerSynapse(GammaLayer):
    """u = s_in; x = b + Σ_k V_k h_k.

    The arguments are those of `Dense`. The initial weights are V_k = W ⊙ U_k with W normal, variance 1 / fan-in, and U
    uniform between 0 and 2/K, which is the scale of the per-neuron layer with independent delays.

    Shapes: spikes [T, B, *in_shape] to [T, B, N]; `weight` [K, N_in, N], `bias` [N].

    Example:
        >>> layer = PerSynapse((3,), 5, Timescales((4.0, 8.0)), code=SigmaDelta())
        >>> layer(torch.ones(7, 2, 3), layer.initial_state(2), dt_ms=1.0)[0].shape
        torch.Size([7, 2, 5])
    """

    projection_learns = False

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
        fan_in = torch.Size(in_shape).numel()
        super().__init__(in_shape, (neurons,), fan_in, neurons, timescales, code=code, readout=readout, rectify=rectify)
        order = timescales.order
        base = torch.randn(fan_in, neurons, generator=generator) / fan_in**0.5
        self.weight = nn.Parameter(base * torch.rand(order, fan_in, neurons, generator=generator) * (2.0 / order))

    @property
    def _matrix(self) -> Float[Tensor, "KM N"]:
        return self.weight.flatten(0, 1)

    def forward(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], SpikingGammaState]:
        """Run a chunk under autograd; see `GammaLayer.forward`."""
        self.check(inputs, state)
        alpha = self.alpha(dt_ms)
        traces, buckets = autograd.gamma_filter(self.project(inputs), alpha, state.buckets)
        signal = self.bias + traces.flatten(2) @ self._matrix
        sent, _, after = self.encode(signal, SigmaDeltaState(state.estimate, state.adaptation), alpha, dt_ms)
        return sent, SpikingGammaState(buckets, *after)

    def as_events(self, inputs: Float[Tensor, "T B *in_shape"]) -> None:
        """Return None: nothing is projected; see `GammaLayer.as_events`."""

    def project(
        self, inputs: Float[Tensor, "T B *in_shape"], input_events: SpikeEvents | None = None
    ) -> Float[Tensor, "T B M"]:
        """Return the spikes, flattened, since this projection is the identity; see `GammaLayer.project`."""
        return inputs.flatten(2)

    def fan_out(self) -> Float[Tensor, "*in_shape"]:
        """Return zeros, since the projection has no weights; see `GammaLayer.fan_out`."""
        return torch.zeros(self.in_shape)

    def project_adjoint(self, grad: Float[Tensor, "T B M"]) -> Float[Tensor, "T B *in_shape"]:
        """Return the error signal in the shape of the input; see `GammaLayer.project_adjoint`."""
        return grad.reshape(*grad.shape[:2], *self.in_shape)

    def accumulate_projection(
        self,
        grad: Float[Tensor, "T B M"],
        inputs: Float[Tensor, "T B *in_shape"],
        input_events: SpikeEvents | None = None,
    ) -> None:
        """Do nothing, since the projection has no parameters; see `GammaLayer.accumulate_projection`."""

    def scan(
        self, drive: Float[Tensor, "T B M"], state: SpikingGammaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SpikingGammaState]:
        """Remember, mix and encode; see `GammaLayer.scan`."""
        traces, buckets = kernels.filter_forward(drive, alpha, state.buckets)
        signal = self.bias + traces.flatten(2) @ self._matrix
        sent, counts, after = self.encode(signal, SigmaDeltaState(state.estimate, state.adaptation), alpha, dt_ms)
        return signal, sent, counts, SpikingGammaState(buckets, *after)

    def scan_backward(
        self,
        grad: Float[Tensor, "T B N"],
        signal: Float[Tensor, "T B N"],
        drive: Float[Tensor, "S B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> Float[Tensor, "T B M"]:
        """Return ∂ℓ/∂u and add gradients; see `GammaLayer.scan_backward`."""
        delta = self.signal_gradient(grad, signal, alpha)
        own = delta[: len(drive)]
        self.accumulate_mix(own, drive, buckets, alpha)
        self.accumulate_bias(own)
        return self.signal_adjoint(delta, alpha)[0]

    def signal_adjoint(
        self, delta: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> tuple[Float[Tensor, "T B M"], Float[Tensor, "K B M"]]:
        """Return the error signal of the drive; see `GammaLayer.signal_adjoint`."""
        g, carried = kernels.filter_adjoint(self.mix_adjoint(delta), alpha)
        return g[:, :, 0].contiguous(), carried

    def mix_adjoint(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B K M"]:
        """Return the error signal of each bucket; see `GammaLayer.mix_adjoint`."""
        return (delta @ self._matrix.detach().T).view(*delta.shape[:2], self.order, self.cells)

    def mix_adjoint_sum(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B M"]:
        """Return the sum of the buckets' error signals; see `GammaLayer.mix_adjoint_sum`."""
        return delta @ self.weight.detach().sum(0).T

    def accumulate_mix(
        self,
        delta: Float[Tensor, "T B N"],
        drive: Float[Tensor, "T B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> None:
        """Add the gradient of the mix; see `GammaLayer.accumulate_mix`."""
        traces, _ = kernels.filter_forward(drive, alpha, buckets)
        self.accumulate_mix_traces(delta, traces)

    def accumulate_mix_traces(self, delta: Float[Tensor, "T B N"], traces: Float[Tensor, "T B K M"]) -> None:
        """Add the gradient of the mix; see `GammaLayer.accumulate_mix_traces`."""
        add_gradient(self.weight, traces.flatten(2).flatten(0, 1).T @ delta.flatten(0, 1))

    def require_own_parameters(self, rule: str) -> None:
        """Raise an error if the layer trains its time constants; all other parameters belong to one neuron each."""
        self.require_fixed_timescales(rule)

    def sensitivities(
        self, senders: Float[Tensor, "K B *in_shape"], buckets: Float[Tensor, "K B M"]
    ) -> dict[str, Float[Tensor, ...]]:
        """Return ∂x_i/∂v_ij^k = h_j^k and ∂x_i/∂b_i = 1."""
        batch = buckets.shape[1]
        weight = buckets.transpose(0, 1).unsqueeze(1).expand(batch, self.neurons, self.order, self.cells)
        return {"weight": weight, "bias": buckets.new_ones(batch, self.neurons)}

    def accumulate_sensitivities(self, products: dict[str, Float[Tensor, ...]]) -> None:
        """Add gradients of V [N, K, M] and b [N]."""
        add_gradient(self.weight, products["weight"].permute(1, 2, 0))
        add_gradient(self.bias, products["bias"])
