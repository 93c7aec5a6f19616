"""The interface of layers: a sequence and a state in, a sequence and a state out, with time as the first axis.

    y, state = layer(x, state, dt_ms=1.0)          x: [T, B, *in_shape],  y: [T, B, *out_shape]

A state is a tree of tensors (`spikinggamma.nn.state`), or None for a layer without memory. A sequence gives the same
numbers in one call, in chunks or step by step, and gradients pass through the state from one call to the next.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Generic

from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.nn.state import StateT
from spikinggamma.registry import Registry

__all__ = ["LAYERS", "Layer"]


class Layer(nn.Module, abc.ABC, Generic[StateT]):
    """Base class of the layers of a `Chain`.

    Attributes:
        out_shape: Shape of one sample's output at one step.
    """

    out_shape: tuple[int, ...]

    @abc.abstractmethod
    def initial_state(self, batch: int) -> StateT:
        """Return the state at the start of a recording, on the device and in the type of the layer's parameters."""

    @abc.abstractmethod
    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: StateT, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], StateT]:
        """Return the output at every step, and the state after the last; differentiable in `x`, `state` and parameters.

        Args:
            x: Input, [T, B, *in_shape].
            state: State before the first step.
            dt_ms: Time step in ms.
        """


LAYERS: Registry[Callable[..., Layer]] = Registry("layer")
