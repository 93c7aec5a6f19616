"""One epoch of training: one pass over the training part."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from spikinggamma.data.loading import training_batches
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Batch
from spikinggamma.learning import BatchShard
from spikinggamma.runs.build import set_learning_rate
from spikinggamma.runs.metrics import Row
from spikinggamma.seeds import random_stream
from spikinggamma.training.clipped_step import clipped_step
from spikinggamma.training.non_finite import non_finite_error
from spikinggamma.training.progress import Reporter
from spikinggamma.training.schedule import learning_rate
from spikinggamma.training.state import State

__all__ = ["learn_epoch"]


def learn_epoch(state: State, epoch: int, shown: Reporter) -> Row:
    """Learn from every training recording once, and return the training loss, accuracy and gradient norm.

    Args:
        state: State of the run, which is changed.
        epoch: Number of the epoch, from 1.
        shown: Reporter of the progress.

    Raises:
        SpikingGammaError: The loss or a gradient is not finite.
    """
    recipe, learning, net = state.recipe, state.recipe.learning, state.net
    norms: list[float] = []
    loss, correct, count = 0.0, 0, 0
    # Counts recordings, not decisions, of which a recording may have many.
    seen, total = 0, len(state.splits.train)
    net.train()
    like = next(net.parameters())
    dropout = random_stream(recipe.training.seed, "dropout", epoch)
    for number, batch in enumerate(training_batches(recipe, state.splits.train, epoch=epoch), start=1):
        rate = learning_rate(learning, progress=epoch - 1 + seen / total, epochs=recipe.training.epochs)
        set_learning_rate(state.optimiser, rate)
        own, share = _own_part(state, batch)
        when = f"epoch {epoch}, batch {number}"
        fault = partial(
            non_finite_error, net=net, spikes=batch.spikes, dt_ms=recipe.data.dt_ms, when=when, kept=state.kept
        )
        outcome = state.learner.learn(
            own.spikes.to(like),
            own.labels.to(state.device),
            own.lengths.to(state.device),
            optimiser_step=partial(_update, state, norms, fault),
            generator=dropout,
            share=share,
        )
        figures = state.processes.sum([outcome.loss * outcome.count, outcome.correct or 0, outcome.count])
        if not math.isfinite(figures[0]):
            raise fault(f"loss {figures[0] / figures[2]}")
        loss, correct, count = loss + figures[0], correct + round(figures[1]), count + round(figures[2])
        seen += len(batch.lengths)
        accuracy = None if outcome.correct is None else correct / count
        shown.advance(epoch - 1 + seen / total, loss=loss / count, accuracy=accuracy)
    return {
        "train_loss": loss / count,
        **({} if accuracy is None else {"train_accuracy": accuracy}),
        "learning_rate": rate,
        "gradient_norm": sum(norms) / len(norms),
    }


def _own_part(state: State, batch: Batch) -> tuple[Batch, BatchShard | None]:
    """Return the shard of a batch that this process learns from; the whole batch if there is one process."""
    if state.processes.size == 1:
        return batch, None
    share = state.learner.share(batch.labels, batch.lengths, place=state.processes.rank, shares=state.processes.size)
    return batch.columns(share.columns), share


def _update(state: State, norms: list[float], fault: Callable[[str], SpikingGammaError]) -> None:
    """Take one step of the optimiser, unless the gradient is not finite; then no parameter is changed."""
    parameters = list(state.net.parameters())
    state.processes.join_gradients(parameters)
    learnt = any(parameter.grad is not None for parameter in parameters)
    if not learnt and state.recipe.learning.update != "recording":
        return  # no process has a gradient from this chunk
    norms.append(clipped_step(state.net, state.optimiser, state.recipe.learning.clip_norm, fault))
