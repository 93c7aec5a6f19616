"""Recordings that are given in Python instead of a path: lists of them, pairs of arrays, or a torch `Dataset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from spikinggamma.data.own import facts_of_found, splits_of_found
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.layouts import Found
from spikinggamma.layouts.arrays import ArrayOptions, recordings_of_arrays
from spikinggamma.layouts.naming import NamedFile
from spikinggamma.layouts.recordings_file import write_recordings
from spikinggamma.option_words import check_options
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import with_values

__all__ = ["FILE", "Given", "given_recordings", "keep_given"]

FILE = "recordings.npz"
_FORMS = "lists of recordings, pairs of arrays (x, y), or torch Datasets of such pairs, by part or to be split"


class Given(NamedTuple):
    """Recordings from Python, and the recipe that says what they are."""

    recipe: Recipe
    splits: Splits


def given_recordings(given: Any, recipe: Recipe) -> Given:
    """Return recordings that were given, in three parts, and the recipe with what is known of them.

    Args:
        given: `Splits`; or a mapping with `train`, `test` and perhaps `validation`; or one collection, which is split as the
            recipe says. A collection is a list of `Recording`, a pair of arrays (x, y), or a torch `Dataset` whose items
            are pairs (x, y); x and y are as in the layout `arrays`.
        recipe: Its `data.options` are those of that layout, its encoder turns numbers into events; `data.name` is
            "recordings" where it is for nothing else.

    Raises:
        SpikingGammaError: A collection is none of these, or its recordings do not go together.

    Example:
        >>> x = np.eye(2, dtype=np.int64)[[0, 1] * 20][:, None, :]
        >>> given_recordings((x, np.array([0, 1] * 20)), Recipe()).recipe.data.classes
        ('0', '1')
    """
    if isinstance(given, Splits):
        given = given._asdict()
    own = recipe.model_copy(update={"data": recipe.data.model_copy(update={"name": "recordings", "path": FILE})})
    if isinstance(given, Mapping):
        if odd := sorted(set(given) - set(Splits._fields)):
            raise SpikingGammaError("splits", f"a part {odd[0]!r}", "train, validation and test")
        found = [one for part in Splits._fields if part in given for one in _found(given[part], own, part)]
        split = {"split": "official"}
    else:
        found, split = _found(given, own, ""), {}
    own = own.model_copy(update={"data": own.data.model_copy(update=split)})
    facts = facts_of_found(found, own)
    splits = splits_of_found(found, facts, own)
    values = {
        "data.path": FILE, "data.layout": "recordings", "data.encoder": "", "data.scale": "none",
        "data.classes": facts.classes, "data.sensor": facts.sensor, "data.answer": facts.answer,
        "data.split": "official",
    }  # fmt: skip
    plain = recipe.model_copy(
        update={"data": recipe.data.model_copy(update={"options": {}, "path": FILE}), "encoder": {}}
    )
    return Given(with_values(plain, values), splits)


def keep_given(folder: Path, given: Given) -> None:
    """Write the recordings into the folder of a run, so that it can go on, be evaluated and drawn like any other.

    Raises:
        SpikingGammaError: The file cannot be written.
    """
    write_recordings(folder / FILE, given.splits, given.recipe.data.classes)


@dataclass(frozen=True)
class _Rows:
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    lengths: npt.NDArray[Any]


def _found(given: Any, recipe: Recipe, part: str) -> list[Found]:
    if isinstance(given, Sequence) and len(given) and all(isinstance(one, Recording) for one in given):
        return [
            _of_recording(one, f"{part or 'given'}[{index}]", part, recipe.data.classes)
            for index, one in enumerate(given)
        ]
    if isinstance(given, torch.utils.data.Dataset):
        items = [given[index] for index in range(len(given))]  # type: ignore[arg-type]
        if items and all(isinstance(item, Recording) for item in items):
            return _found(items, recipe, part)
        rows = _stacked(items, type(given).__name__)
    elif isinstance(given, tuple) and len(given) == 2:
        x, y = (_array(one) for one in given)
        rows = _Rows(x, y, np.full(len(x), x.shape[1] if x.ndim > 2 else 1))
    else:
        raise SpikingGammaError("splits", f"{type(given).__name__} for {part or 'all'}", _FORMS)
    # Others are of the data set that the recipe was made for.
    own = {key: value for key, value in recipe.data.options.items() if key in ArrayOptions.model_fields}
    options = check_options(ArrayOptions, own, name="arrays", argument="data.options")
    named = NamedFile(Path("splits"), part or "given")
    arrays = {"x": rows.x, "y": rows.y, "lengths": rows.lengths}
    return list(recordings_of_arrays(arrays, options, named, part))


def _of_recording(one: Recording, source: str, part: str, names: Sequence[str]) -> Found:
    if names and one.label >= len(names):
        got = f"label {one.label} of {one.source or source}"
        raise SpikingGammaError("splits", got, f"0 to {len(names) - 1}, as data.classes names so many")
    answer = one.step_labels if one.step_labels is not None else one.values
    return Found(
        one.source or source,
        Spikes(one.times_us, one.channels, one.duration_us),
        label="" if one.label < 0 else names[one.label] if names else str(one.label),
        speaker=one.speaker,
        part=part,
        sensor=one.shape or (one.n_channels,),
        answer=answer,
        answer_us=one.step_us,
    )


def _stacked(items: Sequence[Any], name: str) -> _Rows:
    """Return the items of a data set as arrays, shorter ones padded by zeros."""
    if not items or not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        raise SpikingGammaError("splits", f"{name} with items that are no pairs", _FORMS)
    inputs = [_array(item[0]) for item in items]
    answers = [_array(item[1]) for item in items]
    shapes = {one.shape[1:] for one in inputs}
    if len(shapes) > 1 or {one.ndim for one in inputs} - {1, 2} or len({one.ndim for one in inputs}) > 1:
        raise SpikingGammaError("splits", f"{name} with x of {sorted(map(list, shapes))}", "x [C], or [T, C] for one C")
    lengths = np.array([len(one) if one.ndim == 2 else 1 for one in inputs])
    if inputs[0].ndim == 1:
        return _Rows(np.stack(inputs), np.stack(answers), lengths)
    x = np.zeros((len(inputs), int(lengths.max()), *inputs[0].shape[1:]), inputs[0].dtype)
    for row, one in zip(x, inputs, strict=True):
        row[: len(one)] = one
    by_step = all(answer.ndim > 0 and len(answer) == length for answer, length in zip(answers, lengths, strict=True))
    if not by_step:
        return _Rows(x, np.stack(answers), lengths)
    first = answers[0]
    y = np.full((len(x), x.shape[1], *first.shape[1:]), np.nan if first.dtype.kind == "f" else -1, first.dtype)
    for row, one in zip(y, answers, strict=True):
        row[: len(one)] = one
    return _Rows(x, y, lengths)


def _array(values: Any) -> npt.NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
