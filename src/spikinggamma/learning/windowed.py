"""Exact blame over a sliding window, and over the whole recording.

The adjoint of the net, layer by layer from the read-out down:

    r = Γᵀ Qᵀ δ              blame on the drive
    e(t) = r(t) - α_0 r(t+1)  blame on what the listeners decode: v_0 δ(t) + (1 - α_1) g_1(t+1)
    δ_below = 1[x > 0] ⊙ Pᵀ e

A feedforward net of decaying kernels forgets: what happened at τ stops mattering after a span H. `windowed` runs the adjoint
over a window and commits the contributions of its oldest chunk once everything that it still influences has been seen, so
that every step is committed exactly once; memory is that of the window, whatever the length of the recording.
`through_time` waits for the end: the oracle, linear in memory.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.gamma_rule import GammaRule, accumulate_timescales, propagate_down
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import GammaNet, LayerActivations, NetActivations, SequenceNet
from spikinggamma.nn.autograd import decoded
from spikinggamma.options import Options

__all__ = ["ThroughTime", "Windowed", "WindowedOptions", "commit", "span"]


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


def commit(
    net: GammaNet, alphas: list[Tensor], dt_ms: float, activations: NetActivations, delta: Tensor, steps: int
) -> None:
    """Run the adjoint over the tape and add the contributions of its first `steps` steps to the gradients."""
    for index in reversed(range(len(net.stack))):
        layer, own, alpha = net.stack[index], activations.layers[index], alphas[index]
        layer.accumulate_mix(delta[:steps], own.drive[:steps], own.before.buckets, alpha)
        layer.accumulate_bias(delta[:steps])
        accumulate_timescales(layer, own, delta, alpha, dt_ms, steps)
        if index == 0 and not layer.projection_learns:
            return
        drive_grad, _ = layer.signal_adjoint(delta, alpha)
        input_events = own.input_events if steps == len(own.inputs) else None
        layer.accumulate_projection(drive_grad[:steps], own.inputs[:steps], input_events)
        if index > 0:
            delta = propagate_down(net, activations, index, layer.project_adjoint(decoded(drive_grad, float(alpha[0]))))


def _join(all_activations: list[NetActivations]) -> NetActivations:
    if len(all_activations) == 1:
        return all_activations[0]
    layers = []
    for parts in zip(*(activations.layers for activations in all_activations), strict=True):
        inputs, drive, signal = (
            torch.cat([getattr(part, name) for part in parts]) for name in ("inputs", "drive", "signal")
        )
        # The adjoint reads what came in and the gate; what was sent is the next layer's input.
        layers.append(LayerActivations(inputs, drive, parts[0].before, signal, signal, None))
    costs = [activations.cost for activations in all_activations if activations.cost is not None]
    return NetActivations(tuple(layers), all_activations[0].masks, torch.cat(costs) if costs else None)


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
            added |= self._commit(len(self._window[0][1]))
            self._steps -= len(self._window.popleft()[1])
        return added

    def finish(self) -> bool:
        """Commit the rest: the recording's end is known to carry no later blame."""
        added = self._commit(self._steps)
        self._window.clear()
        self._steps = 0
        return added

    def _commit(self, steps: int) -> bool:
        # With a label only at the end, most of the recording is never blamed: nothing to run.
        if not any(activations.cost is not None or bool(delta.any()) for activations, delta in self._window):
            return False
        all_activations, deltas = zip(*self._window, strict=True)
        commit(self.net, self.alphas, self.dt_ms, _join(list(all_activations)), torch.cat(deltas), steps)
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
            delta = torch.cat(self._deltas)
            commit(self.net, self.alphas, self.dt_ms, _join(self._tapes), delta, len(delta))
        self._tapes, self._deltas = [], []
        return added
