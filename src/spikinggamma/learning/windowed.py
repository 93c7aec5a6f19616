"""Exact blame over a sliding window, and over the whole recording.

The adjoint of the net, layer by layer from the read-out down:

    r = Γᵀ Qᵀ δ                               ∂ℓ/∂u, on the drive
    b = Pᵀ r                                  ∂ℓ/∂s, on what the layer below sends
    δ_below(t) = 1[x > 0] ⊙ (b(t) - α_0 b(t+1))

since what listeners decode is ŷ(t) = α_0 ŷ(t-1) + s(t). The gate, the decoding, the adjoint and the gradients of the buckets'
weights and of the bias are one pass over time, that of autograd too (`kernels.neuron_adjoint`).

A feedforward net of decaying kernels forgets: what happened at τ stops mattering after a span H. `windowed` runs the adjoint
over a window and commits the contributions of its oldest chunk once everything that it still influences has been seen, so
that every step is committed exactly once; memory is that of the window, whatever the length of the recording.
`through_time` waits for the end: the oracle, linear in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.gamma_rule import GammaRule, accumulate_timescales, output_gradient
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import GammaLayer, GammaNet, LayerActivations, NetActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["ThroughTime", "Windowed", "WindowedOptions", "commit", "layer_backward", "span"]


def span(net: GammaNet, dt_ms: float, tolerance: float) -> int:
    """H in steps: after so many, at most `tolerance` of an input's weight in the slowest path still lies ahead.

    The slowest path from an event to the read-out passes every bucket of every layer. A unit of it moves on from a bucket
    with probability 1 - α per step, so its travel time is a sum of geometric waits, summed here exactly.
    """
    if not 0.0 < tolerance < 1.0:
        raise SpikingGammaError("tolerance", tolerance, "a number between 0 and 1")
    waits = [layer.alpha(dt_ms).tolist() for layer in net.stack]
    # Between layers, decoding cancels the wait in bucket 0; only the first layer hears raw events.
    return _slowest(tuple(waits[0] + [wait for rest in waits[1:] for wait in rest[1:]]), tolerance)


@lru_cache(maxsize=64)
def _slowest(decays: tuple[float, ...], tolerance: float) -> int:
    """Steps until at most `tolerance` still waits in a chain of buckets with these decays."""
    alpha = torch.tensor(decays, dtype=torch.float64)
    waiting = torch.zeros(len(alpha), dtype=torch.float64)
    waiting[0] = 1.0
    steps = 0
    while float(waiting.sum()) > tolerance:
        leaving = (1.0 - alpha) * waiting
        waiting = waiting - leaving
        waiting[1:] += leaving[:-1]
        steps += 1
    return steps


def layer_backward(
    layer: GammaLayer,
    chunks: Sequence[LayerActivations],
    grad: Float[Tensor, "T B N"],
    alpha: Float[Tensor, " K"],
    dt_ms: float,
    *,
    own: int = 1,
    below: bool = True,
) -> Float[Tensor, "T B *in_shape"] | None:
    """The backward pass of a layer over a window of chunks: from ∂ℓ/∂s on its outputs to ∂ℓ/∂s on its inputs.

    Args:
        layer: Whose gradients are added to.
        chunks: What its `run` left behind, T steps in all.
        grad: ∂ℓ/∂s; of a read-out ∂ℓ/∂x.
        alpha: Decay per step of the layer's buckets.
        dt_ms: Time step.
        own: How many of the chunks, from the first on, the parameters' gradients are taken of.
        below: Whether the gradient on the inputs is wanted; without it, None is returned.
    """
    signal, drive = _joined([part.signal for part in chunks]), _joined([part.drive for part in chunks[:own]])
    buckets = chunks[0].before.buckets
    if layer.timescales.trainable:
        accumulate_timescales(layer, drive, buckets, layer.signal_gradient(grad, signal, alpha), alpha, dt_ms)
    if not (layer.projection_learns or below):
        delta = layer.signal_gradient(grad, signal, alpha)[: len(drive)]
        layer.accumulate_mix(delta, drive, buckets, alpha)
        layer.accumulate_bias(delta)
        return None
    drive_grad = layer.scan_backward(grad, signal, drive, buckets, alpha)
    start = 0
    for part in chunks[:own]:
        layer.accumulate_projection(drive_grad[start : start + len(part.drive)], part.inputs, part.input_events)
        start += len(part.drive)
    return layer.project_adjoint(drive_grad) if below else None


def commit(
    net: GammaNet,
    alphas: Sequence[Tensor],
    dt_ms: float,
    window: Sequence[NetActivations],
    delta: Float[Tensor, "T B C"],
    own: int,
) -> None:
    """Run the adjoint of the net over a window of chunks, and add the gradients of the first `own` of them."""
    grad = delta
    for index in reversed(range(len(net.stack))):
        chunks = [activations.layers[index] for activations in window]
        told = layer_backward(net.stack[index], chunks, grad, alphas[index], dt_ms, own=own, below=index > 0)
        if told is not None:
            costs = [activations.cost for activations in window if activations.cost is not None]
            cost = _joined(costs) if costs else None
            grad = output_gradient(net.stack[index - 1], window[0].masks[index - 1], cost, told, alphas[index - 1])


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """The parts one after the other in time; a single one as it is."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


class WindowedOptions(Options):
    """Options of `windowed`."""

    tolerance: float = Field(
        default=1e-4,
        gt=0.0,
        lt=1.0,
        description="share of an input's weight that may still lie ahead when its gradient is added; sets the window",
    )


@RULES.register("windowed", options=WindowedOptions)
class Windowed(GammaRule):
    """Run the exact adjoint over a sliding window: BPTT up to the tail of the kernels, memory constant in time."""

    def __init__(self, net: SequenceNet, dt_ms: float, options: WindowedOptions) -> None:
        super().__init__(net, dt_ms, options)
        self.span = span(self.net, dt_ms, options.tolerance)
        self._window: deque[tuple[NetActivations, Tensor]] = deque()
        self._steps = 0

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""
        self._window.append((activations, delta))
        self._steps += len(delta)
        added = False
        while self._steps - len(self._window[0][1]) >= self.span:
            added |= self._commit(1)
            self._steps -= len(self._window.popleft()[1])
        return added

    def finish(self) -> bool:
        """Commit the rest: the recording's end is known to carry no later blame."""
        added = self._commit(len(self._window))
        self._window.clear()
        self._steps = 0
        return added

    def _commit(self, chunks: int) -> bool:
        # With a label only at the end, most of the recording has no error signal: nothing to run.
        if not any(activations.cost is not None or bool(delta.any()) for activations, delta in self._window):
            return False
        window, deltas = zip(*self._window, strict=True)
        commit(self.net, self.alphas, self.dt_ms, window, _joined(deltas), chunks)
        return True


@RULES.register("through_time")
class ThroughTime(GammaRule):
    """Run the adjoint over the whole recording, as backpropagation through time does; memory linear in time."""

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._tapes: list[NetActivations] = []
        self._deltas: list[Tensor] = []

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""
        self._tapes.append(activations)
        self._deltas.append(delta)
        return False

    def finish(self) -> bool:
        """Blame everything at once."""
        added = bool(self._tapes)
        if added:
            commit(self.net, self.alphas, self.dt_ms, self._tapes, _joined(self._deltas), len(self._tapes))
        self._tapes, self._deltas = [], []
        return added
