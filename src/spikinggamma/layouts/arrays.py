"""NPZ files of whole arrays: `x` with a row for each recording, and `y` with its answer.

| array | what |
| --- | --- |
| `x` [N, C], or [N, T, C] | values for an encoder, one sample or T of them; or, of whole numbers, counts of spikes |
| `lengths` [N] | samples of each recording, where they differ; what is behind is padding |
| `y` [N] | classes (whole numbers or words), or values |
| `y` [N, K] | K values of each recording; of whole numbers with x [N, T, C] and K = T, a class for each sample (-1: none) |
| `y` [N, T, K] | K values for each sample, NaN where unknown |
| `speaker` or `subject`, `part`, `recording` [N], others | what is said of each recording |
| `class_names` [C] | names of the classes 0, 1, ... |

Or `x_train`, `y_train`, `x_test`, `y_test` (and `_validation`), each pair a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.datasets.spike_maps import DAMAGE, Spikes
from spikinggamma.encoders import SampledSignal
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS, Found, Layout, LayoutOptions
from spikinggamma.layouts.naming import NamedFile, part_of
from spikinggamma.layouts.tables import column_names

__all__ = ["ArrayOptions", "Arrays", "recordings_of_arrays"]

_KNOWN = ("x", "y", "lengths", "class_names")
_MOST_COUNTS = 10_000  # spikes of a channel in a sample, beyond which whole numbers are no counts


class ArrayOptions(LayoutOptions):
    """Options of arrays."""

    sample_ms: float = Field(
        default=1.0, gt=0.0, le=1e7, description="how long each sample lasts [ms]; of x [N, C], the whole recording"
    )
    counts: bool = Field(default=True, description="whole numbers in x are counts of spikes, not samples of a signal")


@LAYOUTS.register("arrays", options=ArrayOptions)
class Arrays(Layout):
    """NPZ with arrays x and y: vectors or series for an encoder, or counts of spikes."""

    suffixes = (".npz",)
    cached = False
    options: ArrayOptions

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        names = column_names(path)
        return any(axes >= 2 and name.partition("_")[0] == "x" for name, axes in names.items())

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        for named in files:
            content = _arrays(named.path)
            parts = sorted({part for name in content for part in [name.partition("_")[2]] if part_of(part)})
            if "x" in content:
                yield from recordings_of_arrays(content, self.options, named, named.part)
                continue
            for part in parts:
                own = {name.removesuffix(f"_{part}"): array for name, array in content.items() if name.endswith(part)}
                shared = {name: content[name] for name in ("class_names",) if name in content}
                yield from recordings_of_arrays({**shared, **own}, self.options, named, part_of(part))


def recordings_of_arrays(
    arrays: Mapping[str, npt.NDArray[Any]], options: ArrayOptions, named: NamedFile, part: str = ""
) -> Iterator[Found]:
    """Yield a recording for each row of `x`.

    Args:
        arrays: `x` and whatever else the layout knows.
        options: How long a sample lasts, and whether whole numbers are counts.
        named: The file, for errors and sources.
        part: The part that all of them are of, where it is known.

    Raises:
        SpikingGammaError: An array has another number of recordings than `x`, or a kind that is not known.
    """
    where = str(named.path)
    if "x" not in arrays:
        raise SpikingGammaError(where, f"arrays {', '.join(arrays)}", "an array `x` for each part")
    x = arrays["x"]
    if x.ndim not in (2, 3) or x.dtype.kind not in "biuf" or 0 in x.shape:
        raise SpikingGammaError(f"x of {where}", f"{x.dtype} {list(x.shape)}", "numbers [N, C] or [N, T, C]")
    count, steps = len(x), 1 if x.ndim == 2 else x.shape[1]
    for name, array in arrays.items():
        if name != "class_names" and len(np.atleast_1d(array)) != count:
            raise SpikingGammaError(f"{name} of {where}", f"{len(np.atleast_1d(array))} rows", f"{count}, as x has")
    lengths = arrays.get("lengths", np.full(count, steps))
    if lengths.dtype.kind not in "iu" or lengths.min() < 1 or lengths.max() > steps:
        got = f"{lengths.dtype} from {lengths.min()} to {lengths.max()}"
        raise SpikingGammaError(f"lengths of {where}", got, f"whole numbers from 1 to {steps}")
    step_us = round(options.sample_ms * 1000.0)
    if step_us < 1:
        raise SpikingGammaError("data.options.sample_ms", options.sample_ms, "at least 0.001 ms")
    said = {name: array for name, array in arrays.items() if name not in _KNOWN and array.ndim == 1}
    answers = _Answers(arrays, steps, step_us, where)
    spikes = options.counts and x.dtype.kind in "biu"
    for index, length in enumerate(lengths.tolist()):
        values = x[index].reshape(steps, -1)[:length]
        columns = {name: str(array[index]) for name, array in said.items()}
        own = part or part_of(columns.pop("part", ""))
        source = columns.pop("recording", f"{named.source}[{part}{index}]")
        speaker = columns.pop("subject", columns.pop("speaker", ""))
        place = f"x of {source}"
        content: dict[str, Any] = (
            {"events": _events(values, step_us, place), "sensor": (values.shape[1],)}
            if spikes
            else {"signal": SampledSignal.regular(values.astype(np.float64), step_us)}
        )
        yield Found(source, speaker=speaker, part=own, columns=columns, **content, **answers.of(index, length))


class _Answers:
    """What each recording is labelled with."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], steps: int, step_us: int, where: str) -> None:
        if "y" not in arrays:
            raise SpikingGammaError(
                where, f"arrays {', '.join(arrays)}", "an array `y` with an answer for each recording"
            )
        self.y, self.step_us = arrays["y"], step_us
        self.names = tuple(map(str, arrays["class_names"].tolist())) if "class_names" in arrays else ()
        kind, axes = self.y.dtype.kind, self.y.ndim
        self.by_step = axes == 3 or (axes == 2 and kind in "iu" and self.y.shape[1] == steps > 1)
        if kind not in "biufUS" or axes not in (1, 2, 3) or (kind in "US" and axes > 1):
            expected = "classes [N] or [N, T], or values [N], [N, K] or [N, T, K]"
            raise SpikingGammaError(f"y of {where}", f"{self.y.dtype} {list(self.y.shape)}", expected)
        if self.names and kind in "iu" and axes == 1 and not 0 <= self.y.min() <= self.y.max() < len(self.names):
            got = f"{self.y.min()} to {self.y.max()}"
            raise SpikingGammaError(f"y of {where}", got, f"0 to {len(self.names) - 1}, as class_names has so many")

    def of(self, index: int, length: int) -> dict[str, Any]:
        """Return the answer of a recording, as keywords of a `Found`."""
        one = self.y[index]
        if self.y.ndim == 1 and self.y.dtype.kind != "f":
            whole = self.y.dtype.kind in "biu"
            label = self.names[int(one)] if self.names and whole else str(int(one) if whole else one)
            return {"label": label, "answer_names": self.names}
        if self.by_step and self.y.ndim == 2:
            return {"answer": one[:length].astype(np.int64), "answer_us": self.step_us, "answer_names": self.names}
        values = np.atleast_1d(one).astype(np.float64)
        if self.by_step:
            return {"answer": values[:length], "answer_us": self.step_us, "answer_names": self.names}
        return {"answer": values, "answer_us": 0, "answer_names": self.names}


def _events(counts: npt.NDArray[Any], step_us: int, where: str) -> Spikes:
    if counts.min() < 0 or counts.max() > _MOST_COUNTS:
        got = f"whole numbers from {counts.min()} to {counts.max()}"
        remedy = "If x holds samples of a signal, set data.options.counts = false and an encoder."
        raise SpikingGammaError(where, got, f"counts of spikes, 0 to {_MOST_COUNTS}", remedy)
    steps, channels = np.nonzero(counts)
    many = counts[steps, channels].astype(np.int64)
    # The middle of a step, so that any time step near it keeps what is in it.
    times = np.repeat(steps * step_us + step_us // 2, many)
    return Spikes(times.astype(np.int64), np.repeat(channels, many).astype(np.int32), len(counts) * step_us)


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as content:
            return {name.lower(): content[name] for name in content.files}
    except DAMAGE as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole NPZ file, without pickles") from None
