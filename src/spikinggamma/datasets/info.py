"""What is known of a data set before it is loaded."""

from __future__ import annotations

from typing import NamedTuple

from spikinggamma.events import SensorShape

__all__ = ["Info"]


class Info(NamedTuple):
    """Facts that nets and reports need: classes and channels, and whom to thank."""

    name: str
    title: str
    n_classes: int
    class_names: tuple[str, ...]
    n_channels: int
    size: str  # of the whole set as published
    licence: str
    url: str
    citation: str  # BibTeX
    step_labels: bool = False  # every step has a label, not every recording
    shape: SensorShape = ()  # (polarities, height, width) of a camera, whose channels are these in this order
