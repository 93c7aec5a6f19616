"""States are trees: nested tuples (named ones too) of tensors and None. What is done to all of their tensors is done here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["check_state", "detached", "map_tensors", "tensors_of"]


def map_tensors(change: Callable[[Tensor], Tensor], state: Any) -> Any:
    """Return the same tree with each tensor changed.

    Example:
        >>> import torch
        >>> map_tensors(lambda one: one + 1, (torch.zeros(1), None))
        (tensor([1.]), None)
    """
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, tuple):
        parts = [map_tensors(change, part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def tensors_of(state: Any) -> list[Tensor]:
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
    """Check that every tensor of a state is one of [batch, *shape].

    Raises:
        SpikingGammaError: One is not, or there is none; `what` they are of is said.
    """
    wanted = (batch, *shape)
    if found and all(part.shape == wanted for part in found):
        return
    shapes = [list(part.shape) for part in found]
    remedy = "A state belongs to the batch that made it: start a new recording with state=None."
    raise SpikingGammaError("state", f"{what} of shape {shapes}", f"{list(wanted)} for this batch", remedy)


def detached(state: Any) -> Any:
    """Return the same tree cut off from the graph of autograd: what a carried state is."""
    return map_tensors(lambda tensor: tensor.detach(), state)
