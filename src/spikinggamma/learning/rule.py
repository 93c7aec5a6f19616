"""The interface of learning rules: a rule takes activations and error signals chunk by chunk, and adds gradients.

A rule is a class in a file of its own, registered in `RULES` with its options and sources.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor
from typing_extensions import TypeVar

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import Activations, MaskedState, SequenceNet
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["RULES", "UPDATES", "FollowsUpdates", "PreparesState", "Rule"]

# When the optimiser may step: after every recording, chunk or step.
UPDATES = ("recording", "chunk", "step")
Left = TypeVar("Left", bound=Activations, default=Any)
Carried = TypeVar("Carried", bound=MaskedState)


class Rule(abc.ABC, Generic[Left]):
    """Base class of learning rules; an instance handles one batch of recordings.

    Args:
        net: The net to whose `.grad` it adds.
        dt_ms: Time step in ms.
        options: Instance of the options class with which the rule is registered.

    Attributes:
        nets: Kinds of nets that it supports.
        through_autograd: Whether it uses autograd's graph, so that the net must run with gradients enabled.
        updates: When the optimiser may step under it; a subset of `UPDATES`.
        needs_stepwise_loss: Whether it supports only losses with an error signal at every step (`Loss.stepwise`).
        needs_equal_timescales: Whether all buckets must have the same time constant.

    Raises:
        SpikingGammaError: The rule does not support the net.
    """

    nets: ClassVar[tuple[type[SequenceNet], ...]] = ()
    through_autograd: ClassVar[bool] = False
    updates: ClassVar[tuple[str, ...]] = UPDATES
    needs_stepwise_loss: ClassVar[bool] = False
    needs_equal_timescales: ClassVar[bool] = False

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        self.dt_ms = dt_ms
        if not isinstance(net, self.nets):
            suited = [entry.name for entry in RULES.entries() if isinstance(net, entry.target.nets)]
            found = f"{RULES.name_of(type(self))} for a {type(net).__name__}"
            raise SpikingGammaError("rule", found, f"a rule for such a net: {', '.join(suited)}")

    @abc.abstractmethod
    def accumulate(self, activations: Left, delta: Float[Tensor, "T B C"]) -> bool:
        """Process the activations of the next chunk and the error signal of its logits.

        Args:
            activations: Activations that the net's `run` returned.
            delta: Error signal of the logits, [T, B, C].

        Returns:
            Whether gradients were added, for this or an older chunk.
        """

    @abc.abstractmethod
    def finish(self) -> bool:
        """Add the gradients that are still missing at the end of a recording.

        Returns:
            Whether gradients were added.
        """


@runtime_checkable
class PreparesState(Protocol[Carried]):
    """A rule that changes the state that a chunk starts from, for example detaches it from an older graph."""

    def prepare(self, state: Carried) -> Carried:
        """Return the state to start the next chunk from, given the state after the last chunk or the initial state."""


@runtime_checkable
class FollowsUpdates(Protocol):
    """A rule that keeps values which depend on the parameters themselves."""

    def updated(self) -> None:
        """Update the rule after the optimiser has stepped."""


RULES: Registry[type[Rule]] = Registry("rule")
