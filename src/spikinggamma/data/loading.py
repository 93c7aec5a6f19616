"""Load the recordings and batches of a recipe, and describe its data without loading it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from spikinggamma import datasets, tasks
from spikinggamma.data.own import facts_of, load_own, resolved
from spikinggamma.data.variants import variant_of
from spikinggamma.datasets import DATASETS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Augment, Batch, Recording, SensorShape, Splits, batches
from spikinggamma.events.perturbation import parse_perturbation, perturbed
from spikinggamma.recipes.schema import Recipe
from spikinggamma.registry import Entry
from spikinggamma.seeds import derive_seed
from spikinggamma.tasks import TASKS, Bound

__all__ = [
    "Bound",
    "DataInfo",
    "check_parts",
    "data_entry",
    "data_info",
    "data_names",
    "is_task",
    "known_name",
    "load_splits",
    "resolved",
    "training_batches",
]


class DataInfo(NamedTuple):
    """Description of the data of a recipe, for building nets, summaries and citations."""

    title: str
    n_channels: int
    class_names: tuple[str, ...]
    licence: str
    url: str
    citation: str
    floors: tuple[Bound, ...]
    ceiling: Bound | None
    shape: SensorShape = ()
    step_labels: bool = False
    answer: str = "class"  # class, step_class, values or step_values

    @property
    def n_classes(self) -> int:
        """Number of classes, or of values that are asked for."""
        return len(self.class_names)


def data_names() -> list[str]:
    """Return all valid values of `data.name`."""
    return sorted({*tasks.names(), *datasets.names()})


def is_task(recipe: Recipe) -> bool:
    """Return whether the recordings of a recipe are made on the spot by a task, anew for each seed."""
    return not recipe.data.path and recipe.data.name in TASKS


def data_entry(name: str) -> Entry[Any]:
    """Return the entry of a data set or task.

    Raises:
        SpikingGammaError: There is none of that name; the nearest is given.
    """
    known_name("data.name", name, data_names())
    return TASKS[name] if name in TASKS else DATASETS[name]


def data_info(recipe: Recipe) -> DataInfo:
    """Describe the data of a recipe without loading it, with the number of channels that the net receives.

    Raises:
        SpikingGammaError: The data set, the task or an option is unknown, or the channels cannot be summed to the wanted
            number.
    """
    if recipe.data.path:
        info = _own(recipe)
    else:
        known_name("data.name", recipe.data.name, data_names())
        info = _task(recipe) if is_task(recipe) else _dataset(recipe)
    if recipe.data.variant and is_task(recipe):
        expected = "'': the variants are of recorded data, a task knows what its counts say"
        raise SpikingGammaError("data.variant", repr(recipe.data.variant), expected)
    if recipe.data.perturb:
        info = info._replace(ceiling=None)
    wanted = recipe.data.n_channels or info.n_channels
    if info.n_channels % wanted:
        raise SpikingGammaError("data.n_channels", wanted, f"0 or a divisor of the {info.n_channels} recorded channels")
    return info if wanted == info.n_channels else info._replace(n_channels=wanted, shape=())


def load_splits(recipe: Recipe) -> Splits:
    """Load the recordings of a recipe in three parts.

    Raises:
        SpikingGammaError: `data_info` raises it, files are missing or damaged, or the split is unknown.
    """
    data_info(recipe)
    data = recipe.data
    options: dict[str, Any] = dict(data.options)
    if data.path:
        splits = load_own(recipe)
    elif is_task(recipe):
        splits = tasks.load(data.name, seed=data.seed, **options)
    else:
        splits = datasets.load(
            data.name, split=data.split, validation_fraction=data.validation_fraction, seed=data.seed, **options
        )
    if data.variant:
        rule = DATASETS[data.name].target.removal
        splits = variant_of(splits, data.variant, n_channels=data.n_channels, seed=data.seed, removal=rule)
    if data.perturb:
        changes = [parse_perturbation(text) for text in data.perturb]
        seeds = [derive_seed(data.seed, "perturb", part) for part in Splits._fields]
        splits = Splits(*(perturbed(part, changes, seed=seed) for part, seed in zip(splits, seeds, strict=True)))
    return splits


def check_parts(splits: Splits, recipe: Recipe, parts: Sequence[str] = Splits._fields) -> Splits:
    """Return the splits, of which none of these parts is empty.

    Raises:
        SpikingGammaError: One is, before anything is trained.
    """
    for part in parts:
        if not getattr(splits, part):
            sizes = ", ".join(f"{len(getattr(splits, name))} {name}" for name in parts)
            data = recipe.data
            name = "data.validation_fraction" if part == "validation" else "data.split"
            value = data.validation_fraction if part == "validation" else repr(data.split)
            got = f"{value}, which leaves the {part} part of {data.name} empty ({sizes})"
            raise SpikingGammaError(name, got, "recordings in all three parts")
    return splits


def training_batches(recipe: Recipe, recordings: Sequence[Recording], *, epoch: int) -> Iterator[Batch]:
    """Return the augmented batches of one epoch; they depend only on the recipe's seed and the epoch."""
    data = recipe.data
    return batches(
        recordings,
        batch_size=recipe.training.batch_size,
        dt_ms=data.dt_ms,
        n_channels=data.n_channels or None,
        seed=recipe.training.seed,
        epoch=epoch,
        augment=Augment(**dict(recipe.augment)),
    )


