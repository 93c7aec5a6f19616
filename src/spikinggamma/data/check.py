"""What is in recordings of one's own, and what looks wrong with them: `spikinggamma data check`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikinggamma.data.own import facts_of, own_recordings
from spikinggamma.data.own_splits import divided
from spikinggamma.data.suggested import suggested_recipe
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.layouts import LAYOUTS, Found
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import dump_recipe

__all__ = ["Checked", "checked", "impossible_times", "write_suggested"]

_LONG_US = 60_000_000
_SILENT_SHARE = 0.5
_BUSY_HZ = 20_000.0
_UNEVEN = 10.0
_SHOWN = 12


class Checked(NamedTuple):
    """What was found.

    Attributes:
        facts: Pairs of a heading and a text.
        warnings: Sentences on what looks wrong.
        recipe: A recipe for these recordings.
    """

    facts: list[tuple[str, str]]
    warnings: list[str]
    recipe: Recipe

    @property
    def text(self) -> str:
        """Return all of it as lines."""
        width = max(len(name) for name, _ in self.facts)
        lines = [f"{name:<{width}}  {text}" for name, text in self.facts]
        lines += [f"warning: {text}" for text in self.warnings] or ["nothing looks wrong"]
        return "\n".join(lines)


def checked(path: str | Path, settings: Iterable[str] = ()) -> Checked:
    """Look at the recordings at a path.

    Args:
        path: A file or a folder.
        settings: Texts of the form `section.key=value`, such as data.layout=event_table.

    Raises:
        SpikingGammaError: There are none, or they are damaged or do not go together.
    """
    recipe = suggested_recipe(path, settings)
    found = own_recordings(recipe)
    facts, warnings = _facts(found, recipe), list(_warnings(found))
    try:
        parts = divided(found, recipe.data.split, recipe.data.validation_fraction, seed=recipe.data.seed)
        sizes = ", ".join(f"{len(part)} {name}" for name, part in parts._asdict().items())
        facts.append(("split", f"{recipe.data.split}: {sizes}"))
    except SpikingGammaError as error:
        warnings.append(str(error))
    net = recipe.net
    step = f"steps of {recipe.data.dt_ms:g} ms, {len(net.tau_ms)} buckets of {net.tau_ms[0]:g} to {net.tau_ms[-1]:g} ms"
    facts.append(("suggested", f"{step}, {recipe.training.epochs} epochs"))
    return Checked(facts, warnings, recipe)


def write_suggested(found: Checked, out: str | Path, *, force: bool = False) -> Path:
    """Write the suggested recipe.

    Raises:
        SpikingGammaError: The file exists, its name does not end in .toml, or it cannot be written.
    """
    path = Path(out)
    if path.suffix != ".toml" or not path.parent.is_dir():
        raise SpikingGammaError("--recipe", str(path), "a name that ends in .toml, in a folder that exists")
    if path.exists() and not force:
        raise SpikingGammaError("--recipe", f"{path}, which exists", "a free name", "Add --force to replace it.")
    write_atomically(path, dump_recipe(found.recipe).encode())
    return path


def impossible_times(found: Sequence[Found]) -> Iterator[str]:
    """Yield a sentence for times whose unit or offset cannot be right."""
    events = [one for one in found if one.events is not None and len(one.events.times_us) > 1]
    if not events:
        return
    durations = np.array([_duration_us(one) for one in events])
    firsts = np.array([int(one.events.times_us[0]) for one in events if one.events is not None])
    counts = np.array([_count(one) for one in events])
    late = firsts > _SILENT_SHARE * durations
    if late.mean() > 0.5 and np.median(firsts) > 1e6:
        yield (
            f"recordings begin with {np.median(firsts) / 1e6:.4g} s of silence, as of a clock that runs on: set "
            "data.options.start_at_first = true, or subtract the start (`start_us`)"
        )
    elif np.median(durations) > _LONG_US and np.median(counts / (durations / 1e6)) < 1000.0 * 0.01:
        yield (
            f"the median recording lasts {np.median(durations) / 1e6:.4g} s and has "
            f"{np.median(counts / (durations / 1e6)):.3g} events a second: are its times in milliseconds? "
            "Then set data.options.seconds = 1e-3 or data.options.time_unit"
        )
    if np.median(durations) < 1000 and np.median(counts) > 10:
        yield (
            f"the median recording lasts {np.median(durations):.0f} us: are its times in milliseconds or seconds, taken as "
            "microseconds?"
        )


def _facts(found: Sequence[Found], recipe: Recipe) -> list[tuple[str, str]]:
    known = facts_of(recipe)
    entry = LAYOUTS[recipe.data.layout]
    durations = np.array([_duration_us(one) for one in found]) / 1000.0
    lines = [
        ("layout", f"{entry.name}: {entry.summary}"),
        (
            "recordings",
            f"{len(found)}, of {durations.min():.6g} to {durations.max():.6g} ms, median {np.median(durations):.6g}",
        ),
    ]
    if known.answer == "class":
        sizes = Counter(one.label for one in found)
        shown = ", ".join(f"{name} {sizes[name]}" for name in known.classes[:_SHOWN])
        lines.append(("classes", f"{len(known.classes)}: {shown}{' ...' if len(known.classes) > _SHOWN else ''}"))
    else:
        what = {"step_class": "classes by step", "values": "values", "step_values": "values by step"}[known.answer]
        lines.append(("answer", f"{len(known.classes)} {what}: {', '.join(known.classes[:_SHOWN])}"))
        lines += _missing(found)
    speakers = sorted({one.speaker for one in found} - {""})
    if speakers:
        lines.append(("speakers", f"{len(speakers)}: {', '.join(speakers[:_SHOWN])}"))
    columns = sorted({name for one in found for name in one.columns})
    if columns:
        lines.append(("columns", ", ".join(columns)))
    return lines + _contents(found, known.sensor, recipe)


def _missing(found: Sequence[Found]) -> list[tuple[str, str]]:
    gaps = sum(
        int(np.isnan(one.answer).sum()) for one in found if one.answer is not None and one.answer.dtype.kind == "f"
    )
    return [("missing", f"{gaps} values, which are ignored")] if gaps else []


def _contents(found: Sequence[Found], sensor: tuple[int, ...], recipe: Recipe) -> list[tuple[str, str]]:
    said = " x ".join(map(str, sensor)) + (" (polarities, rows, columns)" if len(sensor) == 3 else " channels")
    signals = [one.signal for one in found if one.signal is not None]
    if signals:
        values = np.concatenate([signal.values for signal in signals])
        steps = np.concatenate(
            [np.diff(signal.times_us) for signal in signals if len(signal.times_us) > 1] or [np.zeros(1)]
        )
        rate = f"a sample each {np.median(steps) / 1000.0:.6g} ms" if steps.any() else "one sample each"
        spread = (
            f"from {values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}, deviation {values.std():.4g}"
        )
        return [
            ("signals", f"{values.shape[1]}, {rate}, {spread}"),
            ("encoded", f"{said}, by {recipe.data.encoder} of signals scaled by {recipe.data.scale}"),
        ]
    counts = np.array([_count(one) for one in found])
    rates = counts / (np.array([_duration_us(one) for one in found]) / 1e6)
    used = np.unique(np.concatenate([np.unique(one.events.channels) for one in found if one.events is not None]))
    return [
        ("sensor", f"{said}, of which {len(used)} ever spike"),
        ("events", f"{counts.sum()}; {counts.min()} to {counts.max()} a recording, median {np.median(counts):.0f}"),
        ("rate", f"{rates.min():.4g} to {rates.max():.4g} events a second, median {np.median(rates):.4g}"),
    ]


def _warnings(found: Sequence[Found]) -> Iterator[str]:
    yield from impossible_times(found)
    empty = [one.source for one in found if one.events is not None and not _count(one)]
    if empty:
        yield f"{len(empty)} recordings have no event: {', '.join(empty[:3])}{' ...' if len(empty) > 3 else ''}"
    same = _duplicates(found)
    if same:
        pairs = ", ".join(f"{first} = {second}" for first, second in same[:3])
        yield f"{len(same)} recordings are copies of others, which may then be in two parts: {pairs}"
    sizes = Counter(one.label for one in found if one.label)
    if sizes and max(sizes.values()) > _UNEVEN * min(sizes.values()):
        (most, many), (least, few) = sizes.most_common()[0], sizes.most_common()[-1]
        yield f"classes are uneven: {many} recordings of {most}, {few} of {least}; accuracy says little of the rare ones"
    gaps = [one.source for one in found if _longest_gap(one) > _SILENT_SHARE and _count(one) > 20]
    if gaps:
        yield f"{len(gaps)} recordings are silent for more than half of their time: {', '.join(gaps[:3])}"
    busy = [one for one in found if one.events is not None and _count(one) and _busiest_hz(one) > _BUSY_HZ]
    if busy:
        yield f"a channel of {busy[0].source} spikes {_busiest_hz(busy[0]):.3g} times a second: is the unit of time right?"


def _duplicates(found: Sequence[Found]) -> list[tuple[str, str]]:
    seen: dict[bytes, str] = {}
    same = []
    for one in found:
        parts = one.events[:2] if one.events is not None else (one.signal.values,) if one.signal is not None else ()
        if not parts or not len(parts[0]):
            continue
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).digest()
        if digest in seen:
            same.append((seen[digest], one.source))
        else:
            seen[digest] = one.source
    return same


def _longest_gap(one: Found) -> float:
    if one.events is None or not len(one.events.times_us):
        return 0.0
    times = np.concatenate([[0], one.events.times_us, [one.events.duration_us]])
    return float(np.diff(times).max()) / one.events.duration_us


def _busiest_hz(one: Found) -> float:
    assert one.events is not None
    return float(np.bincount(one.events.channels).max()) / max(one.events.duration_us / 1e6, 1e-3)


def _count(one: Found) -> int:
    return 0 if one.events is None else len(one.events.times_us)


def _duration_us(one: Found) -> int:
    content = one.events if one.events is not None else one.signal
    return 1 if content is None else int(content.duration_us)
