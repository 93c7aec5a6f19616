"""Figures of event camera recordings: sums of events at each pixel, by polarity and by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from spikinggamma.events import Recording
from spikinggamma.report.figures.events import rate
from spikinggamma.report.theme import INK, SERIES, legend, shade, tidy

__all__ = ["draw_sums", "draw_view", "sum_image"]

_SLICES = 6
_NONE = (1, 1, 1)  # shape for recordings that are not from a camera


def sum_image(
    recordings: Sequence[Recording], first_us: int = 0, end_us: int | None = None
) -> Float[np.ndarray, "P H W"]:
    """Return the mean number of events at each pixel from `first_us` to below `end_us`, float64 [P, H, W]."""
    counts = np.zeros(recordings[0].n_channels)
    for recording in recordings:
        begin, end = np.searchsorted(
            recording.times_us, [first_us, recording.duration_us if end_us is None else end_us]
        )
        counts += np.bincount(recording.channels[begin:end], minlength=recording.n_channels)
    return (counts / len(recordings)).reshape(recordings[0].shape)


def draw_view(figure: FigureBase, recording: Recording) -> None:
    """Draw one recording: sums of events of each polarity, of parts of the recording beside them, and the rates below."""
    polarities, _, _ = recording.shape or _NONE
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[1.8 * polarities, 1.3])[:, 0]
    axes = above.subplots(polarities, 1 + _SLICES, squeeze=False)
    edges = np.linspace(0, recording.duration_us, _SLICES + 1).astype(np.int64)
    slices = [sum_image([recording], int(first), int(end)) for first, end in pairwise(edges)]
    total, top = sum_image([recording]), max(float(image.max()) for image in slices)
    for polarity in range(polarities):
        colour = SERIES[polarity % len(SERIES)]
        _draw_image(axes[polarity, 0], total[polarity], float(total.max()), colour)
        axes[polarity, 0].set_ylabel(f"polarity {polarity}", color=colour)
        for place, image in enumerate(slices):
            _draw_image(axes[polarity, 1 + place], image[polarity], top, colour)
    axes[0, 0].set_title("whole recording", loc="left", fontsize=9.5, color=INK)
    for place in range(_SLICES):
        begin, end = edges[place] / 1000.0, edges[place + 1] / 1000.0
        axes[0, 1 + place].set_title(f"{begin:.0f} to {end:.0f} ms", loc="left", fontsize=9.5, color=INK)
    ax = below.subplots()
    for polarity in range(polarities):
        times, values = rate([_of_polarity(recording, polarity)])
        ax.plot(times, values, color=SERIES[polarity % len(SERIES)], linewidth=1.2)
    for edge in edges[1:-1]:
        ax.axvline(edge / 1000.0, color=INK, linewidth=0.5, alpha=0.3)
    legend(ax, [(f"polarity {index}", SERIES[index % len(SERIES)]) for index in range(polarities)])
    ax.set_xlim(0.0, recording.duration_us / 1000.0)
    ax.set_ylim(bottom=0.0)
    tidy(ax, x="time [ms]", y="events\nper ms")


def draw_sums(figure: FigureBase, by_class: Sequence[Sequence[Recording]], titles: Sequence[str]) -> None:
    """Draw the mean sum image of every class, with a row per polarity; many classes take several rows."""
    images = [sum_image(recordings) for recordings in by_class]
    polarities, columns = images[0].shape[0], min(len(images), 12)
    blocks = -(-len(images) // columns)
    axes = figure.subplots(blocks * polarities, columns, squeeze=False)
    # A few pixels that are always active would make all others pale.
    tops = [float(np.quantile(np.stack([image[p] for image in images]), 0.998)) or 1.0 for p in range(polarities)]
    for place in range(blocks * columns):
        block, column = divmod(place, columns)
        for polarity in range(polarities):
            ax = axes[block * polarities + polarity, column]
            if place >= len(images):
                ax.set_axis_off()
                continue
            _draw_image(ax, images[place][polarity], tops[polarity], SERIES[polarity % len(SERIES)])
            if column == 0:
                ax.set_ylabel(f"polarity {polarity}", color=SERIES[polarity % len(SERIES)])
            if polarity == 0:
                ax.set_title(titles[place], loc="left", fontsize=9.5, color=INK, pad=3.0)


def _draw_image(ax: Axes, image: Float[np.ndarray, "H W"], top: float, colour: str) -> None:
    ax.imshow(shade(np.clip(image / max(top, 1e-12), 0.0, 1.0), colour, colour), interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)


def _of_polarity(recording: Recording, polarity: int) -> Recording:
    chosen = recording.pixels[0] == polarity
    return replace(recording, times_us=recording.times_us[chosen], channels=recording.channels[chosen])
