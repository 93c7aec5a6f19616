"""The position of the net in a stream, and counts of what it has processed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spikinggamma.nn import MaskedState
from spikinggamma.stream.readout import Evidence

__all__ = ["Place", "Row", "Tally"]

Row = dict[str, Any]  # a prediction, or the outcome of a label


@dataclass
class Tally:
    """Counts of what a stream has processed.

    Attributes:
        events: Number of events.
        steps: Number of steps that the net has run.
        segments: Number of segments with a decision.
        labels: Number of labels.
        judged: Number of labels for which the prediction is known.
        right: Number of these predictions that are correct.
        learnt: Number of labels learnt from.
        forgotten: Number of labels for segments that are no longer remembered.
    """

    events: int = 0
    steps: int = 0
    segments: int = 0
    labels: int = 0
    judged: int = 0
    right: int = 0
    learnt: int = 0
    forgotten: int = 0


@dataclass
class Place:
    """The position of the net in the stream.

    Attributes:
        segment: Number of the current segment.
        begin_us: Time at which it began.
        clock_us: Time up to which the stream is known.
        grid: First step of the current chunk, counted from the start of the segment.
        ran: Number of steps of the segment that the net has run.
        state: State of the net after these steps; None at rest.
        evidence: Evidence for each class gathered from these steps.
    """

    evidence: Evidence
    segment: int = 0
    begin_us: int = 0
    clock_us: int = 0
    grid: int = 0
    ran: int = 0
    state: MaskedState | None = None
    tally: Tally = field(default_factory=Tally)
