"""Experiments: what a claim needs to have run, by the benches and tasks that are there, with rows that are kept.

The rows of an experiment are in one file of the folder of runs. Those of planned benches (timing, resolution) are
written one by one, and their nets are kept; those of other benches are written when all of them are made. A killed process
repeats only what was not written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spikinggamma import bench
from spikinggamma.bench import resolution_rows, timing_rows
from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.bench.sweep import sweep
from spikinggamma.bench.timing_plan import cells
from spikinggamma.errors import SpikingGammaError
from spikinggamma.papers.reproduction.selection import Row
from spikinggamma.runs import read_rows

__all__ = ["Experiment", "Setting", "bench_once", "measured_rows", "resolution", "sweeping", "timing"]

_log = logging.getLogger(__name__)


class Setting(NamedTuple):
    """How experiments are run.

    Attributes:
        quick: Whether small versions are run, as a check that they work.
        seeds: Seeds of weights, batch order and generated tasks.
        jobs: Number of processes at a time, of one thread each.
        folder: Where runs and rows are kept.
    """

    quick: bool
    seeds: tuple[int, ...]
    jobs: int
    folder: Path


@dataclass(frozen=True)
class Experiment:
    """Something to run, and the rows that it makes.

    Attributes:
        name: Name of the file of its rows and of the folder of its runs.
        words: What is run, for people.
        make: Yields the rows that are not known yet, in groups that are written together.
        cell: Keys that identify a measurement: a newer row of the same values replaces an older one.
        quick_decides: Whether its result is exact at any size, so that a quick run decides too.
    """

    name: str
    words: str
    make: Callable[[Setting, Sequence[Row]], Iterator[list[Row]]]
    cell: tuple[str, ...]
    quick_decides: bool = False


def measured_rows(experiment: Experiment, setting: Setting) -> list[Row]:
    """Run what is not known yet of an experiment, and return all of its rows for these seeds.

    Raises:
        SpikingGammaError: The folder cannot be written, or a bench raises it.
        FailedRuns: Some runs failed; the rows of the others are kept.
    """
    try:
        setting.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("--runs", f"{setting.folder} ({error.strerror})", "a folder that can be made") from None
    path = setting.folder / f"{experiment.name}{'-quick' if setting.quick else ''}.jsonl"
    rows = read_rows(path)
    _log.info("%s: %s", experiment.name, experiment.words)
    for group in experiment.make(setting, _of_seeds(rows, setting.seeds)):
        for row in group:
            rows = with_row(rows, row, experiment.cell)
        write_rows(path, rows)
    return _of_seeds(rows, setting.seeds)


def timing(*groups: str, models: Sequence[str] = ("mlp", "lif", "lif_delay", "spikinggamma")) -> Experiment:
    """Return the groups of `bench timing`, such as "isi.replacement", with these models."""

    def make(setting: Setting, known: Sequence[Row]) -> Iterator[list[Row]]:
        there = {cell.group for cell in cells(quick=setting.quick)}
        only = [group for group in groups if group in there]  # a quick plan has some groups only
        if only:
            rows = bench.BENCHES["timing"](
                quick=setting.quick, seed=setting.seeds[0], seeds=setting.seeds, only=only, models=list(models),
                jobs=setting.jobs, runs=setting.folder / "timing", known=known,
            )  # fmt: skip
            yield from ([row] for row in rows)

    words = f"bench timing --only {','.join(groups)} --models {','.join(models)}"
    return Experiment("timing", words, make, (*timing_rows.CELL, "seeds"))


def resolution(*tasks: str) -> Experiment:
    """Return `bench resolution` of these tasks with all models."""

    def make(setting: Setting, known: Sequence[Row]) -> Iterator[list[Row]]:
        only = [task for task in tasks if not setting.quick or task == "localisation"]
        rows = bench.BENCHES["resolution"](
            quick=setting.quick, seed=setting.seeds[0], seeds=setting.seeds, only=only,
            jobs=setting.jobs, runs=setting.folder / "resolution", known=known,
        )  # fmt: skip
        yield from ([row] for row in rows)

    words = f"bench resolution --only {','.join(tasks)}"
    return Experiment("resolution", words, make, (*resolution_rows.CELL, "seeds"))


def bench_once(name: str, *, quick_decides: bool = False) -> Experiment:
    """Return a bench that runs as a whole, with the first seed."""

    def make(setting: Setting, known: Sequence[Row]) -> Iterator[list[Row]]:
        if not known:
            rows = bench.BENCHES[name](quick=setting.quick, seed=setting.seeds[0])
            yield [{**row, "place": place} for place, row in enumerate(rows)]

    return Experiment(name, f"bench {name}", make, ("bench", "seed", "place"), quick_decides)


def sweeping(*recipes: str, small: Sequence[str]) -> Experiment:
    """Return the training of bundled recipes from every seed; `small` holds the overrides of a quick run."""

    def make(setting: Setting, known: Sequence[Row]) -> Iterator[list[Row]]:
        settings = list(small) if setting.quick else []
        there = {row["recipe"] for row in known}
        missing = [recipe for recipe in recipes if recipe not in there]
        folder = setting.folder / ("sweep-quick" if setting.quick else "sweep")
        if missing:
            rows = sweep(missing, folder, seeds=setting.seeds, settings=settings, jobs=setting.jobs)
            yield from ([row] for row in rows)

    return Experiment("sweep", f"sweep {' '.join(recipes)}", make, ("bench", "recipe", "settings", "seeds"))


def _of_seeds(rows: Sequence[Row], seeds: tuple[int, ...]) -> list[Row]:
    """Return the rows of these seeds: of all of them, where a row is over several, or else of one of them."""
    return [row for row in rows if (row["seeds"] == list(seeds) if "seeds" in row else row.get("seed") in seeds)]
