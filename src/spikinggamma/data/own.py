"""Recordings of one's own: what a recipe's `data.path` holds, with numbers for classes, split in three, encoded as events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikinggamma.data.own_splits import Parts, divided
from spikinggamma.data.scaling import scaled
from spikinggamma.encoders import Encoder, make_encoder
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, SensorShape, Splits
from spikinggamma.layouts import Found, find_recordings
from spikinggamma.layouts.kept import digest_of
from spikinggamma.layouts.naming import NamedFile, by_size, files_below
from spikinggamma.recipes.schema import Data, Recipe
from spikinggamma.recipes.toml_files import with_values
from spikinggamma.seeds import derive_seed

__all__ = [
    "Facts",
    "facts_of",
    "facts_of_found",
    "load_own",
    "own_recordings",
    "resolved",
    "splits_of_found",
]


class Facts(NamedTuple):
    """What is known of recordings without their events.

    Attributes:
        classes: Names of the classes, or of the values that are asked for.
        sensor: (channels,) or (polarities, rows, columns) of the events, encoded where they were signals.
        answer: class, step_class, values or step_values.
    """

    classes: tuple[str, ...]
    sensor: tuple[int, ...]
    answer: str

    @property
    def shape(self) -> SensorShape:
        """Return the shape of a camera, or nothing."""
        return (self.sensor[0], self.sensor[1], self.sensor[2]) if len(self.sensor) == 3 else ()


_KNOWN: dict[tuple[str, str, str], Facts] = {}  # of recordings that this process has looked at


def facts_of(recipe: Recipe) -> Facts:
    """Return what the recipe says of its recordings, or else what a look at them says.

    Raises:
        SpikingGammaError: They are not there, damaged, or do not go together.
    """
    data = recipe.data
    if data.classes and data.sensor and data.answer:
        return Facts(data.classes, data.sensor, data.answer)
    path = Path(data.path)
    stamp = digest_of(data.layout, [NamedFile(file, "") for file in files_below(path)], dict(data.options))
    keys = ("layout", "options", "encoder", "scale", "classes", "sensor", "answer")
    key = (stamp, repr([getattr(data, name) for name in keys]), repr(recipe.encoder))
    if key not in _KNOWN:
        _KNOWN[key] = facts_of_found(own_recordings(recipe), recipe)
    return _KNOWN[key]


def resolved(recipe: Recipe) -> Recipe:
    """Return the recipe with everything that a look at its recordings says, and their whole path; others as they are.

    Raises:
        SpikingGammaError: As `facts_of` does.
    """
    if not recipe.data.path:
        return recipe
    facts = facts_of(recipe)
    values: dict[str, object] = {
        "data.path": str(Path(recipe.data.path).resolve()),
        "data.classes": facts.classes,
        "data.sensor": facts.sensor,
        "data.answer": facts.answer,
    }
    return with_values(recipe, values)


def own_recordings(recipe: Recipe) -> list[Found]:
    """Return the recordings at the path of a recipe, as they were found.

    Raises:
        SpikingGammaError: They are not there, or damaged.
    """
    data = recipe.data
    return find_recordings(data.path, data.layout, data.options)[1]


def load_own(recipe: Recipe) -> Splits:
    """Return the recordings at the path of a recipe, in three parts.

    Raises:
        SpikingGammaError: They are not there, damaged, or do not go together; the split is unknown; a part is empty.
    """
    found = own_recordings(recipe)
    return splits_of_found(found, facts_of_found(found, recipe), recipe)


def splits_of_found(found: Sequence[Found], facts: Facts, recipe: Recipe) -> Splits:
    """Return recordings as they were found in three parts, with numbers for classes, signals encoded as events.

    Raises:
        SpikingGammaError: The split is unknown or leaves a part empty, or signals cannot be encoded.
    """
    data = recipe.data
    parts = divided(found, data.split, data.validation_fraction, seed=data.seed)
    if parts.train and parts.train[0].signal is not None:
        parts = Parts(*scaled(parts, data.scale))
    encoder = _encoder(found, recipe)
    return Splits(*([_recording(one, facts, encoder, data) for one in part] for part in parts))


def facts_of_found(found: Sequence[Found], recipe: Recipe) -> Facts:
    """Return what is known of recordings as they were found.

    Raises:
        SpikingGammaError: They do not go together, or differ from what the recipe says of them.
    """
    data = recipe.data
    answer = _answer(found)
    if data.answer and data.answer != answer:
        raise SpikingGammaError("data.answer", repr(data.answer), f"{answer!r}, as these recordings are labelled")
    classes = _classes(found, answer)
    if data.classes:
        unknown = [name for name in classes if name not in data.classes]
        wrong = unknown if "class" in answer else list(classes) if len(classes) != len(data.classes) else []
        if wrong:
            source = next((one.source for one in found if one.label == wrong[0]), str(data.path))
            got = f"{wrong[0]!r} of {source}"
            raise SpikingGammaError("data.classes", got, f"one of {', '.join(data.classes)}")
        classes = data.classes
    if len(classes) < 2 and answer == "class":
        got = f"{data.path} with the class {classes[0]!r} alone"
        remedy = "Put each class into a folder of its own, or name files {label}_..."
        raise SpikingGammaError("data.path", got, "recordings of two classes at least", remedy)
    return Facts(classes, _sensor(found, recipe), answer)


def _answer(found: Sequence[Found]) -> str:
    kinds: dict[str, Found] = {}
    for one in found:
        if one.answer is None:
            kind = "class"
            if not one.label:
                remedy = "Give every recording a class, or values that are asked for."
                raise SpikingGammaError(one.source, "a recording without a label", "a class", remedy)
        elif one.answer.dtype.kind in "iu":
            kind = "step_class"
        else:
            kind = "step_values" if one.answer.ndim == 2 else "values"
        kinds.setdefault(kind, one)
    if len(kinds) > 1:
        got = " and ".join(f"{kind} ({one.source})" for kind, one in kinds.items())
        raise SpikingGammaError("data.path", f"recordings labelled by {got}", "one kind of answer")
    return next(iter(kinds))


def _classes(found: Sequence[Found], answer: str) -> tuple[str, ...]:
    named = next((one.answer_names for one in found if one.answer_names), ())
    labels = {one.label for one in found} if answer == "class" else set()
    if named and labels <= set(named):
        return named
    if answer == "class":
        return tuple(sorted(labels, key=by_size))
    answers = [one.answer for one in found if one.answer is not None]
    count = 1 + max(int(one.max()) for one in answers) if answer == "step_class" else answers[0].shape[-1]
    return tuple(map(str, range(count)))


def _sensor(found: Sequence[Found], recipe: Recipe) -> tuple[int, ...]:
    signals = [one for one in found if one.signal is not None]
    if signals:
        widths = {one.signal.values.shape[1]: one.source for one in reversed(signals) if one.signal is not None}
        if len(widths) > 1:
            got = ", ".join(f"{count} in {source}" for count, source in widths.items())
            raise SpikingGammaError("data.path", f"other numbers of signals: {got}", "as many in each recording")
        encoder = _encoder(found, recipe)
        assert encoder is not None
        sensor: tuple[int, ...] = (next(iter(widths)) * encoder.channels_per_signal,)
    else:
        if recipe.data.encoder:
            got = f"{recipe.data.encoder!r} for {found[0].source}"
            raise SpikingGammaError("data.encoder", got, "'', as these are events already")
        sensors = {one.sensor: one.source for one in reversed(found)}
        if len(sensors) > 1:
            got = ", ".join(f"{list(sensor)} in {source}" for sensor, source in sensors.items())
            raise SpikingGammaError("data.path", f"other sensors: {got}", "recordings of one sensor")
        sensor = next(iter(sensors)) or (1 + max(_largest(one) for one in found),)
    given = recipe.data.sensor
    if not given:
        return sensor
    # Channels that never spike are not in a table; a sensor that is known must be the same.
    known = bool(signals) or bool(found[0].sensor)
    if (known and given != sensor) or int(np.prod(given)) < int(np.prod(sensor)):
        raise SpikingGammaError("data.sensor", list(given), f"{list(sensor)}, as {found[0].source} has")
    return given


def _largest(one: Found) -> int:
    return int(one.events.channels.max()) if one.events is not None and len(one.events.channels) else 0


def _encoder(found: Sequence[Found], recipe: Recipe) -> Encoder | None:
    if all(one.signal is None for one in found):
        return None
    if not recipe.data.encoder:
        remedy = "For example data.encoder = 'delta' and data.scale = 'standard'; `spikinggamma encoders` lists them."
        raise SpikingGammaError("data.encoder", "none for signals", "what turns them into events", remedy)
    return make_encoder(recipe.data.encoder, recipe.encoder)


def _recording(one: Found, facts: Facts, encoder: Encoder | None, data: Data) -> Recording:
    label = facts.classes.index(one.label) if facts.answer == "class" else -1
    more: dict[str, Any] = {"speaker": one.speaker, "shape": facts.shape}
    if facts.answer == "step_class":
        more |= {"step_labels": one.answer, "step_us": one.answer_us}
    elif facts.answer != "class":
        more |= {"values": one.answer, "step_us": one.answer_us}
    n_channels = int(np.prod(facts.sensor))
    if one.signal is not None:
        assert encoder is not None
        rng = np.random.default_rng(derive_seed(data.seed, "encode", one.source))
        plain = encoder.encode(one.signal, rng, source=one.source)
        times, channels, duration = plain.times_us, plain.channels, plain.duration_us
    else:
        assert one.events is not None
        times, channels, duration = one.events
    return Recording(times, channels, n_channels, int(duration), label, source=one.source, **more)
