"""Memory of recent input, so that a late label still finds it; it is bounded in time and stored sparsely."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Heard", "Memory", "Portion", "Span"]

_MOST_SPANS = 4096  # bounds the memory for segments of length zero


class Portion(NamedTuple):
    """Sparse spike counts of some steps: the non-zero places in the flattened [T, N], and their values."""

    first: int  # first step, counted from the start of the segment
    steps: int
    places: Int[np.ndarray, " E"]
    counts: Float[np.ndarray, " E"]


@dataclass
class Span:
    """A segment as far as it is remembered; times count from the start of the stream.

    Attributes:
        number: Number of the segment.
        begin_us: Time at which it began.
        end_us: Time at which it ended; None while it is open.
        marks_us: Times of labels inside it, ascending.
        portions: Counts of its steps, oldest first.
        said: Times and classes of predictions, oldest first.
    """

    number: int
    begin_us: int
    end_us: int | None = None
    marks_us: list[int] = field(default_factory=list)
    portions: deque[Portion] = field(default_factory=deque)
    said: deque[tuple[int, int]] = field(default_factory=deque)


class Heard(NamedTuple):
    """The input that a label refers to: spike counts, the segment's number, and the prediction, or None if there was none."""

    spikes: Float[Tensor, "T 1 N"]
    segment: int
    predicted: int | None


class Memory:
    """Remembers the input of the last `keep_us` of the current segment and of every segment that ended within that time.

    Args:
        keep_us: Time that is remembered.
        step_ns: Length of a step.
        channels: Number N of input channels of the net.

    Example:
        >>> memory = Memory(keep_us=8000, step_ns=1_000_000, channels=3)
        >>> memory.begin(0, begin_us=0)
        >>> memory.hear(0, np.ones((4, 3), np.float32))
        >>> memory.recall(3000, now_us=4000).spikes.shape
        torch.Size([3, 1, 3])
        >>> memory.recall(4000, now_us=4000).spikes.shape  # since the label before
        torch.Size([1, 1, 3])
    """

    def __init__(self, keep_us: int, step_ns: int, channels: int) -> None:
        self.keep_us = keep_us
        self.step_ns = step_ns
        self.channels = channels
        self.spans: deque[Span] = deque(maxlen=_MOST_SPANS)

    def begin(self, number: int, begin_us: int) -> None:
        """Begin a segment."""
        self.spans.append(Span(number, begin_us))

    def drop(self) -> None:
        """Forget the current segment."""
        self.spans.pop()

    def hear(self, first: int, counts: Float[np.ndarray, "T N"]) -> None:
        """Store the counts of some steps of the current segment."""
        flat = counts.ravel()
        places = np.flatnonzero(flat)
        self.spans[-1].portions.append(Portion(first, len(counts), places, flat[places]))

    def say(self, time_us: int, prediction: int) -> None:
        """Store a prediction for the input of the segment until then."""
        self.spans[-1].said.append((time_us, prediction))

    def end(self, time_us: int) -> None:
        """End the current segment."""
        self.spans[-1].end_us = time_us

    def forget(self, now_us: int) -> None:
        """Delete everything that is too old."""
        oldest_us = now_us - self.keep_us
        while self.spans and self.spans[0].end_us is not None and self.spans[0].end_us < oldest_us:
            self.spans.popleft()
        span = self.spans[-1]
        oldest_step = self._oldest(span, now_us)
        while span.portions and span.portions[0].first + span.portions[0].steps <= oldest_step:
            span.portions.popleft()
        while span.said and span.said[0][0] < oldest_us:
            span.said.popleft()
        while len(span.marks_us) > 1 and span.marks_us[1] < oldest_us:
            span.marks_us.pop(0)

    def recall(self, time_us: int, now_us: int) -> Heard | None:
        """Return the input between the last boundary and `time_us`; None if it is forgotten or was never received.

        Boundaries are where segments begin, and the times of labels. A step belongs to what ends with it or inside it; the
        last step of a segment belongs to the segment.
        """
        self.forget(now_us)
        for span in reversed(self.spans):
            if span.begin_us < time_us and (span.end_us is None or time_us <= span.end_us):
                return self._recall(span, time_us, now_us)
        return None

    def _recall(self, span: Span, time_us: int, now_us: int) -> Heard | None:
        place = bisect_left(span.marks_us, time_us)
        start_us = span.marks_us[place - 1] if place else span.begin_us
        if place == len(span.marks_us) or span.marks_us[place] != time_us:
            span.marks_us.insert(place, time_us)
        first = max((start_us - span.begin_us) * 1000 // self.step_ns, self._oldest(span, now_us))
        begun = self.step_ns - 1 if time_us == span.end_us else 0
        last = ((time_us - span.begin_us) * 1000 + begun) // self.step_ns
        parts = list(self._cut(span, first, last))
        if not parts:
            return None
        said = [prediction for when, prediction in span.said if start_us < when <= time_us]
        return Heard(torch.cat(parts).unsqueeze(1), span.number, said[-1] if said else None)

    def _oldest(self, span: Span, now_us: int) -> int:
        """Return the first step of a segment that is remembered."""
        until_us = now_us if span.end_us is None else span.end_us
        return max(0, (until_us - self.keep_us - span.begin_us) * 1000 // self.step_ns)

    def _cut(self, span: Span, first: int, last: int) -> Iterator[Float[Tensor, "T N"]]:
        """Yield the remembered steps from `first` to before `last`."""
        for portion in span.portions:
            start, end = max(first - portion.first, 0), min(last - portion.first, portion.steps)
            if start < end:
                counts = np.zeros(portion.steps * self.channels, np.float32)
                counts[portion.places] = portion.counts
                yield torch.from_numpy(counts.reshape(portion.steps, self.channels)[start:end])
