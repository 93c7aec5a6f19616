"""Description of a data set, available before it is loaded."""

from __future__ import annotations

from typing import NamedTuple

from spikinggamma.events import SensorShape

__all__ = ["Info"]


class Info(NamedTuple):
    """Facts about a data set for nets and reports: classes, channels, licence and citation."""

    name: str
    title: str
    n_classes: int
    class_names: tuple[str, ...]
    n_channels: int
    size: str  # of the whole set as published
    licence: str
    url: str
    citation: str  # BibTeX
    step_labels: bool = False  # whether steps have labels, instead of recordings
    shape: SensorShape = ()  # (polarities, height, width) of a camera, the order of its channels
