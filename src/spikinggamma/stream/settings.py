"""How a stream is taken, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.cursor import Tally
from spikinggamma.stream.formats import FORMATS
from spikinggamma.stream.online_learner import LearningOptions
from spikinggamma.stream.ordering import Late

__all__ = ["Settings", "Summary"]


class Settings(NamedTuple):
    """How a stream is taken.

    Attributes:
        format: text, aer, or auto: told by the first byte.
        dt_ms: Time step; None: the recipe's own.
        chunk: Steps run at once, and between predictions.
        late: What to do with items that come late.
        longest_gap_s: A time further ahead is an error.
        forget_ms: Time constant of the evidence; None: all of a segment counts alike.
        remember_ms: How long labels may refer to what was heard.
        lessons: How to learn from labels; None: not at all.
        state: Folder of checkpoints; None: nothing is kept.
        every_s: Seconds between them.
        device: auto, cpu or cuda.
    """

    format: str = "auto"
    dt_ms: float | None = None
    chunk: int = 8
    late: Late = Late()
    longest_gap_s: float = 3600.0
    forget_ms: float | None = None
    remember_ms: float = 10_000.0
    lessons: LearningOptions | None = None
    state: Path | None = None
    every_s: float = 5.0
    device: str = "cpu"

    def check(self) -> None:
        """Raise `SpikingGammaError` for what no stream can be taken by."""
        if self.format != "auto" and self.format not in FORMATS:
            raise SpikingGammaError("--format", repr(self.format), f"auto or one of {', '.join(FORMATS)}")
        for name, value in (("--every-s", self.every_s), ("--longest-gap-s", self.longest_gap_s)):
            if not 0.0 <= value <= 1e9:
                raise SpikingGammaError(name, value, "a number of seconds, at least 0")


class Summary(NamedTuple):
    """What a call of `stream` did; the tally is of the whole stream, calls before included.

    Attributes:
        tally: What has passed.
        dropped: Events that came too late.
        dropped_marks: `end` and `reset` that came too late.
        seconds: How long the call took, loading left out.
        latency_s: Median and 99th percentile from bytes to prediction [s].
        position: Bytes of the input that were taken.
    """

    tally: Tally
    dropped: int
    dropped_marks: int
    seconds: float
    latency_s: tuple[float, float]
    position: int

    def __str__(self) -> str:
        tally, (median_s, late_s) = self.tally, self.latency_s
        parts = [f"{tally.events} events", f"{tally.segments} segments"]
        if tally.judged:
            parts.append(f"{tally.right / tally.judged:.1%} of {tally.judged} labels")
        if tally.learnt:
            parts.append(f"{tally.learnt} learnt")
        if tally.forgotten:
            parts.append(f"{tally.forgotten} labels for what is forgotten")
        if self.dropped or self.dropped_marks:
            parts.append(f"late and dropped: {self.dropped} events, {self.dropped_marks} marks")
        parts.append(f"latency {1000 * median_s:.1f} ms, p99 {1000 * late_s:.1f} ms")
        return ", ".join(parts)
