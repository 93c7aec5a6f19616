"""A part of a batch: what one of several processes learns from, while the others learn from the rest."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BatchShard"]


class BatchShard(NamedTuple):
    """Neighbouring recordings of a batch; gradients and figures of all its shares add up to those of the batch.

    A share may be empty. Who has it goes through the batch's first recording, at no weight, so that all go through as many
    chunks and meet after each of them.

    Attributes:
        first: Place of its first recording in the batch.
        size: How many recordings it has.
        recordings: B, how many the batch has.
        decisions: Of how many decisions the loss of the batch is the mean.

    Example:
        >>> [Share.of(5, place, 2, decisions=5).columns for place in range(2)]
        [slice(0, 2, None), slice(2, 5, None)]
    """

    first: int
    size: int
    recordings: int
    decisions: int

    @classmethod
    def of(cls, recordings: int, place: int, shares: int, *, decisions: int) -> BatchShard:
        """The share at `place` of `shares`, as alike in size as they can be."""
        first, end = (recordings * edge // shares for edge in (place, place + 1))
        return cls(first, end - first, recordings, decisions)

    @property
    def columns(self) -> slice:
        """Where its recordings are in the batch; the first one's place, if it has none."""
        return slice(self.first, self.first + self.size) if self.size else slice(0, 1)

    def weight(self, decisions: int) -> float:
        """What the mean over `decisions` of this share counts in the mean over those of the batch."""
        return decisions / self.decisions if self.size else 0.0
