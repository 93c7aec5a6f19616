"""One call form for every rule and loss: recordings in, gradients out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.batch_shard import BatchShard
from spikinggamma.learning.loss import LOSSES, Loss, make_loss
from spikinggamma.learning.outcome import Outcome
from spikinggamma.learning.rule import Rule
from spikinggamma.learning.rules import RULES
from spikinggamma.learning.spike_counter import SpikeCounter
from spikinggamma.nn import SequenceNet
from spikinggamma.options import Options

__all__ = ["UPDATES", "Learner", "Source"]

UPDATES = ("recording", "chunk", "step")
# A recording held whole, or a way to make its chunks anew for each pass.
Observer = Callable[[Tensor, Any, Tensor, int], None]
Source = Tensor | Callable[[], Iterable[Tensor]]


class Learner:
    """A net, a rule and a loss.

    Args:
        net: The net that learns.
        rule: A name in `RULES`, one that suits the net.
        loss: A name in `LOSSES`.
        loss_options: Of the loss, for example `{"horizon_ms": 200.0}` for `running`.
        dt_ms: Time step of the run.
        chunk: Steps taken at once; None takes a tensor whole and an iterable as it comes. Gradients do not depend on it.
        activity_cost: λ, added to the loss as λ times the mean output y of each hidden layer, in units of ϑ_0, over the
            steps of a recording: a price on speaking, since a neuron that holds y fires y / (2ϑ τ_0) times a second. Of
            surrogate-gradient layers, as λ times the mean number of spikes per neuron and 10 ms.
        update: When `optimiser_step` is called: after every "recording", "chunk", or "step" (chunks of one).
        **options: Of the rule, for example `tolerance` for `windowed`.

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
        **options: int | float,
    ) -> None:
        kind = RULES.find(rule, argument="rule").target
        judge = LOSSES.find(loss, argument="loss")
        if update not in UPDATES:
            raise SpikingGammaError("update", repr(update), f"one of {', '.join(UPDATES)}")
        if not activity_cost >= 0.0:
            raise SpikingGammaError("activity_cost", activity_cost, "zero (free) or a positive number")
        if chunk is not None and chunk < 1:
            raise SpikingGammaError("chunk", chunk, "None or at least one step")
        if kind.through_autograd and update != "recording":
            raise SpikingGammaError("update", repr(update), f"recording, for whose end `{rule}` waits")
        self.net = net
        self.rule = rule
        self.loss = loss
        self.loss_options = judge.make_options(loss_options, argument="loss")
        self.dt_ms = dt_ms
        self.chunk = 1 if update == "step" else chunk
        self.update = update
        self.activity_cost = activity_cost
        self.options = options
        self._begin()  # an option that the rule does not know, or a step that the buckets do not allow, shows now

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
            spikes: [T, B, *in_shape], or a function that gives an iterator over such chunks, for input too long to hold.
            targets: Classes [B]; for `each_step` also [T, B] with -1 where unlabelled, or values [T, B, C].
            lengths: Steps of each recording, [B]; the rest is padding. Required for chunks.
            optimiser_step: Called after each update's gradients are complete: step the optimiser and zero its gradients.
                After chunks from which a rule that waits for later blame learnt nothing yet, it is not called.
            generator: Random numbers of dropout.
            share: If these recordings are a part of a batch: which. Gradients are then this part of the batch's, and
                `optimiser_step` is called after every chunk, as another part may have learnt from it.
        """
        source, lengths = self._source(spikes, targets, lengths)
        evaluator = (
            make_loss(self.loss, targets, lengths, self.dt_ms, self.loss_options)
            if share
            else self._judge(targets, lengths)
        )
        start_state = self._start(int(lengths.numel()), generator, share)
        weight = 1.0 if share is None else share.weight(evaluator.count)
        whole = isinstance(spikes, Tensor) and (self.chunk is None or self.chunk >= len(spikes))
        replayed = evaluator.replay and not whole
        if replayed:
            for start, _, activations in self._chunks(source, start_state):
                evaluator.observe(activations.layers[-1].outputs, start)
        rule = self._begin()
        counter = SpikeCounter(self.net, lengths)
        for start, heard, activations in self._chunks(source, start_state, through_autograd=rule.through_autograd):
            logits = activations.layers[-1].outputs.detach()
            if not replayed:
                evaluator.observe(logits, start)
            delta = evaluator.gradient(logits, start)
            added = rule.accumulate(
                self._priced(activations, evaluator, start, share), delta if share is None else weight * delta
            )
            counter.add(activations, start, heard)
            if optimiser_step is not None and (added or share is not None) and self.update != "recording":
                optimiser_step()
        added = rule.finish()
        if optimiser_step is not None and (added or share is not None or self.update == "recording"):
            optimiser_step()
        return counter.outcome(evaluator) if share is None or share.size else _nothing(counter.outcome(evaluator))

    def share(self, targets: Tensor, lengths: Int[Tensor, " B"], *, place: int, shares: int) -> BatchShard:
        """What the process at `place` of `shares` has to learn from of the batch with these targets and lengths.

        Example:
            >>> from spikinggamma.nn import dense_net
            >>> learner = Learner(dense_net((3, 8, 2), tau_ms=(4.0, 8.0)), rule="windowed", loss="sum", dt_ms=2.0)
            >>> learner.share(torch.tensor([0, 1, 0]), torch.tensor([5, 4, 6]), place=1, shares=2).columns
            slice(1, 3, None)
        """
        return BatchShard.of(len(lengths), place, shares, decisions=self._judge(targets, lengths).count)

    def evaluate(
        self,
        spikes: Source,
        targets: Tensor,
        lengths: Int[Tensor, " B"] | None = None,
        *,
        observers: Sequence[Observer] = (),
    ) -> Outcome:
        """Evaluate a batch without learning from it, and without dropout.

        Args:
            spikes, targets, lengths: As `learn` takes them.
            observers: Called after each chunk with its input, the net's activations, which of its steps [T, B] belong to a
                recording, and the step at which it begins.
        """
        source, lengths = self._source(spikes, targets, lengths)
        evaluator = self._judge(targets, lengths)
        counter = SpikeCounter(self.net, lengths, thoroughly=True)
        state = self.net.initial_state(int(lengths.numel()), dropout=False)
        for start, heard, activations in self._chunks(source, state):
            evaluator.observe(activations.layers[-1].outputs, start)
            counter.add(activations, start, heard)
            for observer in observers:
                observer(heard, activations, evaluator.valid(start, len(heard)), start)
        return counter.outcome(evaluator)

    def _judge(self, targets: Tensor, lengths: Tensor) -> Loss:
        evaluator = make_loss(self.loss, targets, lengths, self.dt_ms, self.loss_options)
        if evaluator.count == 0:
            raise SpikingGammaError("targets", "no labelled step", "at least one labelled step in the batch")
        return evaluator

    def _start(self, batch: int, generator: torch.Generator | None, share: BatchShard | None) -> Any:
        """The state at the start of a batch; of a share with its part of the batch's dropout masks."""
        if share is None:
            return self.net.initial_state(batch, generator=generator)
        masks = self.net.initial_state(share.recordings, generator=generator).masks
        own = tuple(None if mask is None else mask[share.columns] for mask in masks)
        return self.net.initial_state(batch, dropout=False)._replace(masks=own)

    def _priced(self, activations: Any, evaluator: Loss, start: int, share: BatchShard | None) -> Any:
        """The tape with the cost of speaking at each step that belongs to a recording."""
        if self.activity_cost == 0.0:
            return activations
        logits = activations.layers[-1].outputs
        # In the net's own precision: a quotient of whole numbers is single.
        recordings = len(evaluator.lengths) if share is None else share.recordings
        parts = evaluator.valid(start, len(logits)).to(logits) / (evaluator.lengths * recordings)
        return activations.priced((self.activity_cost if share is None or share.size else 0.0) * parts)

    def _begin(self) -> Rule:
        try:
            return RULES[self.rule].target(self.net, self.dt_ms, **self.options)
        except TypeError as error:
            raise SpikingGammaError("options", sorted(self.options), f"options of the rule `{self.rule}`") from error

    def _source(
        self, spikes: Source, targets: Tensor, lengths: Tensor | None
    ) -> tuple[Callable[[], Iterator[Tensor]], Tensor]:
        if not isinstance(spikes, Tensor):
            if lengths is None:
                raise SpikingGammaError("lengths", None, "steps of each recording, [B], when spikes come in chunks")
            return lambda: self._split(_complete(spikes(), lengths)), lengths
        if spikes.ndim < 3:
            raise SpikingGammaError("spikes", list(spikes.shape), "[T, B, ...]: time first, then batch")
        steps, batch = spikes.shape[:2]
        if lengths is None:
            lengths = torch.full((batch,), steps, device=spikes.device)
        if lengths.shape != (batch,) or int(lengths.min()) < 1 or int(lengths.max()) > steps:
            raise SpikingGammaError("lengths", lengths.tolist(), f"[{batch}] numbers of steps from 1 to {steps}")
        if targets.ndim == 1 and len(targets) != batch:
            raise SpikingGammaError("targets", list(targets.shape), f"[{batch}], as the batch")
        return lambda: self._split([spikes]), lengths

    def _split(self, parts: Iterable[Tensor]) -> Iterator[Tensor]:
        for part in parts:
            yield from torch.split(part, self.chunk) if self.chunk is not None else (part,)

    def _chunks(
        self, source: Callable[[], Iterator[Tensor]], state: Any, *, through_autograd: bool = False
    ) -> Iterator[tuple[int, Tensor, Any]]:
        start = 0
        for spikes in source():
            with torch.set_grad_enabled(through_autograd):
                activations, state = self.net.run(spikes, state, self.dt_ms)
            yield start, spikes, activations
            start += len(spikes)


def _complete(parts: Iterable[Tensor], lengths: Tensor) -> Iterator[Tensor]:
    """The chunks as they come; an error at their end if recordings are not over yet."""
    steps, longest = 0, int(lengths.max())
    for part in parts:
        yield part
        steps += len(part)
    if steps < longest:
        raise SpikingGammaError("spikes", f"chunks of {steps} steps in all", f"the {longest} of the longest recording")


def _nothing(outcome: Outcome) -> Outcome:
    """The outcome of an empty share, from that of what was gone through instead."""
    none = torch.zeros_like(outcome.spikes)
    return outcome._replace(loss=0.0, correct=0, count=0, spikes=none, neuron_steps=none)
