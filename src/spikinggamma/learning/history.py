"""Traces of the inputs before a chunk, which a causal rule keeps so that chunks add up to the whole recording.

Inside a chunk the gradient of P comes from the adjoint. Inputs from before the chunk still act through the buckets. On
the sender's side they are ŝ_k, the same filters applied to the inputs themselves, and their part of the gradient is Σ_k
(∂ℓ/∂h_k before the chunk) ŝ_kᵀ. Trained time constants need one more trace of that kind, ∂h_k/∂α_j.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.functional import gamma_step
from spikinggamma.learning.gamma_rule import advance
from spikinggamma.nn import GammaLayer, LayerActivations

__all__ = ["SenderHistory", "TimescaleHistory"]


class SenderHistory:
    """Sender-side buckets ŝ_k before the present chunk, [J, B, *in_shape]; updated only when a next chunk comes.

    Args:
        layer: Layer whose inputs are remembered.
        alpha: Decay per step of each remembered bucket, [J]; `shifted` needs more than the layer has.
    """

    def __init__(self, layer: GammaLayer, alpha: Float[Tensor, " J"]) -> None:
        self.layer = layer
        self.alpha = alpha
        self._buckets: Tensor | None = None
        self._pending: Tensor | None = None

    def before(self, activations: LayerActivations) -> Float[Tensor, "J B *in_shape"] | None:
        """Return ŝ_k before this chunk, or None at the start of a recording. Call it once per chunk, in order."""
        if self._pending is not None:
            inputs = self._pending.flatten(2)
            zeros = inputs.new_zeros(len(self.alpha), *inputs.shape[1:])
            self._buckets = advance(inputs, self.alpha, zeros if self._buckets is None else self._buckets)
        self._pending = activations.inputs
        return None if self._buckets is None else self._buckets.view(len(self.alpha), -1, *self.layer.in_shape)


class TimescaleHistory:
    """q_jk = ∂h_k/∂α_j before the present chunk, [K(j), K(k), B, M], for trained time constants.

        q_jk(t) = α_k q_jk(t-1) + (1 - α_k) q_j,k-1(t-1) + [j = k] (h_k(t-1) - h_{k-1}(t-1))

    Args:
        layer: The layer.
        alpha: Decay per step of each bucket, [K].
        dt_ms: Time step in ms.
    """

    def __init__(self, layer: GammaLayer, alpha: Float[Tensor, " K"], dt_ms: float) -> None:
        self.layer = layer
        self.alpha = alpha
        self.dt_ms = dt_ms
        self._sensitivity: Tensor | None = None
        self._pending: LayerActivations | None = None

    def accumulate(self, activations: LayerActivations, carried: Float[Tensor, "K B M"]) -> None:
        """Add the part of the gradient that acts through the buckets before this chunk.

        Call it once per chunk, in order.

        Args:
            activations: Activations of the layer in the chunk.
            carried: Error signal of the buckets before the chunk, [K, B, M].
        """
        if not self.layer.timescales.trainable:
            return
        if self._pending is not None:
            self._move_on(self._pending)
        self._pending = activations
        if self._sensitivity is not None:
            self.layer.timescales.accumulate((self._sensitivity * carried).sum((1, 2, 3)), self.dt_ms)

    def _move_on(self, activations: LayerActivations) -> None:
        order = len(self.alpha)
        if self._sensitivity is None:
            self._sensitivity = activations.drive.new_zeros(order, *activations.before.buckets.shape)
        traces, _ = kernels.filter_forward(activations.drive, self.alpha, activations.before.buckets)
        past = activations.before.buckets
        nothing = activations.drive.new_zeros(order, *past.shape[1:])
        for now in traces.unbind(0):
            source = past.clone()
            source[1:] -= past[:-1]
            # gamma_step expects the buckets on the first axis, so k comes first and j joins the cells.
            moved = gamma_step(self.alpha, self._sensitivity.transpose(0, 1), nothing).transpose(0, 1).contiguous()
            moved.diagonal(dim1=0, dim2=1).add_(source.permute(1, 2, 0))
            self._sensitivity = moved
            past = now.transpose(0, 1)
