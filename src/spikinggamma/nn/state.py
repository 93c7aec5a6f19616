"""Operations on states, which are trees: nested tuples (or named tuples) of tensors and None."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor
from typing_extensions import TypeVar

from spikinggamma.errors import SpikingGammaError

__all__ = ["StateT", "StateTree", "check_state", "detached", "map_tensors", "tensors_of"]

if TYPE_CHECKING:
    StateTree = Tensor | tuple["StateTree", ...] | None
else:  # Checks of types at run time do not support a recursive alias.
    StateTree = Tensor | tuple | None

# The state of one layer, net or neuron; Any where layers of several kinds are mixed.
StateT = TypeVar("StateT", bound=StateTree, default=Any)
AnyState = TypeVar("AnyState")


def map_tensors(change: Callable[[Tensor], Tensor], state: AnyState) -> AnyState:
    """Return the same tree with a function applied to each tensor.

    Args:
        change: The function.
        state: The tree.

    Example:
        >>> import torch
        >>> map_tensors(lambda one: one + 1, (torch.zeros(1), None))
        (tensor([1.]), None)
    """
    return cast(AnyState, _mapped(change, state))


def _mapped(change: Callable[[Tensor], Tensor], state: object) -> object:
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, tuple):
        parts = [_mapped(change, part) for part in state]
        named = hasattr(state, "_fields")
        return type(state)(*parts) if named else tuple(parts)  # type: ignore[arg-type]  # a named tuple takes its parts
    return state


def tensors_of(state: object) -> list[Tensor]:
    """Return the tensors of the tree, in order.

    Example:
        >>> import torch
        >>> len(tensors_of(((torch.zeros(1), None), torch.zeros(2))))
        2
    """
    found: list[Tensor] = []
    map_tensors(lambda tensor: found.append(tensor) or tensor, state)  # type: ignore[func-returns-value]
    return found


def check_state(what: str, found: Sequence[Tensor], batch: int, shape: Sequence[int]) -> None:
    """Check that every tensor of a state has the shape [batch, *shape].

    Args:
        what: Description of the state, for the error.
        found: Tensors of the state.
        batch: Number of recordings.
        shape: Shape of one sample.

    Raises:
        SpikingGammaError: A tensor has another shape, or there is none.
    """
    wanted = (batch, *shape)
    if found and all(part.shape == wanted for part in found):
        return
    shapes = [list(part.shape) for part in found]
    remedy = "A state belongs to the batch that made it: start a new recording with state=None."
    raise SpikingGammaError("state", f"{what} of shape {shapes}", f"{list(wanted)} for this batch", remedy)


def detached(state: AnyState) -> AnyState:
    """Return the same tree detached from autograd's graph, as a state carried to the next chunk is."""
    return map_tensors(lambda tensor: tensor.detach(), state)
