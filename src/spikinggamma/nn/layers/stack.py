"""Layers in sequence as one layer, and layers around a branch: residual blocks and temporal skips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.state import StateTree

__all__ = ["Feedback", "Residual", "Stack", "TemporalSkip"]


class Stack(Layer[tuple[StateTree, ...]]):
    """Layers in sequence, as one layer.

    Args:
        layers: Layers, each of which takes the output of the one before it.
        in_shape: Shape of one sample's input at one step, which is the output shape if there are no layers.

    Raises:
        SpikingGammaError: A module is not a `Layer`.
    """

    def __init__(self, layers: Sequence[nn.Module], in_shape: Sequence[int]) -> None:
        super().__init__()
        wrong = next((layer for layer in layers if not isinstance(layer, Layer)), None)
        if wrong is not None:
            remedy = "Put any other module of torch into Lift(module, in_shape)."
            raise SpikingGammaError("layers", type(wrong).__name__, "layers of spikinggamma.nn", remedy)
        self.layers = nn.ModuleList(layers)
        self.in_shape = tuple(in_shape)
        self.out_shape = self.row[-1].out_shape if layers else self.in_shape

    @property
    def row(self) -> tuple[Layer, ...]:
        """Return the layers as a tuple."""
        return tuple(layer for layer in self.layers if isinstance(layer, Layer))

    def initial_state(self, batch: int) -> tuple[StateTree, ...]:
        """Return one state for each layer; see `Layer.initial_state`."""
        return tuple(layer.initial_state(batch) for layer in self.row)

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: tuple[StateTree, ...], dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], tuple[StateTree, ...]]:
        """Run the layer on a sequence; see `Layer.forward`."""
        after = []
        for layer, before in zip(self.row, state, strict=True):
            x, new = layer(x, before, dt_ms)
            after.append(new)
        return x, tuple(after)


class Residual(Layer[tuple[StateTree, StateTree]]):
    """y = branch(x) + shortcut(x).

    Args:
        branch: Layers of the branch.
        shortcut: Layers of the shortcut, if the shapes differ; no layers for the identity.

    Raises:
        SpikingGammaError: Branch and shortcut have different output shapes.
    """

    def __init__(self, branch: Stack, shortcut: Stack) -> None:
        super().__init__()
        if branch.out_shape != shortcut.out_shape:
            found = f"{list(branch.out_shape)} beside {list(shortcut.out_shape)}"
            remedy = "Give the shortcut a layer that changes the shape, such as a convolution with the same stride."
            raise SpikingGammaError("residual", found, "a branch and a shortcut of one shape", remedy)
        self.branch, self.shortcut = branch, shortcut
        self.out_shape = branch.out_shape

    def initial_state(self, batch: int) -> tuple[StateTree, StateTree]:
        """Return the states of branch and shortcut; see `Layer.initial_state`."""
        return self.branch.initial_state(batch), self.shortcut.initial_state(batch)

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: tuple[StateTree, StateTree], dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], tuple[StateTree, StateTree]]:
        """Run the layer on a sequence; see `Layer.forward`."""
        branch, after = self.branch(x, state[0], dt_ms)
        shortcut, beside = self.shortcut(x, state[1], dt_ms)
        return branch + shortcut, (after, beside)


class SkipState(NamedTuple):
    """State of a temporal skip.

    Attributes:
        branch: State of the branch.
        projection: State of the projection.
        past: Values in the delay line, the oldest first, [D, B, *shape]; None at the start of a recording.
    """

    branch: tuple[StateTree, ...]
    projection: tuple[StateTree, ...]
    past: Float[Tensor, "D B *shape"] | None


class _Skip(Layer[SkipState]):
    """Common part of the temporal skips: a branch, a projection, a delay, and the combination of the two."""

    def __init__(self, branch: Stack, projection: Stack, *, delay_ms: float, combine: str, least_ms: float) -> None:
        super().__init__()
        if not least_ms <= delay_ms < math.inf:
            raise SpikingGammaError("delay_ms", delay_ms, f"a finite time of at least {least_ms:g} ms")
        if combine not in ("add", "concatenate"):
            raise SpikingGammaError("combine", repr(combine), "add or concatenate")
        self.branch, self.projection = branch, projection
        self.delay_ms, self.combine = delay_ms, combine
        # α = σ(a) weighs present against past if they are added; both have the same weight at first.
        self.mix = nn.Parameter(torch.zeros(())) if combine == "add" else None

    def initial_state(self, batch: int) -> SkipState:
        """Return the state at the start of a recording; see `Layer.initial_state`."""
        return SkipState(self.branch.initial_state(batch), self.projection.initial_state(batch), None)

    def steps(self, dt_ms: float) -> int:
        """Return the delay in steps, rounded to the nearest."""
        return round(self.delay_ms / dt_ms)

    def combined(self, present: Tensor, past: Tensor) -> Tensor:
        """Return α present + (1 - α) past, or their concatenation along the first axis of a sample."""
        if self.mix is None:
            return torch.cat([present, past], dim=2)
        share = torch.sigmoid(self.mix)
        return share * present + (1.0 - share) * past


def _combined_shape(present: tuple[int, ...], past: tuple[int, ...], combine: str) -> tuple[int, ...]:
    """Return the shape of the combination.

    Raises:
        SpikingGammaError: The shapes do not fit each other.
    """
    if combine == "add" and present == past:
        return present
    if combine == "concatenate" and present[1:] == past[1:]:
        return (present[0] + past[0], *present[1:])
    found = f"{list(present)} and {list(past)} to {combine}"
    raise SpikingGammaError("skip", found, "shapes that fit", "Give the skip a projection that changes the shape.")


class TemporalSkip(_Skip):
    """Forward skip with a delay: y(t) = α branch(x)(t) + (1 - α) P x(t - Δt), or the concatenation of the two.

    Args:
        branch: Layers of the branch.
        projection: P, if the shapes differ; no layers for the identity.
        delay_ms: Δt >= 0 in ms.
        combine: "add", with a learnt α = σ(a) that starts at ½, or "concatenate".

    Raises:
        SpikingGammaError: The delay is out of range, or the shapes do not fit each other.

    Source: Malettira, Negi, Ponghiran and Roy (TMLR 2025), arXiv 2411.16711; the form is this library's reading of it.
    """

    parameter_kinds = {"mix": "scale"}  # noqa: RUF012

    def __init__(self, branch: Stack, projection: Stack, *, delay_ms: float, combine: str = "add") -> None:
        super().__init__(branch, projection, delay_ms=delay_ms, combine=combine, least_ms=0.0)
        self.out_shape = _combined_shape(branch.out_shape, projection.out_shape, combine)

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: SkipState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], SkipState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        present, branch = self.branch(x, state.branch, dt_ms)
        steps = self.steps(dt_ms)
        past = x.new_zeros(steps, *x.shape[1:]) if state.past is None else state.past
        _check_past(past, steps, x)
        history = torch.cat([past, x]) if steps else x
        skipped, projection = self.projection(history[: len(x)], state.projection, dt_ms)
        return self.combined(present, skipped), SkipState(branch, projection, history[len(x) :].clone())


class Feedback(_Skip):
    """Backward skip with a delay: y = branch(x'), x'(t) = α x(t) + (1 - α) P y(t - Δt), or the concatenation of the two.

    The branch is run in pieces of Δt, so a long delay costs no more than none. With a delay of one step it is an
    ordinary recurrence.

    Args:
        branch: Layers of the branch; they take the combined shape.
        projection: P, from the branch's output to the shape of the input; no layers for the identity.
        in_shape: Shape of one sample's input at one step.
        delay_ms: Δt > 0 in ms; less than one step counts as one step.
        combine: "add", with a learnt α = σ(a) that starts at ½, or "concatenate".

    Raises:
        SpikingGammaError: The delay is out of range, or the shapes do not fit each other.

    Source: see `TemporalSkip`.
    """

    parameter_kinds = {"mix": "scale"}  # noqa: RUF012

    def __init__(
        self, branch: Stack, projection: Stack, in_shape: Sequence[int], *, delay_ms: float, combine: str = "add"
    ) -> None:
        super().__init__(branch, projection, delay_ms=delay_ms, combine=combine, least_ms=1e-6)
        inner = _combined_shape(tuple(in_shape), projection.out_shape, combine)
        if branch.in_shape != inner:
            raise SpikingGammaError(
                "branch", list(branch.in_shape), f"{list(inner)}, the input combined with the feedback"
            )
        self.out_shape = branch.out_shape

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: SkipState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], SkipState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        steps, (branch, projection, past) = max(1, self.steps(dt_ms)), state
        if past is None:
            past = x.new_zeros(steps, x.shape[1], *self.out_shape)
        _check_past(past, steps, past)
        outputs, start = [], 0
        while start < len(x):
            piece = x[start : start + steps]
            back, projection = self.projection(past[: len(piece)], projection, dt_ms)
            said, branch = self.branch(self.combined(piece, back), branch, dt_ms)
            past = torch.cat([past[len(piece) :], said])
            outputs.append(said)
            start += len(piece)
        return torch.cat(outputs), SkipState(branch, projection, past)


def _check_past(past: Tensor, steps: int, like: Tensor) -> None:
    wanted = (steps, *like.shape[1:])
    if past.shape != wanted:
        remedy = "A state belongs to the batch and the time step that made it."
        raise SpikingGammaError("state", f"a past of shape {list(past.shape)}", f"{list(wanted)}", remedy)
