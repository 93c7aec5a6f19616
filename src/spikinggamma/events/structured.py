"""Conversion of recordings from and to structured arrays, as used by Tonic and most readers of event files.

They have one row per event: `t` in whole microseconds, `x` the column or channel, `y` the row if there are rows, `p` the
polarity. A sensor's size is (W, H, P), width first, where a `Recording` has (P, H, W). Tonic need not be installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording, SensorShape

__all__ = ["from_structured", "from_tonic", "sensor_size", "to_structured"]

_FIELDS = "xytp"


def from_structured(
    array: npt.NDArray[Any],
    *,
    sensor_size: tuple[int, int, int],
    label: int,
    duration_us: int | None = None,
    speaker: str = "",
    source: str = "",
) -> Recording:
    """Convert a structured array of events to a recording.

    Args:
        array: One row per event, in ascending order of `t`. `y` may be left out where H is 1, and `p` where P is 1.
        sensor_size: (W, H, P). With `y` or more than one polarity, the sensor is a camera; otherwise x is the channel.
        label: Class, at least 0.
        duration_us: Length of the recording; up to and including the last event if not given.
        speaker: Speaker or subject.
        source: Origin of the recording; it is named in errors.

    Shapes:
        array [E].

    Raises:
        SpikingGammaError: A field is missing or unknown, times are not sorted integers, or an event lies outside the sensor.

    Example:
        >>> events = np.array([(3, 1, 250, True)], dtype=[("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "?")])
        >>> from_structured(events, sensor_size=(8, 4, 2), label=0).channels
        array([43], dtype=int32)
    """
    width, height, kinds = _checked_size(sensor_size)
    fields = _checked_fields(array, height, kinds, source)
    x = _column(array, "x", width, source)
    y = _column(array, "y", height, source) if "y" in fields else np.zeros_like(x)
    # Where all events have one polarity, data sets may write 0 or 1.
    p = _column(array, "p", max(kinds, 2), source) if "p" in fields else np.zeros_like(x)
    times_us = _column(array, "t", None, source)
    backwards = times_us[1:] < times_us[:-1]
    if backwards.any():
        place = int(backwards.argmax()) + 1
        got = f"{times_us[place]} after {times_us[place - 1]} at event {place}"
        remedy = "Sort the events: `array[np.argsort(array['t'], kind='stable')]`."
        raise SpikingGammaError(_name("field t", source), got, "ascending times", remedy)
    if duration_us is None:
        if not len(times_us):
            raise SpikingGammaError(_name("array", source), "no event", "one at least, or `duration_us`")
        duration_us = int(times_us[-1]) + 1
    camera = "y" in fields or kinds > 1
    shape: SensorShape = (kinds, height, width) if camera else ()
    channels = ((p * height + y) * width + x) if kinds > 1 else y * width + x
    return Recording(times_us, channels, width * height * kinds, duration_us, label, speaker, source, shape)


def to_structured(recording: Recording, order: str = "") -> npt.NDArray[Any]:
    """Convert a recording's events to a structured array with Tonic's types: x and y int16, t int64, p bool.

    Args:
        recording: The recording; its label, length and labels by step are not converted.
        order: The fields, one letter each: x, t, y for a camera, and p, which may be left out if there is one polarity.
            By default `xytp` for a camera and `txp` for a list of channels.

    Returns:
        An array [E]. `p` is always true if there is one polarity. Large sensors have wider types: int32, and int16 for p.

    Raises:
        SpikingGammaError: The order lacks a field, or names an unknown one or one twice.

    Example:
        >>> to_structured(Recording(np.array([5]), np.array([2]), n_channels=3, duration_us=9, label=0)).tolist()
        [(5, 2, True)]
    """
    width, height, kinds = sensor_size(recording)
    known = "xytp" if recording.shape else "txp"
    needed = set(known) - ({"p"} if kinds == 1 else set())
    order = order or known
    if len(set(order)) != len(order) or not needed <= set(order) <= set(known):
        expected = f"each of {', '.join(sorted(needed))} once" + ("" if "p" in needed else ", and p or not")
        raise SpikingGammaError("order", repr(order), expected)
    if recording.shape:
        p, y, x = recording.pixels
    else:
        x = recording.channels
        p = y = np.zeros_like(x)
    columns = {"x": x, "y": y, "t": recording.times_us, "p": p if kinds > 1 else np.ones_like(p)}
    whole: type[np.generic] = np.int16 if max(width, height) <= 2**15 else np.int32
    sign: type[np.generic] = np.bool_ if kinds <= 2 else np.int16
    types: dict[str, type[np.generic]] = {"x": whole, "y": whole, "t": np.int64, "p": sign}
    array = np.empty(recording.n_events, dtype=[(name, types[name]) for name in order])
    for name in order:
        array[name] = columns[name]
    return array


def sensor_size(recording: Recording) -> tuple[int, int, int]:
    """Return a recording's sensor size (W, H, P) as in Tonic: (channels, 1, 1) where channels are a list.

    Example:
        >>> sensor_size(Recording(np.array([5]), np.array([2]), n_channels=700, duration_us=9, label=0))
        (700, 1, 1)
    """
    if not recording.shape:
        return recording.n_channels, 1, 1
    kinds, height, width = recording.shape
    return width, height, kinds


def from_tonic(dataset: Any) -> list[Recording]:
    """Convert all recordings of a Tonic data set, or of an object with the same interface.

    Args:
        dataset: An object with `sensor_size` (W, H, P) and a length, whose items are pairs of events (as `from_structured`
            takes them) and class. It must not transform events into frames or tensors.

    Raises:
        SpikingGammaError: There is no sensor size, an item is not such a pair, or `from_structured` refuses an item.

    Example:
        >>> from_tonic(tonic.datasets.SHD("data", train=False))[0].n_channels  # doctest: +SKIP
        700
    """
    name = type(dataset).__name__
    size = getattr(dataset, "sensor_size", None)
    if size is None:
        raise SpikingGammaError(f"sensor_size of {name}", size, "(W, H, P), the same for all recordings")
    found = []
    for index in range(len(dataset)):
        source, item = f"{name} {index}", dataset[index]
        if not isinstance(item, tuple) or len(item) != 2:
            raise SpikingGammaError(source, type(item).__name__, "a pair of events and class")
        events, target = item
        if not isinstance(events, np.ndarray):
            remedy = "Leave out transforms that make frames or tensors of events."
            raise SpikingGammaError(source, f"events as {type(events).__name__}", "a structured array", remedy)
        found.append(from_structured(events, sensor_size=size, label=_label(target, source), source=source))
    return found


def _label(target: Any, source: str) -> int:
    whole = np.asarray(target)
    if whole.ndim or whole.dtype.kind not in "iu":
        remedy = "Give the data set a `target_transform` that makes one of it."
        raise SpikingGammaError(f"class of {source}", repr(target), "an integer", remedy)
    return int(whole)


def _checked_size(size: Any) -> tuple[int, int, int]:
    values = np.asarray(size)
    if values.shape != (3,) or values.dtype.kind not in "iu" or values.min() < 1:
        raise SpikingGammaError("sensor_size", size, "(width, height, polarities), each at least 1")
    width, height, kinds = map(int, values)
    return width, height, kinds


def _checked_fields(array: npt.NDArray[Any], height: int, kinds: int, source: str) -> set[str]:
    if array.dtype.names is None or array.ndim != 1:
        got = f"dtype {array.dtype}, shape {array.shape}"
        raise SpikingGammaError(_name("array", source), got, "a structured array of shape [E] with fields x, y, t, p")
    fields = set(array.dtype.names)
    needed = {"x", "t"} | ({"y"} if height > 1 else set()) | ({"p"} if kinds > 1 else set())
    got = "fields " + ", ".join(array.dtype.names)
    if missing := sorted(needed - fields):
        raise SpikingGammaError(_name("array", source), got, f"{', '.join(missing)} beside them")
    if odd := sorted(fields - set(_FIELDS)):
        remedy = "Leave out the others: `array[['x', 'y', 't', 'p']]`."
        raise SpikingGammaError(
            _name("array", source), f"{got}, of which {', '.join(odd)} unknown", "x, y, t, p", remedy
        )
    return fields


def _column(array: npt.NDArray[Any], field: str, end: int | None, source: str) -> npt.NDArray[np.int64]:
    values = array[field]
    if values.dtype.kind not in ("biu" if field == "p" else "iu") or values.ndim != 1:
        unit = " of microseconds" if field == "t" else ""
        expected = f"integers{unit}, one an event"
        raise SpikingGammaError(_name(f"field {field}", source), f"dtype {array.dtype[field]}", expected)
    # Compared before conversion, as an unsigned number of 64 bits may not fit.
    last = 2**63 - 2 if end is None else end - 1
    outside = (values < 0) | (values > last) if values.dtype.kind != "b" else values > last
    if outside.any():
        place = int(outside.argmax())
        remedy = "Write 0 for -1." if field == "p" else ""
        raise SpikingGammaError(
            _name(f"field {field}", source), f"{values[place]} at event {place}", f"from 0 to {last}", remedy
        )
    return values.astype(np.int64)


def _name(argument: str, source: str) -> str:
    return f"{argument} of {source}" if source else argument
