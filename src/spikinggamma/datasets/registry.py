"""Data sets by name: each registers itself where it is written, with its options, known floors and citations.

    @register_dataset(INFO, options=ToneOptions)
    def load(options: ToneOptions, how: Loading) -> Splits:
        ...

`load` is then called with keywords, those of `Loading` and the options: `load(split="official", n_channels=70)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.events import SensorShape, Splits
from spikinggamma.option_words import check_options
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["DATASETS", "PUBLISHED_REMOVAL", "Dataset", "Floor", "Info", "Loading", "Removal", "register_dataset"]


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


class Loading(NamedTuple):
    """How a data set is loaded, whichever it is.

    Attributes:
        split: How it is divided; `official` is known to all.
        validation_fraction: Share of the training part held out.
        seed: Of the choice of validation recordings.
        root: Data root; the environment's `SPIKINGGAMMA_DATA`, or else the cache, where left out.
        progress: Whether a bar is shown while recordings are converted, on a terminal only.
    """

    split: str = "official"
    validation_fraction: float = 0.1
    seed: int = 0
    root: Path | str | None = None
    progress: bool = True


class Floor(NamedTuple):
    """An accuracy that simple observers reach on the very recordings that these options make.

    Attributes:
        accuracy: On the test part.
        why: Who reaches it.
        command: What measured it.
        split: The split that it is of.
        options: The options that it is of; all others are as they come.
    """

    accuracy: float
    why: str
    command: str
    split: str = "official"
    options: Mapping[str, Any] = {}


class Removal(NamedTuple):
    """How many recordings the count normalisation of "Beyond Rate Coding" may remove (arXiv 2507.16043).

    Attributes:
        rare: Share of the recordings that may be removed to keep one channel.
        removable: No recordings are removed if there would be this many or more.
    """

    rare: float
    removable: int


PUBLISHED_REMOVAL = Removal(rare=0.01, removable=2000)
"""The values for the Heidelberg Digits."""


class Dataset:
    """A data set as it is registered; called with keywords, it loads.

    Attributes:
        info: What is known of it before it is loaded.
        options: The class of its options.
        floors: Known floors.
        made_here: Whether it is made on the spot, and so has no files of its own.
        reads_converted: Whether its loader reads what `data convert` writes of it, in place of its own files.
        removal: How many recordings the published count normalisation may remove.
    """

    def __init__(
        self,
        load: Callable[[Any, Loading], Splits],
        info: Info,
        options: type[Options],
        describe: Callable[[Any], Info] | None,
        floors: tuple[Floor, ...],
        *,
        made_here: bool,
        reads_converted: bool,
        removal: Removal,
    ) -> None:
        functools.update_wrapper(self, load)
        self._load = load
        self._describe = describe
        self.info = info
        self.options = options
        self.floors = floors
        self.made_here = made_here
        self.reads_converted = reads_converted
        self.removal = removal

    def __call__(self, **given: Any) -> Splits:
        """Return the three parts.

        Args:
            **given: What `Loading` names, and options of the data set.

        Raises:
            SpikingGammaError: An option that is unknown or out of range, or what the data set itself raises.
        """
        how = Loading(**{key: given.pop(key) for key in Loading._fields if key in given})
        return self._load(self._chosen(given), how)

    def describe(self, given: Mapping[str, Any] | None = None) -> Info:
        """Return classes, channels, licence and citation, as these options make them.

        Raises:
            SpikingGammaError: An option that is unknown or out of range.
        """
        options = self._chosen(given or {})
        return self.info if self._describe is None else self._describe(options)

    def floors_of(self, split: str, given: Mapping[str, Any]) -> tuple[Floor, ...]:
        """Return the floors that are known for this split and these options."""
        options = self._chosen(given)
        return tuple(one for one in self.floors if one.split == split and self._chosen(one.options) == options)

    def _chosen(self, given: Mapping[str, Any]) -> Options:
        return check_options(self.options, given, name=self.info.name)


DATASETS: Registry[Dataset] = Registry("data set")


def register_dataset(
    info: Info,
    *,
    options: type[Options] = Options,
    describe: Callable[[Any], Info] | None = None,
    floors: tuple[Floor, ...] = (),
    behind: tuple[str, ...] = (),
    made_here: bool = False,
    reads_converted: bool = False,
    removal: Removal = PUBLISHED_REMOVAL,
) -> Callable[[Callable[[Any, Loading], Splits]], Dataset]:
    """Return a decorator that registers a loader as a data set.

    Args:
        info: What is known of it before it is loaded.
        options: What can be chosen of it besides what `Loading` names.
        describe: Returns the facts as given options make them; `info` whatever the options if not given.
        floors: What simple observers reach, with the command that measured it.
        behind: BibTeX entries of what its recordings rest on besides themselves.
        made_here: Whether it is made on the spot, and so has no files of its own.
        reads_converted: Whether its loader reads what `data convert` writes of it, in place of its own files. What is
            held out of the training part for validation then stays in the training file.
        removal: How many recordings the published count normalisation may remove.
    """

    def add(load: Callable[[Any, Loading], Splits]) -> Dataset:
        dataset = Dataset(
            load,
            info,
            options,
            describe,
            floors,
            made_here=made_here,
            reads_converted=reads_converted,
            removal=removal,
        )
        citations = tuple(entry for entry in (info.citation, *behind) if entry)
        DATASETS.register(info.name, options=options, summary=f"{info.title}.", citations=citations)(dataset)
        return dataset

    return add
