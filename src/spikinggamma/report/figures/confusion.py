"""Figure of the confusion matrix and of the recall of each class."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from spikinggamma.evaluation import wilson_interval
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, percent_axis, shade, tidy
from spikinggamma.runs import Run

__all__ = ["confusion_section"]

_NUMBERED = 16  # with more classes, numbers in the cells could not be read


def confusion_section(run: Run, key: str) -> Section:
    """Return the confusion matrix of the test split, and the recall of each class."""
    section = Section(f"{key}-confusion", "Confusions", "", columns=2)
    if run.result is None:
        return section._replace(
            note=f"Drawn when the run is finished and tested. Go on with: spikinggamma train --resume {run.path}"
        )
    matrix = np.array(run.result["confusion_matrix"])
    names = [str(name) for name in run.result["class_names"]]
    side = 440.0 if len(names) > 6 else 340.0
    panels = [
        Panel(
            "True and predicted classes",
            "A perfect net has only the diagonal; entries beside it are classes that the net confuses.",
            draw_svg(f"{key}-confusion", partial(_draw_matrix, matrix, names), width=440.0, height=side),
        ),
        Panel(
            "Recall by class",
            "Which classes lower the accuracy; bars are 95 % Wilson intervals, the line is the overall accuracy."
            + (
                " Steps of one recording are correlated, so the bars are too short."
                if "decisions" in run.result
                else ""
            ),
            draw_svg(f"{key}-recall", partial(_draw_recall, matrix, names), width=440.0, height=side),
        ),
    ]
    samples, what = int(matrix.sum()), "labelled steps" if "decisions" in run.result else "recordings"
    return section._replace(
        intro=f"{samples} {what} of the {run.result['part']} part (split {run.result['split']}), "
        "evaluated once with the weights of the best epoch.",
        panels=panels,
    )


def _draw_matrix(matrix: Int[np.ndarray, "C C"], names: list[str], figure: Figure) -> None:
    ax = figure.add_subplot()
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    # The square root lets a single confusion show beside a full diagonal.
    image = shade(np.where(np.eye(len(names), dtype=bool), 1.0, -1.0) * np.sqrt(share) * 0.85, SERIES[0], SERIES[1])
    ax.imshow(image, interpolation="nearest")
    if len(names) <= _NUMBERED:
        size = 9.5 if len(names) <= 10 else 7.5
        for row, column in np.argwhere(matrix > 0):
            ax.text(column, row, str(matrix[row, column]), ha="center", va="center", color=INK, fontsize=size)
    every = -(-len(names) // 24)
    places = list(range(0, len(names), every))
    ax.set_xticks(places, names[::every], rotation=90 if max(map(len, names)) > 2 else 0)
    ax.set_yticks(places, names[::every])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    tidy(ax, x="predicted", y="true", grid="none")


def _draw_recall(matrix: Int[np.ndarray, "C C"], names: list[str], figure: Figure) -> None:
    ax = figure.add_subplot()
    places = np.arange(len(names))
    found, total = matrix.diagonal(), matrix.sum(1)
    there = total > 0
    share = found[there] / total[there]
    bounds: Float[np.ndarray, "C 2"] = np.array(
        [wilson_interval(int(f), int(n)) for f, n in zip(found[there], total[there], strict=True)]
    )
    ax.hlines(places[there], bounds[:, 0], bounds[:, 1], color=SERIES[0], linewidth=2.5, alpha=0.45)
    ax.plot(share, places[there], "o", color=SERIES[0], markersize=6)
    ax.axvline(float(found.sum() / total.sum()), color=MUTED, linewidth=1.0, zorder=0.5)
    every = -(-len(names) // 24)
    ax.set_yticks(places[::every], names[::every])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(-0.02, 1.02)
    percent_axis(ax.xaxis)
    tidy(ax, x="share recognised (recall)", grid="x")
