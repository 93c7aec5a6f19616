"""A recipe for recordings of one's own, with a time step, channels and time constants that fit them.

It is a start, not an optimum: steps so short that a recording has about two hundred, buckets from a hundredth to a tenth of a
recording, neighbouring channels summed where there are very many, and epochs for about a thousand updates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from spikinggamma.data.own import facts_of, own_recordings
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts import Found, recognised
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import dump_recipe, load_recipe, parse_recipe, recipe_names, with_values

__all__ = ["recipe_for", "suggested_recipe"]

_STEPS = 200
_STEPS_MS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
_MOST_CHANNELS = 200
_BUCKETS = 10
_LONGEST_MS = 200.0  # of a bucket: what is further back is remembered by the chain
_UPDATES = 1000
_LOSSES = {"class": "sum", "step_class": "each_step", "values": "values", "step_values": "each_step"}


def recipe_for(source: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Return a recipe by its name or file, or one that is made for the recordings at a path.

    Args:
        source: Name of a bundled recipe, path of a `.toml` file, or path of recordings.
        overrides: Texts of the form `section.key=value`.

    Raises:
        SpikingGammaError: There is no such recipe or path, or what `load_recipe` and `suggested_recipe` raise.
    """
    path = Path(source)
    if str(source) in recipe_names() or path.suffix.lower() == ".toml" or not path.exists():
        return load_recipe(source, overrides)
    return suggested_recipe(path, overrides)


def suggested_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Return a recipe for the recordings at a path.

    Args:
        path: A file or a folder.
        overrides: Texts of the form `section.key=value`; they come last, and those of `data` say how to read the recordings.

    Raises:
        SpikingGammaError: There are no recordings, or an override does not fit.
    """
    given = list(overrides)
    entry, _ = recognised(path)
    first = with_values(Recipe(), {"data.path": str(path), "data.layout": entry.name})
    own = [text for text in given if text.partition(".")[0].strip() in ("data", "encoder")]
    first = parse_recipe(dump_recipe(first), overrides=own)
    found = own_recordings(first)
    if not first.data.encoder and any(one.signal is not None for one in found):
        first = parse_recipe(dump_recipe(first), overrides=["data.encoder=delta", "data.scale=standard", *own])
        if not any(text.startswith("encoder.") for text in own):
            first = with_values(first, {"encoder.level": 0.25})
    return parse_recipe(dump_recipe(with_values(first, _values(found, first))), overrides=given)


def _values(found: Sequence[Found], recipe: Recipe) -> dict[str, object]:
    median_ms = float(np.median([_duration_us(one) / 1000.0 for one in found]))
    # Nothing happens between two samples of a signal.
    least = max(median_ms / _STEPS, _sampled_ms(found))
    step = next((step for step in _STEPS_MS if step >= least), _STEPS_MS[-1])
    facts = facts_of(recipe)
    n_channels = math.prod(facts.sensor)
    shortest = max(step, median_ms / 100.0)
    tau = np.geomspace(shortest, max(2.0 * shortest, min(median_ms / 10.0, _LONGEST_MS)), _BUCKETS)
    batch = min(32, max(4, len(found) // 20))
    values: dict[str, object] = {
        "name": _name(recipe.data.name),
        "data.dt_ms": step,
        "data.validation_fraction": 0.1 if len(found) >= 500 else 0.2,
        "net.hidden": (128, 128),
        "net.tau_ms": tuple(max(float(f"{one:.3g}"), step) for one in tau),
        "net.signal_per_threshold": 2.0,
        "learning.loss": _LOSSES[facts.answer],
        "learning.learning_rate": 5e-3,
        "training.epochs": int(np.clip(_UPDATES * batch // max(len(found), 1), 10, 100)),
        "training.batch_size": batch,
    }
    if len(facts.sensor) == 1 and n_channels > _MOST_CHANNELS:
        values["data.n_channels"] = max(count for count in range(1, _MOST_CHANNELS + 1) if n_channels % count == 0)
    return values


def _duration_us(one: Found) -> int:
    content = one.signal if one.signal is not None else one.events
    if content is None:
        raise SpikingGammaError(one.source, "neither events nor signals", "one of them")
    return int(content.duration_us)


def _sampled_ms(found: Sequence[Found]) -> float:
    steps = [
        float(np.median(np.diff(one.signal.times_us))) / 1000.0
        for one in found
        if one.signal is not None and len(one.signal.times_us) > 1
    ]
    return float(np.median(steps)) if steps else 0.0


def _name(text: str) -> str:
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in text)
    plain = plain.lstrip("._-")[:64]
    return plain or "recordings"