def known_name(argument: str, name: str, known: Iterable[str]) -> str:
    """Return `name` if it is one of `known`; otherwise raise an error that suggests the closest of them."""
    names = sorted(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    raise SpikingGammaError(
        argument, repr(name), f"one of {', '.join(names)}", f"Did you mean `{near[0]}`?" if near else ""
    )


def _task(recipe: Recipe) -> DataInfo:
    name = recipe.data.name
    _check_options(recipe, TASKS[name].options.model_fields)
    if recipe.data.split != "official":
        raise SpikingGammaError(
            "data.split", repr(recipe.data.split), "'official': this task makes its own three parts"
        )
    said = tasks.describe(name, recipe.data.options)
    return DataInfo(
        title=said.title,
        n_channels=said.n_channels,
        class_names=said.class_names,
        licence="made on the spot",
        url="",
        citation="",
        floors=said.floors,
        ceiling=said.ceiling,
    )


def _own(recipe: Recipe) -> DataInfo:
    """Describe recordings of one's own; a net that is built where they are not needs what their recipe says of them."""
    data, facts = recipe.data, facts_of(recipe)
    floors = (Bound(1.0 / len(facts.classes), "chance"),) if "class" in facts.answer else ()
    step_labels = facts.answer.startswith("step_")
    n_channels = math.prod(facts.sensor)
    own = "your own recordings"
    return DataInfo(
        data.name, n_channels, facts.classes, own, "", "", floors, None, facts.shape, step_labels, facts.answer
    )


def _dataset(recipe: Recipe) -> DataInfo:
    _check_options(recipe, DATASETS[recipe.data.name].options.model_fields)
    info = datasets.info(recipe.data.name, recipe.data.options)
    why = "chance, and all that spike counts tell" if recipe.data.variant.startswith("norm") else "chance"
    chance = Bound(1 / info.n_classes, why)
    return DataInfo(
        info.title,
        info.n_channels,
        info.class_names,
        info.licence,
        info.url,
        info.citation,
        (chance, *_known_floors(recipe)),
        None,
        info.shape,
        info.step_labels,
        "step_class" if info.step_labels else "class",
    )


def _known_floors(recipe: Recipe) -> tuple[Bound, ...]:
    data = recipe.data
    if data.variant:
        return ()
    known = DATASETS[data.name].target.floors_of(data.split, data.options)
    return tuple(Bound(floor.accuracy, floor.why) for floor in known)


def _check_options(recipe: Recipe, known: Collection[str]) -> None:
    for key in recipe.data.options:
        known_name(f"key of [data.options] for {recipe.data.name}", key, known)
