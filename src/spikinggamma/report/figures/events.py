"""Figures of recordings: rasters of events, labels over time, and rates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator, MaxNLocator

from spikinggamma.events import Recording
from spikinggamma.report.theme import GRID, INK, MUTED, SERIES, legend, shade, tidy

__all__ = ["draw_events", "draw_examples", "draw_recording", "draw_stretches", "label_colour", "named", "rate"]

_MARKS = 3000  # with more events, marks overlap, and a density is drawn instead
_SMALL_MARKS = 800  # the same of a small raster


def named(class_names: Sequence[str], label: int) -> str:
    """Return the name of a class, or its number where it has no name."""
    return class_names[label] if 0 <= label < len(class_names) else str(label)


def draw_recording(figure: FigureBase, recording: Recording, class_names: Sequence[str]) -> None:
    """Draw a raster, the spikes of each channel beside it, and the labels and the rate over time below it."""
    labelled = recording.step_labels is not None
    heights = [4.0, 0.28, 1.1] if labelled else [4.0, 1.1]
    axes = figure.subplots(len(heights), 2, height_ratios=heights, width_ratios=[6.0, 1.0], sharex="col", squeeze=False)
    for ax in axes[1:, 1]:
        ax.remove()
    raster, beside, below = axes[0, 0], axes[0, 1], axes[-1, 0]
    draw_events(raster, recording, INK, grid=(240, 620) if recording.n_events > _MARKS else None)
    tidy(raster, y="channel", grid="none")
    channels = np.arange(recording.n_channels)
    counts = np.bincount(recording.channels, minlength=recording.n_channels)
    beside.barh(channels, counts, height=1.0, color=SERIES[0])
    beside.set_xlim(0.0, max(1.0, 1.05 * counts.max()))
    beside.set_ylim(raster.get_ylim())
    beside.tick_params(labelleft=False, length=0, axis="y")
    beside.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    beside.tick_params(labelbottom=True)
    tidy(beside, x="spikes", grid="x")
    if labelled:
        draw_stretches(axes[1, 0], recording, class_names)
        present = sorted(set(np.asarray(recording.step_labels).tolist()) - {-1})
        legend(raster, [(named(class_names, label), label_colour(label)) for label in present])
    times, values = rate([recording])
    below.fill_between(times, values, color=SERIES[0], alpha=0.25, linewidth=0.0)
    below.plot(times, values, color=SERIES[0], linewidth=1.2)
    below.set_ylim(bottom=0.0)
    below.set_xlim(0.0, recording.duration_us / 1000.0)
    tidy(below, x="time [ms]", y="spikes\nper ms")
    figure.align_ylabels([raster, below])


def draw_examples(
    figure: FigureBase, examples: Sequence[Recording], titles: Sequence[str], names: Sequence[str]
) -> None:
    """Draw small rasters on a common time axis, with labels over time below those that have them."""
    columns = next((columns for columns in (5, 6, 7) if len(examples) <= 4 * columns), 8)
    columns = min(columns, len(examples)) if len(examples) != 6 else 3
    rows = -(-len(examples) // columns)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    longest = max(recording.duration_us for recording in examples) / 1000.0
    # All are drawn in the same style, as otherwise a dense recording would look emptier than a sparse one.
    crowded = any(recording.n_events > _SMALL_MARKS for recording in examples)
    grid = (100, 220) if crowded else None
    for place, ax in enumerate(axes.flat):
        if place >= len(examples):
            ax.set_axis_off()
            continue
        recording = examples[place]
        draw_events(ax, recording, INK, grid=grid)
        ax.set_title(titles[place], loc="left", fontsize=9.5, color=INK, pad=3.0)
        if recording.duration_us / 1000.0 < 0.995 * longest:
            ax.axvspan(recording.duration_us / 1000.0, longest, color=GRID, alpha=0.5, linewidth=0.0)
        if recording.step_labels is not None:
            band = ax.inset_axes((0.0, -0.1, 1.0, 0.09), sharex=ax)
            draw_stretches(band, recording, names)
            band.tick_params(labelbottom=False)
            ax.tick_params(axis="x", pad=9.0)
        tidy(ax, grid="none")
        ax.set_xlim(0.0, longest)
        ax.xaxis.set_major_locator(MaxNLocator(4))
    for ax in axes[:, 0]:
        ax.set_ylabel("channel")
    for ax in axes[-1]:
        ax.set_xlabel("time [ms]")


def draw_events(ax: Axes, recording: Recording, colour: str, *, grid: tuple[int, int] | None) -> None:
    """Draw a mark for every event, or their density on a grid of so many rows and columns."""
    times, channels = recording.times_us / 1000.0, recording.channels
    duration, n_channels = recording.duration_us / 1000.0, recording.n_channels
    half = max(0.4, n_channels / 160.0)
    if grid is not None and len(times):
        bins = (min(grid[0], n_channels), grid[1])
        counts, *_ = np.histogram2d(channels, times, bins=bins, range=((-0.5, n_channels - 0.5), (0.0, duration)))
        # A single spike must be visible, and many must differ from a few.
        density = 1.0 - np.exp(-1.5 * counts / max(1.0, float(np.quantile(counts[counts > 0], 0.9))))
        extent = (0.0, duration, -0.5, n_channels - 0.5)
        image = shade(density, colour, colour)
        ax.imshow(image, extent=extent, origin="lower", aspect="auto", interpolation="nearest")
    elif len(times):
        vertices = np.empty((2 * len(times), 2))
        vertices[0::2] = np.column_stack([times, channels - half])
        vertices[1::2] = np.column_stack([times, channels + half])
        path = Path(vertices, np.tile([Path.MOVETO, Path.LINETO], len(times)))
        path.should_simplify = False
        ax.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=0.9, rasterized=True))
    else:
        ax.text(0.5, 0.5, "silent", transform=ax.transAxes, ha="center", va="center", color=MUTED)
    ax.set_ylim(-0.5 - half, n_channels - 0.5 + half)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True) if n_channels > 6 else FixedLocator(range(n_channels)))


def draw_stretches(ax: Axes, recording: Recording, class_names: Sequence[str]) -> None:
    """Draw the label of every step as a colour; steps without a label stay empty."""
    labels = np.asarray(recording.step_labels)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])
    step_ms = recording.step_us / 1000.0
    for first, end in pairwise(starts):
        if labels[first] >= 0:
            ax.axvspan(first * step_ms, end * step_ms, color=label_colour(int(labels[first])), linewidth=0.0)
    ax.set_yticks([])
    ax.tick_params(axis="x", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def rate(
    recordings: Sequence[Recording], *, n_bins: int = 100
) -> tuple[Float[np.ndarray, " S"], Float[np.ndarray, " S"]]:
    """Return the centres of bins [ms], and the spikes per millisecond, averaged over recordings that last so long."""
    longest = max(recording.duration_us for recording in recordings) / 1000.0
    edges = np.linspace(0.0, longest, n_bins + 1)
    counts = np.zeros(n_bins)
    lasting = np.zeros(n_bins)
    for recording in recordings:
        counts += np.histogram(recording.times_us / 1000.0, edges)[0]
        lasting += np.clip((recording.duration_us / 1000.0 - edges[:-1]) / (edges[1] - edges[0]), 0.0, 1.0)
    return (edges[:-1] + edges[1:]) / 2.0, counts / ((edges[1] - edges[0]) * np.maximum(lasting, 1.0))


def label_colour(label: int) -> str:
    """Return the colour of a label."""
    return SERIES[label % len(SERIES)]
