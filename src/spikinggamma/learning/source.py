"""Sources of recordings: a whole tensor, or a function that returns their chunks anew for each pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["Source", "chunks_of"]

Source = Tensor | Callable[[], Iterable[Tensor]]


def chunks_of(
    spikes: Source, targets: Tensor, lengths: Int[Tensor, " B"] | None, chunk: int | None
) -> tuple[Callable[[], Iterator[Tensor]], Int[Tensor, " B"]]:
    """Return a function that gives the chunks of a batch for one pass, and the number of steps of each recording.

    Args:
        spikes: [T, B, *in_shape], or a function that returns an iterator over such chunks.
        targets: Targets, as a learner takes them.
        lengths: Number of steps of each recording, [B]; None if `spikes` is a tensor without padding.
        chunk: Number of steps processed at once; None takes a tensor whole and an iterable in the chunks that it gives.

    Raises:
        SpikingGammaError: The shapes do not fit one another.
    """
    if not isinstance(spikes, Tensor):
        if lengths is None:
            raise SpikingGammaError("lengths", None, "steps of each recording, [B], when spikes come in chunks")
        known = lengths
        return lambda: _split(_complete(spikes(), known), chunk), known
    if spikes.ndim < 3:
        raise SpikingGammaError("spikes", list(spikes.shape), "[T, B, ...]: time first, then batch")
    steps, batch = spikes.shape[:2]
    if lengths is None:
        lengths = torch.full((batch,), steps, device=spikes.device)
    if lengths.shape != (batch,) or int(lengths.min()) < 1 or int(lengths.max()) > steps:
        raise SpikingGammaError("lengths", lengths.tolist(), f"[{batch}] numbers of steps from 1 to {steps}")
    if targets.ndim == 1 and len(targets) != batch:
        raise SpikingGammaError("targets", list(targets.shape), f"[{batch}], as the batch")
    return lambda: _split([spikes], chunk), lengths


def _split(parts: Iterable[Tensor], chunk: int | None) -> Iterator[Tensor]:
    for part in parts:
        yield from torch.split(part, chunk) if chunk is not None else (part,)


def _complete(parts: Iterable[Tensor], lengths: Tensor) -> Iterator[Tensor]:
    """Return the chunks as they come; raise an error at their end if they are shorter than the longest recording."""
    steps, longest = 0, int(lengths.max())
    for part in parts:
        yield part
        steps += len(part)
    if steps < longest:
        raise SpikingGammaError("spikes", f"chunks of {steps} steps in all", f"the {longest} of the longest recording")
