"""Where in a stream the net is, and what has passed until there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spikinggamma.stream.readout import Evidence

__all__ = ["Place", "Row", "Tally"]

Row = dict[str, Any]  # a prediction, or what came of a label


@dataclass
class Tally:
    """What has passed.

    Attributes:
        events: Events.
        steps: Steps that the net has run.
        segments: Segments decided.
        labels: Labels.
        judged: Labels of which the prediction is known.
        right: Predictions that they confirm.
        learnt: Labels learnt from.
        forgotten: Labels for something that is not remembered.
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
    """Where in the stream the net is.

    Attributes:
        segment: Number of the segment at hand.
        begin_us: When it began.
        clock_us: How far time has come.
        grid: Its first step of the chunk at hand.
        ran: Its steps that the net has run.
        state: The net's state after them; None at rest.
        evidence: What they say.
    """

    evidence: Evidence
    segment: int = 0
    begin_us: int = 0
    clock_us: int = 0
    grid: int = 0
    ran: int = 0
    state: Any = None
    tally: Tally = field(default_factory=Tally)
