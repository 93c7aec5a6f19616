"""Shifted error signals: an error signal that comes through bucket k is multiplied by inputs k buckets deeper.

With one α for all buckets, gamma kernels compose: bucket k of a signal that was itself read from bucket m of its inputs
is bucket k + m of those inputs. Error signals are kept separate by the number of buckets that they have passed, δ^j,
and

    c_m(t)       = Σ_{j+k=m} Q_kᵀ δ^j(t)            m = 0 .. J+K-2
    ∂ℓ/∂P        = Σ_t Σ_m c_m(t) ŝ_m(t)ᵀ            with a chain of inputs longer by the buckets above
    ∂ℓ/∂Q_k      = Σ_t Σ_j δ^j(t) h_{k+j}(t)ᵀ
    ∂ℓ/∂b        = Σ_t Σ_j δ^j(t) c̄_j(t)             c̄_j: response of bucket j to a step, as listeners decode it
    δ^m (below)  = 1[x > 0] ⊙ Pᵀ c_m

No activations are stored over time, and every chunk adds its gradients at once. The gradient is exact while no gate
changes within a kernel, since a gate is read at the present step and not when the input came.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.gamma_rule import GammaRule, propagate_down
from spikinggamma.learning.history import SenderHistory
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import NetActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["Shifted"]


@RULES.register("shifted")
class Shifted(GammaRule):
    """Multiply error signals from bucket k by inputs k buckets deeper; constant memory, one time constant for all.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: Buckets have different time constants, or the time constants are trained.
    """

    needs_equal_timescales = True

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        every = torch.cat(self.alphas)
        if any(layer.timescales.trainable for layer in self.net.stack) or not torch.allclose(every, every[0]):
            tau_ms = sorted(
                {round(float(tau), 6) for layer in self.net.stack for tau in layer.timescales.tau_ms().detach()}
            )
            raise SpikingGammaError(
                "tau_ms",
                tau_ms,
                "one fixed time constant for all buckets of all layers, for the rule `shifted`",
                "Gamma kernels compose only with one time constant; use `windowed` for others.",
            )
        # The layer at index i receives error signals through the K - 1 buckets of each layer above it.
        depth = [sum(layer.order - 1 for layer in self.net.stack[index:]) + 1 for index in range(len(self.net.stack))]
        self._chains = [alpha[:1].expand(deep).contiguous() for alpha, deep in zip(self.alphas, depth, strict=True)]
        self._senders = [SenderHistory(layer, chain) for layer, chain in zip(self.net.stack, self._chains, strict=True)]
        self._buckets: list[Tensor | None] = [None] * len(self.net.stack)
        self._step = torch.zeros(depth[0], dtype=every.dtype, device=every.device)

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        answers = self._step_answers(len(delta))
        bundle = delta.unsqueeze(0)
        for index in reversed(range(len(self.net.stack))):
            layer, own, chain = self.net.stack[index], activations.layers[index], self._chains[index]
            past = self._buckets[index]
            past = own.drive.new_zeros(len(chain), *own.drive.shape[1:]) if past is None else past
            traces, self._buckets[index] = kernels.filter_forward(own.drive, chain, past)
            for j, grad in enumerate(bundle.unbind(0)):
                layer.accumulate_mix_traces(grad, traces[:, :, j : j + layer.order])
                layer.accumulate_bias(grad * answers[:, j].view(-1, 1, 1))
            if index == 0 and not layer.projection_learns:
                break
            spread = bundle.new_zeros(*bundle.shape[1:3], len(chain), layer.cells)
            for j, grad in enumerate(bundle.unbind(0)):
                spread[:, :, j : j + layer.order] += layer.mix_adjoint(grad)
            g, carried = kernels.filter_adjoint(spread, chain)
            layer.accumulate_projection(g[:, :, 0], own.inputs, own.input_events)
            senders = self._senders[index].before(own)
            if senders is not None:
                layer.accumulate_projection(carried, senders)
            if index > 0:
                told = spread.permute(2, 0, 1, 3)
                # The activity cost is on the present output, so it adds only to the error signal of bucket 0.
                free = activations._replace(cost=None)
                bundle = torch.stack(
                    [
                        propagate_down(self.net, free if deep else activations, index, layer.project_adjoint(c))
                        for deep, c in enumerate(told.unbind(0))
                    ]
                )
        return True

    def finish(self) -> bool:
        """Return False, since every chunk adds its gradients at once."""
        return False

    def _step_answers(self, steps: int) -> Float[Tensor, "T J"]:
        """Return c̄_j(t): c̄_0 = 1 from the first step on, c̄_j(t) = α c̄_j(t-1) + (1-α) c̄_{j-1}(t-1), [T, J]."""
        alpha = self._chains[0][0]
        rows = []
        for _ in range(steps):
            later = alpha * self._step[1:] + (1.0 - alpha) * self._step[:-1]
            self._step = torch.cat([torch.ones_like(self._step[:1]), later])
            rows.append(self._step)
        return torch.stack(rows)
