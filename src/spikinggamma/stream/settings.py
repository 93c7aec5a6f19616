"""Settings of a stream, and the summary of a session."""

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
    """Settings of a stream.

    Attributes:
        format: text, aer, or auto, which detects the format from the first byte.
        dt_ms: Time step; None for that of the recipe.
        chunk: Number of steps run at once; a prediction follows each chunk.
        late: Policy for late items.
        longest_gap_s: Longest allowed gap between two times.
        forget_ms: Time constant of the evidence; None for no decay within a segment.
        remember_ms: How long input is remembered for labels.
        lessons: Options for learning from labels; None for no learning.
        state: Folder for checkpoints; None for no checkpoints.
        every_s: Seconds between checkpoints.
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
        """Raise `SpikingGammaError` for settings out of range."""
        if self.format != "auto" and self.format not in FORMATS:
            raise SpikingGammaError("--format", repr(self.format), f"auto or one of {', '.join(FORMATS)}")
        for name, value in (("--every-s", self.every_s), ("--longest-gap-s", self.longest_gap_s)):
            if not 0.0 <= value <= 1e9:
                raise SpikingGammaError(name, value, "a number of seconds, at least 0")


class Summary(NamedTuple):
    """Summary of a call of `stream`; the tally covers the whole stream, including earlier calls.

    Attributes:
        tally: Counts of processed items.
        dropped: Number of events that came too late.
        dropped_marks: Number of `end` and `reset` that came too late.
        seconds: Duration of the call, without loading.
        latency_s: Median and 99th percentile of the time from bytes to prediction [s].
        position: Number of bytes of the input that were processed.
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
