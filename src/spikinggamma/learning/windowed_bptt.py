"""Backpropagation through time over a sliding window, for any chain whose memory fades.

Each chunk is run under autograd from a state that is a leaf of its own graph. When enough steps after the oldest chunk
have been seen, backpropagation runs through the window: each chunk's graph turns the error signals of its outputs and
of its final state into the error signal of its initial state,

    ∂ℓ/∂z_j = (∂outputs_j/∂z_j)ᵀ δ_j + (∂z_{j+1}/∂z_j)ᵀ ∂ℓ/∂z_{j+1}

and for the oldest chunk into the gradients of the parameters, after which it is dropped. Every step is counted once,
with its effects up to `span_ms` after its chunk. The gradient equals BPTT for a window as long as the recording, and
approaches it as far as the chain forgets within the span. Memory is that of the window, for any length of the
recording. Chunks should not be much shorter than the span, since each is backpropagated through once for every chunk of
the window.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.learning.bptt import with_error_signals
from spikinggamma.learning.rule import RULES, Rule
from spikinggamma.nn import Chain, ChainActivations, ChainState, SequenceNet, StateTree, add_gradient
from spikinggamma.nn.state import map_tensors, tensors_of
from spikinggamma.options import Options

__all__ = ["WindowedBPTT", "WindowedBPTTOptions"]


class WindowedBPTTOptions(Options):
    """Options of the rule `windowed_bptt`."""

    span_ms: float = Field(
        default=200.0,
        ge=0.0,
        le=3_600_000.0,
        description="time after a chunk for which effects of its steps are followed [ms]",
    )


class _Chunk(NamedTuple):
    """A chunk in the window: its outputs with their error signals, its initial state, and its number of steps."""

    followed: list[tuple[Tensor, Tensor]]
    before: list[Tensor]
    steps: int


@RULES.register("windowed_bptt", title="windowed BPTT", options=WindowedBPTTOptions)
class WindowedBPTT(Rule[ChainActivations]):
    """Backpropagate over a sliding window by autograd; constant memory, any chain whose memory fades.

    Effects of a step are followed for `span_ms` after its chunk, so the gradient is that of BPTT up to what the chain
    has not forgotten by then.

    The arguments are those of `Rule`.
    """

    nets = (Chain,)
    through_autograd = True

    def __init__(self, net: SequenceNet, dt_ms: float, options: WindowedBPTTOptions) -> None:
        super().__init__(net, dt_ms, options)
        self.span = math.ceil(options.span_ms / dt_ms)
        self._parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
        self._window: deque[_Chunk] = deque()
        # States at the borders of chunks, the oldest first: final state of one chunk, and initial state of the next.
        self._ends: deque[list[Tensor]] = deque()
        self._begun: list[Tensor] = []

    def prepare(self, state: ChainState) -> ChainState:
        """Return the state as the leaf of a new graph; see `PreparesState`."""
        self._ends.append(_changing(state.layers))
        layers = map_tensors(_leaf, state.layers)
        self._begun = _changing(layers)
        return state._replace(layers=layers)

    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        followed = [pair for pair in with_error_signals(activations, delta, self.dt_ms) if pair[0].requires_grad]
        self._window.append(_Chunk(followed, self._begun, len(delta)))
        added = False
        while self._window and sum(chunk.steps for chunk in list(self._window)[1:]) >= self.span:
            added |= self._commit()
        return added

    def finish(self) -> bool:
        """Add the gradients of the remaining chunks, since no error signal comes after the end of the recording."""
        added = False
        while self._window:
            added |= self._commit()
        self._ends.clear()
        return added

    def _commit(self) -> bool:
        """Add the gradients of the oldest chunk, and drop it."""
        # The first entry is the initial state of the window; entry j + 1 is the final state of chunk j.
        ends = list(self._ends)[1:]
        signals: list[Tensor | None] = []
        for index in reversed(range(1, len(self._window))):
            signals = self._back(self._window[index], ends[index] if index < len(ends) else [], signals)
        oldest = self._window.popleft()
        self._ends.popleft()
        outputs, grads = self._targets(oldest, ends[0] if ends else [], signals)
        if not outputs:
            return False
        found = torch.autograd.grad(outputs, self._parameters, grads, allow_unused=True)
        for parameter, gradient in zip(self._parameters, found, strict=True):
            if gradient is not None:
                add_gradient(parameter, gradient)
        return True

    def _back(self, chunk: _Chunk, end: list[Tensor], signals: list[Tensor | None]) -> list[Tensor | None]:
        """Return the error signals of the initial state of a chunk."""
        outputs, grads = self._targets(chunk, end, signals)
        if not outputs or not chunk.before:
            return [None] * len(chunk.before)
        return list(torch.autograd.grad(outputs, chunk.before, grads, retain_graph=True, allow_unused=True))

    def _targets(
        self, chunk: _Chunk, end: list[Tensor], signals: list[Tensor | None]
    ) -> tuple[list[Tensor], list[Tensor]]:
        pairs = [(outputs, grad) for outputs, grad in chunk.followed if bool(grad.any())]
        if signals:
            told = zip(end, signals, strict=True)
            pairs += [(part, signal) for part, signal in told if signal is not None and part.requires_grad]
        return [output for output, _ in pairs], [grad for _, grad in pairs]


def _changing(state: StateTree) -> list[Tensor]:
    """Return the parts of a state that may carry a gradient."""
    return [part for part in tensors_of(state) if part.is_floating_point()]


def _leaf(part: Tensor) -> Tensor:
    return part.detach().requires_grad_() if part.is_floating_point() else part
