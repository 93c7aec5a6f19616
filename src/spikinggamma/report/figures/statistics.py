"""Figures of statistics of a set of recordings: spikes by recording, channel, time and class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from spikinggamma.events import Recording
from spikinggamma.report.figures.events import label_colour, named, rate
from spikinggamma.report.theme import INK, MUTED, SERIES, legend, tidy

__all__ = ["by_class", "draw_statistics", "time_by_class"]

_BAR = 0.72


def draw_statistics(figure: FigureBase, recordings: Sequence[Recording], class_names: Sequence[str]) -> None:
    """Draw six panels: spikes, durations and channels above, rates over time and classes below."""
    axes = figure.subplots(2, 3)
    counts = np.array([recording.n_events for recording in recordings])
    draw_histogram(axes[0, 0], counts, "spikes of a recording")
    draw_histogram(
        axes[0, 1],
        np.array([recording.duration_us for recording in recordings]) / 1000.0,
        "duration of a recording [ms]",
    )
    if recordings[0].shape:
        draw_rows_and_columns(axes[0, 2], recordings)
    else:
        draw_channels(axes[0, 2], recordings)
    times, values = rate(recordings)
    axes[1, 0].plot(times, values, color=SERIES[0])
    # Later the mean would be over a few recordings only.
    axes[1, 0].set_xlim(0.0, np.quantile([recording.duration_us for recording in recordings], 0.98) / 1000.0)
    axes[1, 0].set_ylim(bottom=0.0)
    tidy(axes[1, 0], x="time [ms]", y="spikes per ms,\nmean")
    if recordings[0].values is not None:
        draw_value_histogram(axes[1, 1], recordings)
        axes[1, 2].set_axis_off()
    elif recordings[0].step_labels is None:
        groups = by_class(recordings)
        titles = [named(class_names, label) for label in groups]
        _draw_bars(axes[1, 1], np.array([len(group) for group in groups.values()], float), titles, "recordings")
        draw_spread(axes[1, 2], [[one.n_events for one in group] for group in groups.values()], titles)
    else:
        seconds, spikes = time_by_class(recordings, len(class_names))
        colours = [label_colour(label) for label in range(len(class_names))]
        _draw_bars(axes[1, 1], seconds, class_names, "labelled time [s]", colours)
        _draw_bars(axes[1, 2], spikes / np.maximum(seconds, 1e-12), class_names, "spikes per s while it lasts", colours)


def draw_value_histogram(ax: Axes, recordings: Sequence[Recording]) -> None:
    """Draw a histogram of all values that are asked for and known."""
    values = np.concatenate([np.ravel(one.values) for one in recordings if one.values is not None])
    known = values[~np.isnan(values)]
    ax.hist(known, bins=30, color=SERIES[0])
    tidy(ax, x=f"value that is asked for, {len(values) - len(known)} not known", y="values")


def by_class(recordings: Sequence[Recording]) -> dict[int, list[Recording]]:
    """Return the recordings of every label, in the order of labels."""
    groups: dict[int, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.label, []).append(recording)
    return dict(sorted(groups.items()))


def time_by_class(
    recordings: Sequence[Recording], n_classes: int
) -> tuple[Float[np.ndarray, " C"], Int[np.ndarray, " C"]]:
    """Return the seconds with each label and the spikes in them, for recordings that are labelled by step."""
    seconds, spikes = np.zeros(n_classes), np.zeros(n_classes, dtype=np.int64)
    for recording in recordings:
        labels = np.asarray(recording.step_labels)
        seconds += np.bincount(labels[labels >= 0], minlength=n_classes)[:n_classes] * (recording.step_us / 1e6)
        then = labels[recording.times_us // recording.step_us]
        spikes += np.bincount(then[then >= 0], minlength=n_classes)[:n_classes]
    return seconds, spikes


def draw_histogram(ax: Axes, values: Float[np.ndarray, " B"] | Int[np.ndarray, " B"], what: str) -> None:
    """Draw a histogram of values of recordings, with the median marked."""
    middle = float(np.median(values))
    if values.min() == values.max():
        ax.text(0.5, 0.5, f"{middle:g} in each", transform=ax.transAxes, ha="center", color=MUTED)
        ax.set_xticks([])
        ax.set_yticks([])
        tidy(ax, x=what, grid="none")
        return
    ax.hist(values, bins=min(40, max(5, len(values) // 4)), color=SERIES[0])
    ax.axvline(middle, color=SERIES[1], linewidth=1.4)
    ax.text(
        1.0, 1.0, f"median {middle:.0f}", transform=ax.transAxes, ha="right", va="bottom", color=SERIES[1], fontsize=9.5
    )
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    tidy(ax, x=what, y="recordings")


def draw_channels(ax: Axes, recordings: Sequence[Recording]) -> None:
    """Draw the mean number of spikes of every channel per recording."""
    n_channels = recordings[0].n_channels
    mean = _mean_counts(recordings)
    ax.fill_between(
        np.arange(-1, n_channels) + 0.5, np.append(mean, mean[-1:]), step="post", color=SERIES[0], linewidth=0.0
    )
    ax.set_xlim(-0.5, n_channels - 0.5)
    ax.set_ylim(bottom=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    tidy(ax, x="channel", y="spikes per recording")


def draw_rows_and_columns(ax: Axes, recordings: Sequence[Recording]) -> None:
    """Draw the mean number of events of every row and column of a camera per recording."""
    image = _mean_counts(recordings).reshape(recordings[0].shape)
    ax.plot(image.sum(axis=(0, 2)), color=SERIES[2])
    ax.plot(image.sum(axis=(0, 1)), color=SERIES[3])
    legend(ax, [("row y, downwards", SERIES[2]), ("column x", SERIES[3])])
    ax.set_ylim(bottom=0.0)
    tidy(ax, x="pixel", y="events per recording")


def _mean_counts(recordings: Sequence[Recording]) -> Float[np.ndarray, " N"]:
    counts = np.zeros(recordings[0].n_channels)
    for recording in recordings:
        counts += np.bincount(recording.channels, minlength=recording.n_channels)
    return counts / len(recordings)


def draw_spread(ax: Axes, values: Sequence[Sequence[int]], titles: Sequence[str]) -> None:
    """Draw median, quartiles and extremes of the number of spikes per recording, by class."""
    for place, held in enumerate(values):
        low, first, middle, third, high = np.quantile(held, [0.0, 0.25, 0.5, 0.75, 1.0])
        ax.plot([low, high], [place, place], color=MUTED, linewidth=0.8)
        ax.barh(place, third - first, left=first, height=_BAR, color=SERIES[0])
        ax.plot([middle, middle], [place - _BAR / 2, place + _BAR / 2], color=INK, linewidth=1.2)
    _name_rows(ax, titles)
    ax.set_xlim(left=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    tidy(ax, x="spikes of a recording: range, quartiles, median", grid="x")


def _draw_bars(
    ax: Axes, values: Float[np.ndarray, " C"], titles: Sequence[str], what: str, colours: Sequence[str] = SERIES[:1]
) -> None:
    ax.barh(np.arange(len(values)), values, height=_BAR, color=colours)
    _name_rows(ax, titles)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    tidy(ax, x=what, grid="x")


def _name_rows(ax: Axes, titles: Sequence[str]) -> None:
    ax.set_yticks(np.arange(len(titles)), titles, fontsize=9.0 if len(titles) <= 12 else 6.0)
    ax.set_ylim(len(titles) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
