"""The scans of a SpikingGamma layer as differentiable operations; their gradients are exact adjoints from the kernels.

Gradients pass through the buckets and the decoded estimate at the start and the end of a sequence, so chunks of a
sequence give the gradients of the whole. The adaptation of the threshold passes no gradient. Time constants receive
theirs through α.
They stand in one file, longer than others, since they share one backward pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState

__all__ = ["alpha_gradient", "decoded", "gamma_filter", "gamma_neuron", "gamma_signal", "sigma_delta"]


def alpha_gradient(
    grad: Float[Tensor, "T B K M"], traces: Float[Tensor, "T B K M"], before: Float[Tensor, "K B M"]
) -> Float[Tensor, " K"]:
    """Return ∂ℓ/∂α_k = Σ_t g_k(t) (h_k(t-1) - h_{k-1}(t-1)), from the adjoint g and the buckets h.

    Bucket 0 has no bucket before it, and its own decay multiplies only h_0.

    Args:
        grad: g, [T, B, K, M].
        traces: h at each step, [T, B, K, M].
        before: h before the first step, [K, B, M].
    """
    past = torch.cat([before.transpose(0, 1).unsqueeze(0), traces[:-1]])
    lower = torch.cat([torch.zeros_like(past[:, :, :1]), past[:, :, :-1]], dim=2)
    return (grad * (past - lower)).sum((0, 1, 3))


class _SignalGrads(NamedTuple):
    """Gradients of `kernels.signal_forward` by the drive, the weights, the bias, the decays and the initial buckets."""

    drive: Tensor
    weight: Tensor
    bias: Tensor
    alpha: Tensor | None
    before: Tensor | None


def _signal_grads(
    delta: Tensor,
    on_after: Tensor | None,
    saved: tuple[Tensor, Tensor, Tensor, Tensor],
    needs_alpha: bool,
    needs_before: bool,
) -> _SignalGrads:
    """Return the gradients, given δ = ∂ℓ/∂x and that of the final buckets, if there is one."""
    drive, weight, alpha, before = saved
    exact = kernels.signal_gradients(delta, drive, weight, alpha, before)
    if on_after is None and not needs_alpha:
        carried = kernels.signal_adjoint(delta, weight, alpha)[1] if needs_before else None
        return _SignalGrads(*exact, None, carried)
    told = delta.unsqueeze(2) * weight
    if on_after is not None:
        told[-1] += on_after.transpose(0, 1)
    g, carried = kernels.filter_adjoint(told, alpha)
    alpha_grad = alpha_gradient(g, kernels.filter_forward(drive, alpha, before)[0], before) if needs_alpha else None
    return _SignalGrads(exact[0] if on_after is None else g[:, :, 0], *exact[1:], alpha_grad, carried)


class _GammaSignal(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, weight: Tensor, bias: Tensor, alpha: Tensor, before: Tensor
    ) -> tuple[Tensor, Tensor]:
        signal, after = kernels.signal_forward(drive, weight, bias, alpha, before)
        ctx.save_for_backward(drive, weight, alpha, before)
        ctx.set_materialize_grads(False)
        return signal, after

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        delta, on_after = grads
        delta = torch.zeros_like(ctx.saved_tensors[0]) if delta is None else delta.contiguous()
        needs = ctx.needs_input_grad
        return tuple(_signal_grads(delta, on_after, ctx.saved_tensors, needs[3], needs[4]))


class _GammaFilter(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, drive: Tensor, alpha: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        traces, after = kernels.filter_forward(drive, alpha, before)
        ctx.save_for_backward(traces, alpha, before)
        ctx.set_materialize_grads(False)
        return traces, after

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        traces, alpha, before = ctx.saved_tensors
        told, on_after = grads
        told = torch.zeros_like(traces) if told is None else told.contiguous()
        if on_after is not None:
            told = told.clone()
            told[-1] += on_after.transpose(0, 1)
        g, carried = kernels.filter_adjoint(told, alpha)
        alpha_grad = alpha_gradient(g, traces, before) if ctx.needs_input_grad[1] else None
        return g[:, :, 0], alpha_grad, carried if ctx.needs_input_grad[2] else None


class _SigmaDelta(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        output: Tensor,
        alpha_0: float,
        code: SigmaDelta,
        dt_ms: float,
        estimate: Tensor,
        adaptation: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        sent, counts, after = kernels.code_forward(output, alpha_0, code, dt_ms, SigmaDeltaState(estimate, adaptation))
        ctx.alpha_0 = alpha_0
        ctx.like = sent.new_zeros(1).expand(sent.shape)
        ctx.mark_non_differentiable(counts, after.adaptation)
        ctx.set_materialize_grads(False)
        return sent, counts, after.estimate, after.adaptation

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        sent = ctx.like if grads[0] is None else grads[0]
        on_output = decoded(sent, ctx.alpha_0, grads[2])
        on_estimate = -ctx.alpha_0 * sent[0] if ctx.needs_input_grad[4] else None
        return on_output, None, None, None, on_estimate, None


class _GammaNeuron(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,
        weight: Tensor,
        bias: Tensor,
        alpha: Tensor,
        before: Tensor,
        code: SigmaDelta,
        dt_ms: float,
        estimate: Tensor,
        adaptation: Tensor,
    ) -> tuple[Tensor, ...]:
        state = SpikingGammaState(before, estimate, adaptation)
        signal, sent, _, after = kernels.neuron_forward(drive, weight, bias, alpha, state, code, dt_ms, counting=False)
        ctx.save_for_backward(drive, weight, alpha, before, signal)
        ctx.mark_non_differentiable(after.adaptation)
        ctx.set_materialize_grads(False)
        return sent, *after

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        drive, weight, alpha, before, signal = ctx.saved_tensors
        sent, on_after, on_estimate_after, _ = grads
        sent = torch.zeros_like(signal) if sent is None else sent.contiguous()
        needs = ctx.needs_input_grad
        if on_after is None and on_estimate_after is None and not (needs[3] or needs[4]):
            found = _SignalGrads(*kernels.neuron_adjoint(sent, signal, drive, weight, alpha, before), None, None)
        else:
            delta = decoded(sent, float(alpha[0]), on_estimate_after) * (signal > 0)
            found = _signal_grads(delta, on_after, (drive, weight, alpha, before), needs[3], needs[4])
        on_estimate = -alpha[0] * sent[0] if needs[7] else None
        return *found, None, None, on_estimate, None


def decoded(
    grad: Float[Tensor, "T B M"], alpha_0: float, on_after: Float[Tensor, "B M"] | None = None
) -> Float[Tensor, "T B M"]:
    """Return ∂ℓ/∂y = ∂ℓ/∂ŷ from r = ∂ℓ/∂s: e(t) = r(t) - α_0 r(t+1), because s(t) = ŷ(t) - α_0 ŷ(t-1) and ∂ŷ/∂y = 1.

    Args:
        grad: r, [T, B, M].
        alpha_0: Decay per step of bucket 0.
        on_after: -α_0 r(T), the error signal of the last estimate from later steps, [B, M].
    """
    result = torch.empty_like(grad)
    torch.sub(grad[:-1], grad[1:], alpha=alpha_0, out=result[:-1])
    result[-1] = grad[-1] if on_after is None else grad[-1] + on_after
    return result


def gamma_neuron(
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "K N"],
    bias: Float[Tensor, " N"],
    alpha: Float[Tensor, " K"],
    state: SpikingGammaState,
    code: SigmaDelta,
    dt_ms: float,
) -> tuple[Float[Tensor, "T B N"], SpikingGammaState]:
    """Return the spikes of rectifying neurons and their final state: `gamma_signal` and `sigma_delta` in one operation.

    Args:
        drive: u, [T, B, N].
        weight: Bucket weights v, [K, N].
        bias: b, [N].
        alpha: Decay per step of each bucket, [K].
        state: State before the first step.
        code: The sigma-delta code.
        dt_ms: Time step in ms.
    """
    inputs = (drive, weight, bias, alpha, state.buckets, code, dt_ms, state.estimate, state.adaptation)
    sent, *after = _GammaNeuron.apply(*inputs)  # type: ignore[no-untyped-call]
    return sent, SpikingGammaState(*after)


def gamma_signal(
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "K N"],
    bias: Float[Tensor, " N"],
    alpha: Float[Tensor, " K"],
    before: Float[Tensor, "K B N"],
) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "K B N"]]:
    """Return x(t) = b + Σ_k v_k h_k(t) and the final buckets; differentiable in drive, weight, bias and alpha.

    Args:
        drive: u, [T, B, N].
        weight: Bucket weights v, [K, N].
        bias: b, [N].
        alpha: Decay per step of each bucket, [K].
        before: Buckets before the first step, [K, B, N].
    """
    signal, after = _GammaSignal.apply(drive, weight, bias, alpha, before)  # type: ignore[no-untyped-call]
    return signal, after


def gamma_filter(
    drive: Float[Tensor, "T B M"], alpha: Float[Tensor, " K"], before: Float[Tensor, "K B M"]
) -> tuple[Float[Tensor, "T B K M"], Float[Tensor, "K B M"]]:
    """Return every bucket at every step, [T, B, K, M], and the final buckets; differentiable in drive and alpha.

    Args:
        drive: u, [T, B, M].
        alpha: Decay per step of each bucket, [K].
        before: Buckets before the first step, [K, B, M].
    """
    traces, after = _GammaFilter.apply(drive, alpha, before)  # type: ignore[no-untyped-call]
    return traces, after


def sigma_delta(
    output: Float[Tensor, "T B N"], alpha_0: float, code: SigmaDelta, dt_ms: float, state: SigmaDeltaState
) -> tuple[Float[Tensor, "T B N"], Int[Tensor, "T B N"], SigmaDeltaState]:
    """Return the spikes, their counts and the final state; the gradient assumes faithful decoding, ∂ŷ/∂y = 1.

    Args:
        output: y, [T, B, N].
        alpha_0: Decay per step of bucket 0.
        code: The sigma-delta code.
        dt_ms: Time step in ms.
        state: State before the first step.
    """
    sent, counts, estimate, adaptation = _SigmaDelta.apply(  # type: ignore[no-untyped-call]
        output, alpha_0, code, dt_ms, *state
    )
    return sent, counts, SigmaDeltaState(estimate, adaptation)
