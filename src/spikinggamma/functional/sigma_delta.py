"""Sigma-delta code with an adaptive threshold: a neuron spikes only when the listeners' estimate is too low.

    ŷ⁻(t) = α_0 ŷ(t-1)
    n(t)  = ⌊ max(0, y(t) - ŷ⁻(t)) / 2ϑ(t) + ½ ⌋
    ŷ(t)  = ŷ⁻(t) + 2 ϑ(t) n(t)                          the message sent is 2 ϑ(t) n(t)
    ϑ(t)  = ϑ_0 + a(t),   a(t+dt) = e^{-dt/τ_a} (a(t) + m ϑ(t) n(t))

The listeners are the neurons that receive the spikes. The estimate ŷ equals bucket 0 of every listener, because both decay by
the same α_0. With fine steps at most one spike is sent in a step; with coarse steps several may be, so that the code stays
the same neuron (`max_spikes` limits them).

Source: SpikingGamma (arXiv 2602.01978) for the code; the multiplicative adaptation follows Bohté (NIPS 2012).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["SigmaDelta", "SigmaDeltaState", "sigma_delta_step"]


class SigmaDelta(NamedTuple):
    """Parameters of the code, independent of the time step.

    Attributes:
        threshold: ϑ_0 > 0, in units of the signal.
        adaptation: m >= 0; a spike raises the threshold by this share of it, and 0 switches adaptation off.
        adaptation_tau_ms: τ_a > 0 in ms.
        max_spikes: Upper limit of n(t); 1 gives a strictly binary code, None no limit.
    """

    threshold: float = 0.1
    adaptation: float = 0.1
    adaptation_tau_ms: float = 50.0
    max_spikes: int | None = None

    def validate(self) -> SigmaDelta:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range.
        """
        if not self.threshold > 0.0:
            raise SpikingGammaError("threshold", self.threshold, "a positive number")
        if not self.adaptation >= 0.0:
            raise SpikingGammaError("adaptation", self.adaptation, "zero (off) or a positive number")
        if not self.adaptation_tau_ms > 0.0:
            raise SpikingGammaError("adaptation_tau_ms", self.adaptation_tau_ms, "a positive time in ms")
        if self.max_spikes is not None and self.max_spikes < 1:
            raise SpikingGammaError("max_spikes", self.max_spikes, "None (no limit) or at least 1")
        return self

    def adaptation_decay(self, dt_ms: float) -> float:
        """Return e^{-dt/τ_a}, the decay of a(t) in one step."""
        return math.exp(-dt_ms / self.adaptation_tau_ms)


class SigmaDeltaState(NamedTuple):
    """State of the code: the estimate ŷ and the threshold's rise a, both [B, N]."""

    estimate: Float[Tensor, " *cells"]
    adaptation: Float[Tensor, " *cells"]


def sigma_delta_step(
    code: SigmaDelta, alpha_0: float, dt_ms: float, state: SigmaDeltaState, signal: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], SigmaDeltaState]:
    """Run one step of the code.

    Args:
        code: Parameters.
        alpha_0: Decay of the listeners' bucket 0 in one step.
        dt_ms: Time step.
        state: Estimate and adaptation before the step.
        signal: y(t).

    Returns:
        The message 2 ϑ(t) n(t), and the state after the step.

    Example:
        >>> zero = torch.zeros(1, 3)
        >>> out, state = sigma_delta_step(SigmaDelta(0.5), 0.9, 1.0, SigmaDeltaState(zero, zero), zero + 0.7)
        >>> out
        tensor([[1., 1., 1.]])
    """
    threshold = code.threshold + state.adaptation
    decayed = alpha_0 * state.estimate
    count = torch.floor((signal - decayed).clamp_min(0.0) / (2.0 * threshold) + 0.5)
    if code.max_spikes is not None:
        count = count.clamp_max(float(code.max_spikes))
    sent = 2.0 * threshold * count
    risen = code.adaptation_decay(dt_ms) * (state.adaptation + code.adaptation * threshold * count)
    return sent, SigmaDeltaState(decayed + sent, risen)
