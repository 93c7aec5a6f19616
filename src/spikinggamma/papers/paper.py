"""A published system and its claims: sentences, published figures, and the tests that decide whether they hold here.

    @PAPERS.register("my_paper", title="My paper", citations=(MY_PAPER,))
    def my_paper() -> Paper:
        \"\"\"Adds my neuron.\"\"\"
        return Paper(model="...", claims=(Claim("faster", "...", ...),))

A claim names the experiments that it needs, and a judge that turns their rows into a `Finding`. Nothing runs until
`spikinggamma.papers.reproduce` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.papers.reproduction.experiments import Experiment
from spikinggamma.papers.reproduction.selection import Rows
from spikinggamma.registry import Registry

__all__ = ["PAPERS", "Claim", "Finding", "Measured", "Paper", "Published", "Verdict"]


class Verdict(StrEnum):
    """What an experiment says of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    NOT_MEASURABLE = "not measurable here"
    UNDECIDED = "not decided"  # of a quick run, which checks that an experiment works and decides nothing


class Published(NamedTuple):
    """A published figure, and where it stands: the paper, its abstract, its released code, or another's summary."""

    figure: str
    source: str


class Measured(NamedTuple):
    """One of our figures.

    Attributes:
        what: What was measured, such as a model's name.
        value: The figure.
        low: Lower end of its 95 % interval; None if it has no interval.
        high: Upper end.
        unit: "share" for shares from 0 to 1, which are shown in per cent; a unit otherwise, empty for a plain number.
    """

    what: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = "share"


class Finding(NamedTuple):
    """What a judge found: its verdict, the figures that it used, and the comparison in words."""

    verdict: Verdict
    measured: tuple[Measured, ...]
    why: str


Judge = Callable[[Rows], Finding]


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, and the test that decides it.

    Attributes:
        name: What `--only` calls it.
        sentence: The claim, in words of our own.
        authors_data: The data on which the authors show it.
        data: The data used here; empty where nothing is measured.
        test: The test that decides, in words.
        published: The published figure; None if it is not known here.
        experiments: What is run for it.
        judge: Makes the finding from the rows of these experiments.
        same_data: Whether that is the authors' data, or made by the authors' rule; otherwise a result is ours alone.
        unmeasurable: Why it cannot be measured here; then it needs no experiment and no judge.
    """

    name: str
    sentence: str
    authors_data: str
    data: str = ""
    test: str = ""
    published: Published | None = None
    experiments: tuple[Experiment, ...] = ()
    judge: Judge | None = None
    same_data: bool = False
    unmeasurable: str = ""

    def __post_init__(self) -> None:
        if bool(self.unmeasurable) == bool(self.judge):
            found = "both" if self.judge else "neither"
            raise SpikingGammaError(f"claim {self.name}", found, "either a judge or a reason why it is not measurable")

    @property
    def quick_decides(self) -> bool:
        """Whether a quick run decides it, since every one of its experiments is exact at any size."""
        return all(experiment.quick_decides for experiment in self.experiments)


@dataclass(frozen=True)
class Paper:
    """A published system.

    Attributes:
        model: The model as it is built here: recipes, layers of a chain, or modules.
        claims: Its claims, in the order of the page.
        note: What is reconstructed, or differs from the authors' code; may be empty.
    """

    model: str
    claims: tuple[Claim, ...]
    note: str = ""

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if len(set(names)) < len(names):
            raise SpikingGammaError("claims", ", ".join(names), "a name of its own for each claim")


PAPERS: Registry[Callable[[], Paper]] = Registry("paper")
