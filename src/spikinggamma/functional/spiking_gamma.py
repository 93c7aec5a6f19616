"""The SpikingGamma neuron: a gamma memory, a rectified weighted sum of its buckets, and sigma-delta spikes.

    x(t) = b + Σ_k v_k h_k(t)        signal
    y(t) = max(x(t), 0)              output, transmitted to the listeners by sigma-delta spikes

This file is the specification: plain tensor operations, one step at a time, differentiable by autograd with the one
approximation that defines the method, namely that decoding is faithful: ∂ŷ/∂y = 1.

Source: SpikingGamma (arXiv 2602.01978).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.functional.gamma import gamma_step
from spikinggamma.functional.sigma_delta import SigmaDelta, SigmaDeltaState, sigma_delta_step

__all__ = [
    "NeuronOutput",
    "SpikingGammaParameters",
    "SpikingGammaState",
    "spiking_gamma_sequence",
    "spiking_gamma_step",
]


class SpikingGammaParameters(NamedTuple):
    """Parameters of a population of neurons at one time step.

    Attributes:
        alpha: Decay per step of each bucket, [K].
        bucket_weight: v, [K, N].
        bias: b, [N].
        code: The sigma-delta code; with None the neuron sends the signal itself (an analogue neuron, for comparison).
        dt_ms: Time step in ms.
        rectify: Whether y = max(x, 0); else y = x.
    """

    alpha: Float[Tensor, " K"]
    bucket_weight: Float[Tensor, "K N"]
    bias: Float[Tensor, " N"]
    code: SigmaDelta | None
    dt_ms: float
    rectify: bool = True


class SpikingGammaState(NamedTuple):
    """Buckets [K, B, N], estimate [B, N] and threshold adaptation [B, N]; all zero at the start of a recording."""

    buckets: Float[Tensor, "K B N"]
    estimate: Float[Tensor, "B N"]
    adaptation: Float[Tensor, "B N"]


class NeuronOutput(NamedTuple):
    """Output of a step or a sequence.

    Attributes:
        sent: The message.
        signal: x.
        estimate: ŷ, which listeners decode.
    """

    sent: Float[Tensor, "*T B N"]
    signal: Float[Tensor, "*T B N"]
    estimate: Float[Tensor, "*T B N"]
    threshold: Float[Tensor, "*T B N"]


def spiking_gamma_step(
    parameters: SpikingGammaParameters, state: SpikingGammaState, drive: Float[Tensor, "B N"]
) -> tuple[NeuronOutput, SpikingGammaState]:
    """Run one step: return the output for the drive u(t), and the new state.

    The value of `sent` is that of the code. Its derivative is that of the message y(t) - α_0 y(t-1), whose decoding
    gives y, so bucket 0 of a listener has ∂ŷ/∂y = 1, and no spike needs a surrogate. The threshold carries no gradient.

    Args:
        parameters: Parameters of the neurons.
        state: State before the step.
        drive: u(t), [B, N].

    Example:
        >>> p = SpikingGammaParameters(torch.tensor([0.5]), torch.ones(1, 2), torch.zeros(2), SigmaDelta(0.1), 1.0)
        >>> s = SpikingGammaState(torch.zeros(1, 3, 2), torch.zeros(3, 2), torch.zeros(3, 2))
        >>> spiking_gamma_step(p, s, torch.ones(3, 2))[0].sent.shape
        torch.Size([3, 2])
    """
    alpha, v, b, code, dt_ms, rectify = parameters
    buckets = gamma_step(alpha, state.buckets, drive)
    signal = b + (v.unsqueeze(1) * buckets).sum(0)
    output = torch.relu(signal) if rectify else signal
    alpha_0 = float(alpha[0].detach())
    if code is None:
        sent = output - alpha_0 * state.estimate
        return (
            NeuronOutput(sent, signal, output, torch.zeros_like(output)),
            SpikingGammaState(buckets, output, state.adaptation),
        )
    before = SigmaDeltaState(state.estimate.detach(), state.adaptation)
    value, after = sigma_delta_step(code, alpha_0, dt_ms, before, output.detach())
    estimate = after.estimate + (output - output.detach())
    sent = value + (estimate - estimate.detach()) - alpha_0 * (state.estimate - state.estimate.detach())
    threshold = code.threshold + state.adaptation
    return NeuronOutput(sent, signal, estimate, threshold), SpikingGammaState(buckets, estimate, after.adaptation)


def spiking_gamma_sequence(
    parameters: SpikingGammaParameters, state: SpikingGammaState, drive: Float[Tensor, "T B N"]
) -> tuple[NeuronOutput, SpikingGammaState]:
    """Run the neurons over a sequence by `spiking_gamma_step`; return outputs [T, B, N] and the final state.

    Args:
        parameters: Parameters of the neurons.
        state: State before the first step.
        drive: u, [T, B, N].
    """
    outputs = []
    for u in drive.unbind(0):
        output, state = spiking_gamma_step(parameters, state, u)
        outputs.append(output)
    sent, signal, estimate, threshold = (torch.stack(parts) for parts in zip(*outputs, strict=True))
    return NeuronOutput(sent, signal, estimate, threshold), state
