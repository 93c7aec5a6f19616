"""Layers with their memory on the side of the receiving neuron: one weight v for each bucket and channel.

With one v per neuron the buckets commute with P, so the *drive* is filtered: there are K·N states, and P is applied
once, to sparse spikes. Dense and convolutional layers are of this kind and differ only in P.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.nn import autograd
from spikinggamma.nn.layers.activations import add_gradient
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.timescales import Timescales

__all__ = ["BucketWeightedLayer"]


class BucketWeightedLayer(GammaLayer):
    """Base class of layers with x = b + Σ_k v_k ⊙ h_k, where the cells of a channel share v and b.

    The arguments are those of `GammaLayer`, and `generator` for the initial bucket weights, which are uniform between 0
    and 2/K. They start positive, because neurons with bucket weights of random sign fire several times as often and
    learn worse.
    """

    parameter_kinds = {"bucket_weight": "bucket"}  # noqa: RUF012

    def __init__(
        self,
        in_shape: Sequence[int],
        out_shape: Sequence[int],
        channels: int,
        timescales: Timescales,
        *,
        code: SigmaDelta | None,
        readout: bool,
        rectify: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__(
            in_shape,
            out_shape,
            torch.Size(out_shape).numel(),
            channels,
            timescales,
            code=code,
            readout=readout,
            rectify=rectify,
        )
        order = timescales.order
        self.bucket_weight = nn.Parameter(torch.rand(order, channels, generator=generator) * (2.0 / order))

    def forward(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], SpikingGammaState]:
        """Run a chunk under autograd; see `GammaLayer.forward`."""
        self.check(inputs, state)
        alpha = self.alpha(dt_ms)
        drive = self.project(inputs).flatten(2)
        weight, bias = self.per_cell(self.bucket_weight), self.per_cell(self.bias)
        if self.code is not None and self.rectifies:
            sent, after = autograd.gamma_neuron(drive, weight, bias, alpha, state, self.code, dt_ms)
        else:
            signal, buckets = autograd.gamma_signal(drive, weight, bias, alpha, state.buckets)
            before = SigmaDeltaState(state.estimate, state.adaptation)
            sent, _, after_code = self.encode(signal, before, alpha, dt_ms)
            after = SpikingGammaState(buckets, *after_code)
        return sent.view(*sent.shape[:2], *self.out_shape), after

    def per_cell(self, values: Float[Tensor, "*K C"]) -> Float[Tensor, "*K N"]:
        """Return the values [..., N] of all cells, given one value per channel [..., C]."""
        repeat = self.neurons // values.shape[-1]
        return values if repeat == 1 else values.repeat_interleave(repeat, dim=-1)

    def scan(
        self, drive: Float[Tensor, "T B M"], state: SpikingGammaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SpikingGammaState]:
        """Remember, mix and encode; see `GammaLayer.scan`."""
        weight, bias = self.per_cell(self.bucket_weight), self.per_cell(self.bias)
        if self.code is not None and self.rectifies:
            return kernels.neuron_forward(drive, weight, bias, alpha, state, self.code, dt_ms)
        signal, buckets = kernels.signal_forward(drive, weight, bias, alpha, state.buckets)
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
        """Return ∂ℓ/∂u and add gradients, all in one pass; see `GammaLayer.scan_backward`."""
        weight = self.per_cell(self.bucket_weight.detach())
        if self.rectifies:
            found = kernels.neuron_adjoint(grad, signal, drive, weight, alpha, buckets)
        else:
            found = kernels.signal_gradients(self.signal_gradient(grad, signal, alpha), drive, weight, alpha, buckets)
        drive_grad, mix, bias = found
        self._add_bucket_gradient(mix)
        add_gradient(self.bias, bias.view(len(self.bias), -1).sum(1))
        return drive_grad

    def signal_adjoint(
        self, delta: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> tuple[Float[Tensor, "T B M"], Float[Tensor, "K B M"]]:
        """Return the error signal of the drive; see `GammaLayer.signal_adjoint`."""
        return kernels.signal_adjoint(delta, self.per_cell(self.bucket_weight), alpha)

    def mix_adjoint(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B K M"]:
        """Return the error signal of each bucket; see `GammaLayer.mix_adjoint`."""
        return delta.unsqueeze(2) * self.per_cell(self.bucket_weight.detach())

    def mix_adjoint_sum(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B M"]:
        """Return the sum of the buckets' error signals; see `GammaLayer.mix_adjoint_sum`."""
        return delta * self.per_cell(self.bucket_weight.detach().sum(0))

    def accumulate_mix(
        self,
        delta: Float[Tensor, "T B N"],
        drive: Float[Tensor, "T B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> None:
        """Add the gradient of the mix; see `GammaLayer.accumulate_mix`."""
        self._add_bucket_gradient(kernels.bucket_products(delta, drive, alpha, buckets))

    def accumulate_mix_traces(self, delta: Float[Tensor, "T B N"], traces: Float[Tensor, "T B K M"]) -> None:
        """Add the gradient of the mix; see `GammaLayer.accumulate_mix_traces`."""
        self._add_bucket_gradient(torch.einsum("tbn,tbkn->kn", delta, traces))

    def _add_bucket_gradient(self, per_cell: Float[Tensor, "K N"]) -> None:
        add_gradient(self.bucket_weight, per_cell.view(self.order, len(self.bias), -1).sum(2))
