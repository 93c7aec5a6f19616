"""Pictures and statistics of a data set or of one recording."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from spikinggamma.data import DataInfo, known_name
from spikinggamma.data.catalogue import open_data
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.files.atomic import write_atomically
from spikinggamma.report.figures.camera import draw_sums, draw_view
from spikinggamma.report.figures.events import draw_examples, draw_recording, named
from spikinggamma.report.figures.statistics import by_class, draw_statistics
from spikinggamma.report.theme import INK, STYLE

__all__ = ["describe_recording", "describe_set", "show"]

_DPI = 115
_WIDTH = 12.8  # inches
_UNLABELLED = 6  # number of examples where recordings have no single class
_MARGINS: dict[Any, Any] = {"figure.constrained_layout.w_pad": 0.06, "figure.constrained_layout.h_pad": 0.06}


def show(
    name: str,
    index: int | None = None,
    *,
    part: str = "train",
    out: str | Path | None = None,
    settings: Iterable[str] = (),
) -> tuple[Path, str]:
    """Draw a part of a data set, or one recording of it, and return its statistics.

    Args:
        name: A data set or task.
        index: Index of a recording in the part, from 0; the whole part if not given.
        part: train, validation or test.
        out: Path of the picture, by default named after the data. It is written atomically.
        settings: Texts KEY=VALUE, as in `spikinggamma.data.open_data`.

    Returns:
        The path of the picture, and a line of statistics.

    Raises:
        SpikingGammaError: The data set, an option or the recording is unknown, or the picture cannot be written.

    Example:
        >>> show("localisation", 3, out="three.png")[0]  # doctest: +SKIP
        PosixPath('three.png')
    """
    stem = Path(name).resolve().stem if Path(name).exists() else name
    path = Path(out or (f"{stem}-{part}.png" if index is None else f"{stem}-{part}-{index}.png"))
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise SpikingGammaError("--out", str(path), "a name that ends in .png, in a folder that exists")
    known_name("--part", part, ("train", "validation", "test"))
    opened = open_data(name, settings)
    recordings: list[Recording] = getattr(opened.splits, part)
    if index is None:
        text = describe_set(recordings, opened.info)
        title, height = f"{name}, {part} part", sum(_heights(recordings))
        _picture(path, title, height, lambda figure: _draw_set(figure, recordings, opened.info))
        return path, f"{name} {part}: {text}"
    if not 0 <= index < len(recordings):
        raise SpikingGammaError("INDEX", index, f"0 to {len(recordings) - 1}, a place in the {part} part of {name}")
    recording, info = recordings[index], opened.info
    title = f"{name} {part} {index}"
    if recording.label >= 0:
        title += f": “{named(info.class_names, recording.label)}”"
    if recording.speaker:
        title += f", {recording.speaker}"

    def draw(figure: Figure) -> None:
        if recording.shape:
            draw_view(figure, recording)
        else:
            draw_recording(figure, recording, info.class_names)

    height = 1.6 + 1.9 * recording.shape[0] if recording.shape else 5.6
    _picture(path, title, height, draw)
    return path, f"{name} {part} {index}: {describe_recording(recording, info)}"


def describe_set(recordings: Sequence[Recording], info: DataInfo) -> str:
    """Return the statistics of a part of a data set in one line.

    Raises:
        SpikingGammaError: The part is empty.
    """
    if not recordings:
        raise SpikingGammaError("--part", "a part without recordings", "one that has some")
    counts = [recording.n_events for recording in recordings]
    durations = [recording.duration_us / 1000.0 for recording in recordings]
    classes = info.n_classes if recordings[0].label < 0 else len(by_class(recordings))
    what = "values" if recordings[0].values is not None else "classes"
    speakers = len({recording.speaker for recording in recordings} - {""})
    return "; ".join(
        [
            info.title,
            f"{len(recordings)} recordings of {classes} {what}" + (f" by {speakers} speakers" if speakers else ""),
            f"{sum(counts)} spikes on {_sensor(recordings[0])}",
            f"{min(counts)} to {max(counts)} spikes a recording, median {np.median(counts):.0f}",
            f"{min(durations):.0f} to {max(durations):.0f} ms",
        ]
    )


def describe_recording(recording: Recording, info: DataInfo) -> str:
    """Return the statistics of one recording in one line."""
    spikes = recording.n_events
    said = [
        info.title,
        f"{spikes} spikes in {recording.duration_us / 1000.0:.0f} ms on {_sensor(recording)}",
        f"{np.unique(recording.channels).size} channels spike",
    ]
    if recording.label >= 0:
        name = named(info.class_names, recording.label)
        said.append(f"label {recording.label}" + (f", {name}" if name != str(recording.label) else ""))
    if recording.step_labels is not None:
        present = sorted(set(recording.step_labels.tolist()) - {-1})
        said.append(
            f"labels by step of {recording.step_us / 1000.0:g} ms: {', '.join(info.class_names[k] for k in present)}"
        )
    said += [f"speaker {recording.speaker}"] * bool(recording.speaker)
    said += [f"from {recording.source}"] * bool(recording.source)
    return "; ".join(said)


def _sensor(recording: Recording) -> str:
    if not recording.shape:
        return f"{recording.n_channels} channels"
    polarities, height, width = recording.shape
    return f"{width} x {height} pixels, {polarities} polarities"


def _draw_set(figure: Figure, recordings: Sequence[Recording], info: DataInfo) -> None:
    groups = by_class(recordings)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=_heights(recordings), hspace=0.03)[:, 0]
    titles = [named(info.class_names, label) for label in groups]
    if recordings[0].shape:
        above.suptitle(
            f"Events of each class summed up, mean recording ({recordings[0].shape[2]} x {recordings[0].shape[1]} pixels)",
            **_HEADING,
        )
        draw_sums(above, list(groups.values()), titles)
    elif recordings[0].label < 0:
        said = "" if recordings[0].step_labels is None else ", with the label of every step below"
        above.suptitle(f"The first recordings{said}", **_HEADING)
        examples = recordings[:_UNLABELLED]
        draw_examples(above, examples, [one.source for one in examples], info.class_names)
    else:
        above.suptitle("One recording of each class: the one with the median number of spikes", **_HEADING)
        draw_examples(above, [_typical(group) for group in groups.values()], titles, info.class_names)
    below.suptitle(f"All {len(recordings)} recordings", **_HEADING)
    draw_statistics(below, recordings, info.class_names)


_HEADING: dict[str, Any] = {"x": 0.01, "ha": "left", "color": INK, "fontsize": 11.0, "fontweight": "bold"}


def _typical(group: Sequence[Recording]) -> Recording:
    return sorted(group, key=lambda recording: recording.n_events)[len(group) // 2]


def _heights(recordings: Sequence[Recording]) -> tuple[float, float]:
    """Return the heights of the examples of a set and of its statistics, in inches."""
    classes = len(by_class(recordings))
    rows = -(-classes // 5) if classes <= 20 else -(-classes // 7)
    above = 0.5 + 1.6 * rows
    if recordings[0].shape:
        above = 0.6 + 1.2 * recordings[0].shape[0] * -(-classes // 12)
    elif recordings[0].label < 0:
        above = 4.2
    return above, 4.6 if classes <= 12 else 6.2


def _picture(path: Path, title: str, height: float, draw: Callable[[Figure], None]) -> None:
    with matplotlib.rc_context({**STYLE, "savefig.facecolor": "white", **_MARGINS}):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=12.5, fontweight="bold")
        draw(figure)
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    write_atomically(path, content.getvalue())
