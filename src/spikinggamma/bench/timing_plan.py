"""The plan of the timing suite: a cell is one model on one task under one perturbation of one level.

| group | varied quantity | a net is trained |
| --- | --- | --- |
| `TASK.replacement` | share f of spikes put at random times; counts stay | for each f |
| `TASK.jitter_trained` | jitter of each spike | for each level |
| `polychrony.max_interval_ms` | the longest interval between the two spikes of a pair | for each interval |
| `polychrony.anywhere.max_interval_ms` | the same, pairs anywhere: no information in single neurons | for each interval |
| `coincidence.overlap` | the similarity of busy and quiet groups | for each overlap |
| `TASK.jitter`, `TASK.channel_jitter` | jitter of each spike, of all spikes of a channel | once, unperturbed |
| `TASK.deletion`, `TASK.reversal` | deleted spikes, reversed time | once, unperturbed |

TASK is isi, polychrony, localisation, or one of fsdd.whole, fsdd.part and fsdd.norm (as well of hd, shd and ssc, if
named); all but replacement is of speech only. Of hd, shd and ssc there are also variants made in the authors' way:
hd.norm_as_published and so on.
In mode "train-and-test" all recordings are perturbed, in "test-only" those of a net that was
trained on unperturbed recordings. Level 0 is the same unperturbed net in every group of a task.

Source: "Beyond Rate Coding" (arXiv 2507.16043), there with shares f from 0 to 1, intervals from 50 to 500 ms and overlaps from
0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from spikinggamma.bench.kept_runs import Asked, PlannedRun, planned_run
from spikinggamma.bench.timing_table import AS_PUBLISHED, MODELS, ON_DEMAND, RECIPES, SMALL, SPEECH
from spikinggamma.errors import SpikingGammaError

__all__ = ["PERTURB_SEEDS", "Cell", "asked_of", "cells", "groups", "planned", "select"]

PERTURB_SEEDS = (0, 1, 2)

Mode = Literal["train-and-test", "test-only"]
_Levels = tuple[float, ...]

_SHARES: _Levels = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_TENTHS: _Levels = tuple(round(0.1 * step, 1) for step in range(11))
_INTERVALS_MS: _Levels = (50.0, 100.0, 200.0, 300.0, 500.0)
_JITTERS_MS: _Levels = (0.0, 5.0, 10.0, 25.0, 50.0, 100.0)
_VARIANTS = ("whole", "part", "norm")
_ANYWHERE = "anywhere"
# These are options of a task and not perturbations of its recordings.
_OPTIONS = {"max_interval_ms": "data.options.max_interval_ms={:.0f}", "overlap": "data.options.overlap={:g}"}
_TEXTS = {
    "replacement": "replacement={:g}",
    "jitter": "jitter={:g}ms",
    "channel_jitter": "channel_jitter={:g}ms",
    "deletion": "deletion={:g}",
    "reversal": "reversal",
}


class Cell(NamedTuple):
    """One measurement, over any number of seeds.

    Attributes:
        group: Name of its group.
        task: The value of `data.name`.
        variant: For speech whole, part or norm, or one of these as published; for polychrony "anywhere" for that placing of
            pairs; else empty.
        model: A name in `MODELS`.
        perturbation: The varied quantity.
        level: Its value: a share, ms, or 1 for on.
        mode: Which recordings are perturbed.
        recipe: Name of the recipe for the training.
        overrides: Overrides of that recipe.
        perturb: Perturbation of test recordings only, as in `evaluate`; empty for none.
    """

    group: str
    task: str
    variant: str
    model: str
    perturbation: str
    level: float
    mode: Mode
    recipe: str
    overrides: tuple[str, ...]
    perturb: str

    @property
    def key(self) -> dict[str, Any]:
        """Return the fields that identify its row."""
        return {
            "task": self.task,
            "variant": self.variant,
            "model": self.model,
            "perturbation": self.perturbation,
            "level": self.level,
            "mode": self.mode,
        }


def groups() -> list[str]:
    """Return the names of all groups."""
    return list(dict.fromkeys(cell.group for cell in cells(quick=False)))


def cells(*, quick: bool) -> list[Cell]:
    """Return every cell, group by group; `quick` takes the ends of each range, and only norm for speech.

    Example:
        >>> [cell.level for cell in cells(quick=True) if cell.group == "isi.replacement" and cell.model == "mlp"]
        [0.0, 1.0]
    """
    return list(_cells(quick))


def select(chosen: Sequence[Cell], only: Sequence[str], models: Sequence[str]) -> list[Cell]:
    """Return the cells of these groups and models; a name such as `fsdd.norm` stands for all groups that begin with it.

    Empty lists stand for all, but groups of a large data set are included only if they are named.

    Args:
        chosen: The cells to select from.
        only: Names of groups.
        models: Names of models.

    Raises:
        SpikingGammaError: A group or model is unknown.
    """
    tops = list(dict.fromkeys(cell.task for cell in chosen))
    for name in only:
        if not any(_within(cell.group, name) for cell in chosen):
            raise SpikingGammaError("--only", repr(name), f"groups such as {', '.join(tops)} or {chosen[0].group}")
    for name in models:
        if name not in MODELS:
            raise SpikingGammaError("--models", repr(name), f"models among {', '.join(MODELS)}")
    return [
        cell
        for cell in chosen
        if (any(_within(cell.group, name) for name in only) if only else cell.task not in ON_DEMAND)
        and (not models or cell.model in models)
    ]


def _within(group: str, name: str) -> bool:
    return f"{group}.".startswith(f"{name}.")


def _cells(quick: bool) -> Iterator[Cell]:
    yield from _group("isi", "", "replacement", _SHARES, quick)
    yield from _group("polychrony", "", "max_interval_ms", _INTERVALS_MS, quick)
    if not quick:
        yield from _group("polychrony", _ANYWHERE, "max_interval_ms", _INTERVALS_MS, quick)
    yield from _group("polychrony", "", "replacement", _SHARES, quick)
    yield from _group("coincidence", "", "overlap", _TENTHS, quick)
    yield from _group("localisation", "", "replacement", _SHARES, quick)
    for task in SPEECH:
        ways = ("", "_as_published") if task in AS_PUBLISHED else ("",)
        for variant in [variant + way for way in ways for variant in (_VARIANTS[-1:] if quick else _VARIANTS)]:
            yield from _group(task, variant, "replacement", _SHARES, quick)
            yield from _group(task, variant, "jitter", _JITTERS_MS, quick, "test-only")
            yield from _group(task, variant, "jitter", _JITTERS_MS, quick, name="jitter_trained")
            yield from _group(task, variant, "channel_jitter", _JITTERS_MS, quick, "test-only")
            yield from _group(task, variant, "deletion", _SHARES[:-1], quick, "test-only")
            yield from _group(task, variant, "reversal", (0.0, 1.0), quick, "test-only")


def _group(
    task: str,
    variant: str,
    perturbation: str,
    levels: _Levels,
    quick: bool,
    mode: Mode = "train-and-test",
    name: str = "",
) -> Iterator[Cell]:
    group = ".".join(part for part in (task, variant, name or perturbation) if part)
    for level in (levels[0], levels[-1]) if quick else levels:
        for model in MODELS:
            recipe, *overrides = RECIPES[task, model]
            if variant:
                overrides.append(f"data.{'options.placing' if variant == _ANYWHERE else 'variant'}={variant}")
            if variant.endswith("_as_published"):
                overrides += AS_PUBLISHED[task]
            perturb = ""
            if perturbation in _OPTIONS:
                overrides.append(_OPTIONS[perturbation].format(level))
            elif level > 0.0 and mode == "train-and-test":
                overrides.append(f'data.perturb=["{_TEXTS[perturbation].format(level)}"]')
            elif level > 0.0:
                perturb = _TEXTS[perturbation].format(level)
            yield Cell(group, task, variant, model, perturbation, level, mode, recipe, tuple(overrides), perturb)


def planned(cell: Cell, seed: int, *, quick: bool) -> PlannedRun:
    """Return the run that a cell needs for a seed.

    Args:
        cell: The cell.
        seed: Seed of the run.
        quick: Whether it is a quick check.

    Raises:
        SpikingGammaError: The overrides do not fit the recipe.
    """
    small = SMALL[cell.task] if quick else ()
    return planned_run(cell.recipe, cell.overrides, task=cell.task, seed=seed, small=small, quick=quick)


def asked_of(cell: Cell) -> list[Asked]:
    """Return the evaluations that a cell needs of its run; random perturbations are drawn several times."""
    if not cell.perturb:
        return [Asked()]
    return [Asked(cell.perturb, seed) for seed in (PERTURB_SEEDS if "=" in cell.perturb else PERTURB_SEEDS[:1])]
