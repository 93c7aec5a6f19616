"""The shard of a batch that one of several processes learns from, while the others learn from the rest."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BatchShard"]


class BatchShard(NamedTuple):
    """A contiguous part of a batch. The gradients and counts of all its shards add up to those of the batch.

    A shard may be empty. Its process then runs the first recording of the batch with weight zero, so that all processes
    run the same number of chunks and can synchronise after each of them.

    Attributes:
        first: Index of its first recording in the batch.
        size: Number of its recordings.
        recordings: Number B of recordings of the batch.
        decisions: Number of decisions that the loss of the batch is the mean over.

    Example:
        >>> [BatchShard.of(5, place, 2, decisions=5).columns for place in range(2)]
        [slice(0, 2, None), slice(2, 5, None)]
    """

    first: int
    size: int
    recordings: int
    decisions: int

    @classmethod
    def of(cls, recordings: int, place: int, shares: int, *, decisions: int) -> BatchShard:
        """Return one shard of a batch that is divided as evenly as possible.

        Args:
            recordings: Number of recordings of the batch.
            place: Index of the shard.
            shares: Number of shards.
            decisions: Number of decisions that the loss of the batch is the mean over.
        """
        first, end = (recordings * edge // shares for edge in (place, place + 1))
        return cls(first, end - first, recordings, decisions)

    @property
    def columns(self) -> slice:
        """Return the slice of its recordings in the batch; that of the first recording if the shard is empty."""
        return slice(self.first, self.first + self.size) if self.size else slice(0, 1)

    def weight(self, decisions: int) -> float:
        """Return the weight of a mean over `decisions` of this shard in the mean over all decisions of the batch."""
        return decisions / self.decisions if self.size else 0.0
