"""The learner, one interface for every rule and loss: recordings in, gradients out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import torch
from jaxtyping import Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.batch_shard import BatchShard
from spikinggamma.learning.evaluator import Evaluator
from spikinggamma.learning.loss import LOSSES, Loss, make_loss
from spikinggamma.learning.outcome import Outcome
from spikinggamma.learning.rule import RULES, UPDATES, FollowsUpdates, PreparesState, Rule
from spikinggamma.learning.source import Source, chunks_of
from spikinggamma.learning.spike_counter import SpikeCounter
from spikinggamma.nn import Activations, MaskedState, SequenceNet
from spikinggamma.options import Options

__all__ = ["Learner"]


class Learner(Evaluator):
    """Compute gradients of a net by a learning rule and a loss, and evaluate the net.

    Args:
        net: The net that learns.
        rule: Name of the rule in `RULES`; it must support the net.
        loss: Name of the loss in `LOSSES`.
        loss_options: Options of the loss, for example `{"horizon_ms": 200.0}` for `running`.
        dt_ms: Time step in ms.
        chunk: Number of steps processed at once; None processes a tensor whole and an iterable in the chunks that it
            gives. Gradients do not depend on it.
        activity_cost: λ; the loss grows by λ times the mean output y of each hidden layer, in units of ϑ_0, over the
            steps of a recording. This is a cost on spikes, since a neuron that holds y fires y / (2ϑ τ_0) times a
            second. For surrogate-gradient layers it is λ times the mean number of spikes per neuron and 10 ms.
        update: When `optimiser_step` is called: after every "recording", "chunk", or "step" (chunks of one step).
        rule_options: Options of the rule: an instance of its options class, or values by name.
        **options: The options of the rule by keyword instead, for example `tolerance` for `windowed`.

    Raises:
        SpikingGammaError: A name is unknown, a value is out of range, or the rule does not support the net or the loss.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> net = dense_net((3, 8, 2), tau_ms=(4.0, 8.0))
        >>> learner = Learner(net, rule="instantaneous", loss="sum", dt_ms=2.0)
        >>> outcome = learner.learn(torch.ones(5, 4, 3), torch.tensor([0, 1, 0, 1]))
        >>> net.stack[0].weight.grad.shape
        torch.Size([8, 3])
    """

    def __init__(
        self,
        net: SequenceNet,
        *,
        rule: str,
        loss: str,
        loss_options: Options | Mapping[str, Any] | None = None,
        dt_ms: float,
        chunk: int | None = None,
        update: str = "recording",
        activity_cost: float = 0.0,
        rule_options: Mapping[str, Any] | Options | None = None,
        **options: int | float,
    ) -> None:
        super().__init__(net, loss=loss, loss_options=loss_options, dt_ms=dt_ms, chunk=1 if update == "step" else chunk)
        entry = RULES.find(rule, argument="rule")
        kind = entry.target
        if update not in UPDATES:
            raise SpikingGammaError("update", repr(update), f"one of {', '.join(UPDATES)}")
        if not activity_cost >= 0.0:
            raise SpikingGammaError("activity_cost", activity_cost, "zero (free) or a positive number")
        if update not in kind.updates:
            waits = f"recording, since `{rule}` adds gradients only at its end"
            raise SpikingGammaError(
                "update",
                repr(update),
                waits
                if kind.updates == ("recording",)
                else f"{' or '.join(kind.updates)}, since `{rule}` learns within recordings",
            )
        if kind.needs_stepwise_loss and not LOSSES[loss].target.stepwise:
            suited = " or ".join(entry.name for entry in LOSSES.entries() if entry.target.stepwise)
            raise SpikingGammaError("loss", repr(loss), f"{suited}, as `{rule}` needs an error signal at each step")
        if rule_options is not None and options:
            raise SpikingGammaError("rule_options", f"given beside {', '.join(sorted(options))}", "one of the two")
        self.rule = rule
        self.update = update
        self.activity_cost = activity_cost
        self.options: Options = entry.make_options(options if rule_options is None else rule_options, argument="rule")
        self._begin()  # raises an error now if the rule does not support the net, or the time step is too long

    def learn(
        self,
        spikes: Source,
        targets: Tensor,
        lengths: Int[Tensor, " B"] | None = None,
        *,
        optimiser_step: Callable[[], None] | None = None,
        generator: torch.Generator | None = None,
        share: BatchShard | None = None,
    ) -> Outcome:
        """Add the gradients of a batch of recordings to the net's parameters.

        Args:
            spikes: [T, B, *in_shape], or a function that returns an iterator over such chunks, to save memory.
            targets: Classes [B]; for `each_step` also [T, B] with -1 where there is no label, or values [T, B, C]; numbers
                [B, C] for losses of values and of several labels. Numbers that are missing are NaN.
            lengths: Number of steps of each recording, [B]; the rest is padding. Required for chunks.
            optimiser_step: Called when the gradients of an update are complete; it should step the optimiser and zero
                the gradients. It is not called after chunks for which the rule has not added gradients yet.
            generator: Random numbers of dropout.
            share: The shard of a batch that these recordings are, if they are one. Gradients are then those of this
                part of the loss, and `optimiser_step` is called after every chunk, since other shards may have added
                gradients.
        """
        source, lengths = chunks_of(spikes, targets, lengths, self.chunk)
        evaluator = (
            make_loss(self.loss, targets, lengths, self.dt_ms, self.loss_options)
            if share
            else self.make_loss(targets, lengths)
        )
        start_state = self._start(int(lengths.numel()), generator, share)
        weight = 1.0 if share is None else share.weight(evaluator.count)
        whole = isinstance(spikes, Tensor) and (self.chunk is None or self.chunk >= len(spikes))
        replayed = evaluator.replay and not whole
        if replayed:
            for start, _, activations in self.chunks(source, start_state):
                evaluator.observe(activations.layers[-1].outputs, start)
        rule = self._begin()
        if share is not None and isinstance(rule, FollowsUpdates):
            raise SpikingGammaError(
                "rule", f"{self.rule} on a part of a batch", "one process, as it follows the weights"
            )
        counter = SpikeCounter(self.net, lengths)
        for start, heard, activations in self._chunks_learnt(source, start_state, rule):
            logits = activations.layers[-1].outputs.detach()
            if not replayed:
                evaluator.observe(logits, start)
            delta = evaluator.gradient(logits, start)
            added = rule.accumulate(
                self._priced(activations, evaluator, start, share), delta if share is None else weight * delta
            )
            counter.add(activations, start, heard)
            if optimiser_step is not None and (added or share is not None) and self.update != "recording":
                _update(optimiser_step, rule)
        added = rule.finish()
        if optimiser_step is not None and (added or share is not None or self.update == "recording"):
            _update(optimiser_step, rule)
        return counter.outcome(evaluator) if share is None or share.size else counter.outcome(evaluator).of_nothing()

    def share(self, targets: Tensor, lengths: Int[Tensor, " B"], *, place: int, shares: int) -> BatchShard:
        """Return the shard that one of several processes learns from, for a batch with these targets and lengths.

        Args:
            targets: Targets of the whole batch, as `learn` takes them.
            lengths: Number of steps of each recording, [B].
            place: Index of the process.
            shares: Number of processes.

        Example:
            >>> from spikinggamma.nn import dense_net
            >>> learner = Learner(dense_net((3, 8, 2), tau_ms=(4.0, 8.0)), rule="windowed", loss="sum", dt_ms=2.0)
            >>> learner.share(torch.tensor([0, 1, 0]), torch.tensor([5, 4, 6]), place=1, shares=2).columns
            slice(1, 3, None)
        """
        return BatchShard.of(len(lengths), place, shares, decisions=self.make_loss(targets, lengths).count)

    def _start(self, batch: int, generator: torch.Generator | None, share: BatchShard | None) -> MaskedState:
        """Return the state at the start of a batch; for a shard with its part of the batch's dropout masks."""
        if share is None:
            return self.net.initial_state(batch, generator=generator)
        masks = self.net.initial_state(share.recordings, generator=generator).masks
        own = tuple(None if mask is None else mask[share.columns] for mask in masks)
        return self.net.initial_state(batch, dropout=False)._replace(masks=own)

    def _priced(self, activations: Activations, evaluator: Loss, start: int, share: BatchShard | None) -> Activations:
        """Return the activations with the activity cost at each step that belongs to a recording."""
        if self.activity_cost == 0.0:
            return activations
        logits = activations.layers[-1].outputs
        # In the net's own precision, since a quotient of integers is float32.
        recordings = len(evaluator.lengths) if share is None else share.recordings
        parts = evaluator.valid(start, len(logits)).to(logits) / (evaluator.lengths * recordings)
        return activations.priced((self.activity_cost if share is None or share.size else 0.0) * parts)

    def _begin(self) -> Rule:
        return RULES[self.rule].target(self.net, self.dt_ms, self.options)

    def _chunks_learnt(
        self, source: Callable[[], Iterator[Tensor]], state: MaskedState, rule: Rule
    ) -> Iterator[tuple[int, Tensor, Activations]]:
        start, prepares = 0, cast(object, rule)
        for spikes in source():
            if isinstance(prepares, PreparesState):
                state = prepares.prepare(state)
            with torch.set_grad_enabled(rule.through_autograd):
                activations, state = self.net.run(spikes, state, self.dt_ms)
            yield start, spikes, activations
            start += len(spikes)


def _update(optimiser_step: Callable[[], None], rule: Rule) -> None:
    optimiser_step()
    if isinstance(rule, FollowsUpdates):
        rule.updated()
