"""Recordings as the library itself keeps them: one NPZ file with everything that a `Recording` knows, and its part.

| array | what |
| --- | --- |
| `times_us`, `channels` | all events of the first recording, then of the second, ... |
| `counts`, `durations_us`, `labels`, `speakers`, `sources`, `parts` | of each recording; labels are names of classes |
| `sensor` | (channels,) or (polarities, rows, columns) |
| `answer_names` | names of the classes, or of the values |
| `answers`, `answer_rows`, `answer_us` | classes or values by step, or values, where recordings have these |

Runs of recordings that were given in Python keep them so.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.datasets.spike_maps import DAMAGE, Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.files.atomic import write_atomically
from spikinggamma.layouts.base import LAYOUTS, Found, Layout
from spikinggamma.layouts.base import LayoutOptions as RecordingsOptions
from spikinggamma.layouts.naming import NamedFile
from spikinggamma.layouts.tables import column_names

__all__ = ["RecordingsFile", "write_recordings"]

_EACH = ("counts", "durations_us", "labels", "speakers", "sources", "parts")


@LAYOUTS.register("recordings", options=RecordingsOptions)
class RecordingsFile(Layout):
    """One NPZ file of recordings with their parts, as the library writes it for recordings from Python."""

    suffixes = (".npz",)
    cached = False

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        return {"times_us", "channels", "sensor", *_EACH} <= set(column_names(path))

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        for named in files:
            try:
                with np.load(named.path, allow_pickle=False) as content:
                    arrays = {name: content[name] for name in content.files}
                yield from _found(arrays)
            except DAMAGE as error:
                if isinstance(error, SpikingGammaError):
                    raise
                got = f"not readable ({error})"
                raise SpikingGammaError(str(named.path), got, "a whole file of recordings") from None


def write_recordings(path: Path, splits: Splits, classes: Sequence[str]) -> None:
    """Write recordings of one sensor and one kind of answer, atomically.

    Args:
        path: The file; its name ends in .npz.
        splits: The recordings in three parts.
        classes: Names of the classes, or of the values that are asked for.

    Raises:
        SpikingGammaError: There are none, or the file cannot be written.
    """
    pairs = [(part, one) for part, recordings in splits._asdict().items() for one in recordings]
    if not pairs:
        raise SpikingGammaError("splits", "no recordings", "at least one")
    first = pairs[0][1]
    arrays: dict[str, npt.NDArray[Any]] = {
        "times_us": np.concatenate([one.times_us for _, one in pairs]),
        "channels": np.concatenate([one.channels for _, one in pairs]),
        "counts": np.array([one.n_events for _, one in pairs], np.int64),
        "durations_us": np.array([one.duration_us for _, one in pairs], np.int64),
        "labels": np.array([classes[one.label] if one.label >= 0 else "" for _, one in pairs], np.str_),
        "speakers": np.array([one.speaker for _, one in pairs], np.str_),
        "sources": np.array([one.source or f"{part}[{index}]" for index, (part, one) in enumerate(pairs)], np.str_),
        "parts": np.array([part for part, _ in pairs], np.str_),
        "sensor": np.array(first.shape or (first.n_channels,), np.int64),
    }
    answers = [one.step_labels if one.step_labels is not None else one.values for _, one in pairs]
    arrays["answer_names"] = np.array(list(classes), np.str_)
    if answers[0] is not None:
        rows = [np.atleast_1d(answer) for answer in answers]
        whole = first.step_us == 0
        arrays["answers"] = np.concatenate([row[None] if whole else row for row in rows])
        arrays["answer_rows"] = np.array([1 if whole else len(row) for row in rows], np.int64)
        arrays["answer_us"] = np.array([one.step_us for _, one in pairs], np.int64)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    write_atomically(path, content.getvalue())


def _found(arrays: dict[str, npt.NDArray[Any]]) -> Iterator[Found]:
    counts, durations, labels, speakers, sources, parts = (arrays[name].tolist() for name in _EACH)
    if not len(arrays["times_us"]) == len(arrays["channels"]) == sum(counts) or min(counts, default=0) < 0:
        raise ValueError(f"{len(arrays['times_us'])} times, {sum(counts)} events promised")
    ends = np.cumsum(counts)[:-1]
    times, channels = np.split(arrays["times_us"], ends), np.split(arrays["channels"], ends)
    sensor = tuple(map(int, arrays["sensor"].tolist()))
    answers: list[Any] = [None] * len(counts)
    steps = [0] * len(counts)
    names = tuple(map(str, arrays["answer_names"].tolist()))
    if "answers" in arrays:
        steps = arrays["answer_us"].tolist()
        rows = np.split(arrays["answers"], np.cumsum(arrays["answer_rows"])[:-1])
        answers = [row if step else row[0] for row, step in zip(rows, steps, strict=True)]
    each = zip(sources, times, channels, durations, labels, speakers, parts, answers, steps, strict=True)
    for source, when, where, duration, label, speaker, part, answer, step in each:
        yield Found(
            source,
            Spikes(when, where, duration),
            label=label,
            speaker=speaker,
            part=part,
            sensor=sensor,
            answer=answer,
            answer_us=step,
            answer_names=names,
        )
