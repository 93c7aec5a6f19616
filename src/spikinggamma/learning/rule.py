"""What a learning rule is: it takes activations and error signals chunk by chunk, and adds to the gradients.

A rule is a class in a file of its own, registered in `RULES` where it is written, with its options and sources.
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
    """One batch of recordings under one rule.

    Args:
        net: The net whose `.grad` it adds to.
        dt_ms: Time step of the run.
        options: Of the class with which the rule is registered.

    Attributes:
        nets: Kinds of nets that it suits.
        through_autograd: Whether it follows autograd's graph, so that the net is to be run with gradients enabled.
        updates: When the optimiser may step under it; of `UPDATES`.
        needs_stepwise_loss: Whether it takes only losses with an error signal at every step (`Loss.stepwise`).
        needs_equal_timescales: Whether all buckets must share one time constant.

    Raises:
        SpikingGammaError: A net that it does not suit.
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
        """Take the next chunk's activations, as the net's `run` left them, and the error signal of its logits.

        Returns:
            Whether gradients were added, for this or an older chunk.
        """

    @abc.abstractmethod
    def finish(self) -> bool:
        """Add what is still held back, now that the recording is over. Returns whether there was anything."""


@runtime_checkable
class PreparesState(Protocol[Carried]):
    """A rule that says which state a chunk starts from, for example one cut off from the graph of the chunk before."""

    def prepare(self, state: Carried) -> Carried:
        """Return the state to start the next chunk from, given the state after the last one (or the initial one)."""


@runtime_checkable
class FollowsUpdates(Protocol):
    """A rule that keeps something about the parameters themselves."""

    def updated(self) -> None:
        """Take note that the optimiser has stepped."""


RULES: Registry[type[Rule]] = Registry("rule")
