"""The exact gradient over a sliding window, and over the whole recording.

The adjoint of the net is computed layer by layer, from the read-out down:

    r = Γᵀ Qᵀ δ                               ∂ℓ/∂u, with respect to the drive
    b = Pᵀ r                                  ∂ℓ/∂s, with respect to the spikes of the layer below
    δ_below(t) = 1[x > 0] ⊙ (b(t) - α_0 b(t+1))

since listeners decode ŷ(t) = α_0 ŷ(t-1) + s(t). Gate, decoding, adjoint and the gradients of the bucket weights and of
the bias are computed in one pass over time, which autograd uses too (`kernels.neuron_adjoint`).

A feedforward net with decaying kernels forgets: an event has no effect after a span H. `windowed` runs the adjoint over
a window, and adds the gradients of its oldest chunk when the window covers the span after it, so every step is counted
exactly once. Memory is that of the window, for any length of the recording. `through_time` waits for the end; it is the
oracle, with memory linear in time.
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
    """Return H in steps: after H steps, at most `tolerance` of an input's weight in the slowest path is still to come.

    The slowest path from an event to the read-out passes every bucket of every layer. A unit of weight moves on from a
    bucket with probability 1 - α per step, so its travel time is a sum of geometric waiting times, which is computed
    exactly.

    Args:
        net: The net.
        dt_ms: Time step in ms.
        tolerance: Share of the weight, between 0 and 1.

    Raises:
        SpikingGammaError: The tolerance is not between 0 and 1.
    """
    if not 0.0 < tolerance < 1.0:
        raise SpikingGammaError("tolerance", tolerance, "a number between 0 and 1")
    waits = [layer.alpha(dt_ms).tolist() for layer in net.stack]
    # Between layers, decoding cancels the wait in bucket 0; only the first layer receives raw events.
    return _slowest(tuple(waits[0] + [wait for rest in waits[1:] for wait in rest[1:]]), tolerance)


@lru_cache(maxsize=64)
def _slowest(decays: tuple[float, ...], tolerance: float) -> int:
    """Return the number of steps until at most `tolerance` still waits in a chain of buckets with these decays."""
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
    """Run the backward pass of a layer over a window of chunks, from ∂ℓ/∂s of its outputs to ∂ℓ/∂s of its inputs.

    Args:
        layer: Layer whose gradients are added.
        chunks: Activations that its `run` returned, T steps in all.
        grad: ∂ℓ/∂s, or ∂ℓ/∂x for a read-out, [T, B, N].
        alpha: Decay per step of the layer's buckets, [K].
        dt_ms: Time step in ms.
        own: Number of chunks, from the first on, whose gradients of the parameters are added.
        below: Whether to return the gradient with respect to the inputs; else None is returned.
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
    """Run the adjoint of the net over a window of chunks, and add the gradients of the first `own` of them.

    Args:
        net: The net.
        alphas: Decay per step of the buckets of each layer.
        dt_ms: Time step in ms.
        window: Activations of each chunk.
        delta: Error signal of the logits over the window, [T, B, C].
        own: Number of chunks whose gradients are added.
    """
    grad = delta
    for index in reversed(range(len(net.stack))):
        chunks = [activations.layers[index] for activations in window]
        told = layer_backward(net.stack[index], chunks, grad, alphas[index], dt_ms, own=own, below=index > 0)
        if told is not None:
            costs = [activations.cost for activations in window if activations.cost is not None]
            cost = _joined(costs) if costs else None
            grad = output_gradient(net.stack[index - 1], window[0].masks[index - 1], cost, told, alphas[index - 1])


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Return the parts concatenated in time; a single part is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


class WindowedOptions(Options):
    """Options of the rule `windowed`."""

    tolerance: float = Field(
        default=1e-4,
        gt=0.0,
        lt=1.0,
        description="share of an input's weight that may still be to come when its gradient is added; sets the window",
    )


@RULES.register("windowed", options=WindowedOptions)
class Windowed(GammaRule):
    """Run the exact adjoint over a sliding window: BPTT up to the tail of the kernels, memory constant in time.

    The window is as long as `span` for the option `tolerance`. Gradients are added chunk by chunk, one window late.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: The tolerance is not between 0 and 1, or the net is not a `GammaNet`.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: WindowedOptions) -> None:
        super().__init__(net, dt_ms, options)
        self.span = span(self.net, dt_ms, options.tolerance)
        self._window: deque[tuple[NetActivations, Tensor]] = deque()
        self._steps = 0

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        self._window.append((activations, delta))
        self._steps += len(delta)
        added = False
        while self._steps - len(self._window[0][1]) >= self.span:
            added |= self._commit(1)
            self._steps -= len(self._window.popleft()[1])
        return added

    def finish(self) -> bool:
        """Add the gradients of the remaining chunks, since no error signal comes after the end of the recording."""
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
    """Run the adjoint over the whole recording, as backpropagation through time does; memory linear in time.

    The gradient is exact; the other rules for SpikingGamma are tested against this one.

    The arguments are those of `Rule`.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._tapes: list[NetActivations] = []
        self._deltas: list[Tensor] = []

    def accumulate(self, activations: NetActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        self._tapes.append(activations)
        self._deltas.append(delta)
        return False

    def finish(self) -> bool:
        """Add the gradients of all chunks at once."""
        added = bool(self._tapes)
        if added:
            commit(self.net, self.alphas, self.dt_ms, self._tapes, _joined(self._deltas), len(self._tapes))
        self._tapes, self._deltas = [], []
        return added
