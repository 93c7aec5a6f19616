"""The contract of a layout: a path in, recordings with the names of their classes out.

A layout is a subclass in a file of its own, registered in `LAYOUTS`. It says which files are its own, and yields a `Found`
for each recording. What is common to all, the parts, classes and speakers that folders and file names give, is done by
`spikinggamma.layouts.naming`; numbers for classes, splits and encoders come later, in `spikinggamma.data`.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.encoders import SampledSignal
from spikinggamma.layouts.naming import NamedFile
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["LAYOUTS", "FileLayout", "Found", "Layout", "LayoutOptions"]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A recording as it was found: events or sampled signals, and what is said of it.

    Attributes:
        source: Where it comes from, unique within the path.
        events: Its spikes, or None where it is a signal.
        signal: Its samples, or None where it is a list of events.
        label: Name of its class; empty where it has none.
        speaker: Speaker or subject.
        part: train, validation or test where the layout says so, else empty.
        columns: Whatever else is said of it, by name.
        sensor: (channels,) or (polarities, rows, columns); empty where it is not known.
        answer: Classes [S] (integers, -1 for none) or values [S, K] of stretches of `answer_us`, or values [K] of the
            whole with `answer_us` 0; None where the class is all.
        answer_us: Length of those stretches.
        answer_names: Names of all classes in their order, or of the values in `answer`, where the file says them.
    """

    source: str
    events: Spikes | None = None
    signal: SampledSignal | None = None
    label: str = ""
    speaker: str = ""
    part: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    sensor: tuple[int, ...] = ()
    answer: npt.NDArray[Any] | None = None
    answer_us: int = 0
    answer_names: tuple[str, ...] = ()


class LayoutOptions(Options):
    """Options that every layout has."""

    names: str = Field(
        default="",
        description="what folders and file names say, such as {label}/{speaker}_{take}; none: {label}/... or {label}_...",
    )
    start_at_first: bool = Field(
        default=False, description="count time from the first event of each recording, for clocks that run on"
    )


class Layout(abc.ABC):
    """How recordings lie in a file or a folder.

    Args:
        options: Of the layout's own kind.

    Attributes:
        suffixes: Endings of the names of its files, in lower case.
        cached: Whether the events that it reads are worth keeping in the cache.
    """

    suffixes: ClassVar[tuple[str, ...]]
    cached: ClassVar[bool] = True
    options: Any

    def __init__(self, options: LayoutOptions) -> None:
        self.options = options

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Return whether a file with one of the suffixes is of this layout; its first bytes may be looked at."""
        return path.suffix.lower() in cls.suffixes

    @abc.abstractmethod
    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """Yield every recording of these files, in their order.

        Raises:
            SpikingGammaError: A file is damaged or lacks something; the message names it and the place.
        """


class FileLayout(Layout):
    """A layout in which every file is one recording, whose class its folder or its name gives."""

    @abc.abstractmethod
    def read_events(self, path: Path) -> tuple[Spikes, tuple[int, ...]]:
        """Return the events of a file and its sensor."""

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        for named in files:
            events, sensor = self.read_events(named.path)
            yield named_recording(named, events=self.started(events), sensor=sensor)

    def started(self, events: Spikes) -> Spikes:
        """Return the events with times that count from the first where that is asked for."""
        return counted_from_first(events) if self.options.start_at_first else events


LAYOUTS: Registry[type[Layout]] = Registry("layout")


def named_recording(named: NamedFile, **content: Any) -> Found:
    """Return a recording with what its file's name says."""
    return Found(
        named.source, label=named.label, speaker=named.speaker, part=named.part, columns=named.columns, **content
    )


def counted_from_first(events: Spikes) -> Spikes:
    """Return events whose first is at time 0; the recording ends that much earlier."""
    if not len(events.times_us):
        return events
    start = int(events.times_us[0])
    return Spikes(np.asarray(events.times_us) - start, events.channels, events.duration_us - start)


def with_unique_sources(found: Iterable[Found]) -> list[Found]:
    """Return the recordings, those whose source an earlier one has with a number behind it."""
    seen: dict[str, int] = {}
    kept: list[Found] = []
    for one in found:
        count = seen[one.source] = seen.get(one.source, 0) + 1
        kept.append(one if count == 1 else replace(one, source=f"{one.source}#{count}"))
    return kept
