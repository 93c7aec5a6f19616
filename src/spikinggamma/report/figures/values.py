"""Figure of values: what was asked for and what a net said, and the error of each output."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikinggamma.report.theme import MUTED, SERIES, Panel, Section, draw_svg, tidy
from spikinggamma.runs import Run

__all__ = ["value_section"]

_PANELS = 8
_MARKS = 2000


def value_section(run: Run, key: str) -> Section:
    """Return a panel for each output with targets and predictions of the test part."""
    section = Section(f"{key}-values", "Targets and predictions", "", columns=2)
    if run.result is None:
        note = f"Drawn when the run is finished and tested. Go on with: spikinggamma train --resume {run.path}"
        return section._replace(note=note)
    row = run.result
    targets, predictions = _table(row["targets"]), _table(row["predictions"])
    names = [str(name) for name in row["outputs"]]
    panels = []
    for index, name in enumerate(names[:_PANELS]):
        draw = partial(_draw_output, targets[:, index], predictions[:, index])
        said = _said(row["r2_by_output"][index], row["mae_by_output"][index]) if "r2_by_output" in row else ""
        panels.append(
            Panel(
                f"{name}{said}",
                "A perfect net has all points on the line; a flat cloud is a net that always says the mean.",
                draw_svg(f"{key}-values-{index}", draw, width=440.0, height=300.0),
            )
        )
    intro = f"{row['samples']} recordings of the {row['part']} part (split {row['split']}), evaluated once with the weights "
    intro += "of the best epoch."
    if len(names) > _PANELS:
        intro += f" The first {_PANELS} of {len(names)} outputs."
    return section._replace(intro=intro, panels=panels)


def _said(r2: float | None, mae: float | None) -> str:
    figures = [f"R² {r2:.3f}"] if r2 is not None else []
    figures += [f"MAE {mae:.3g}"] if mae is not None else []
    return f": {', '.join(figures)}" if figures else ""


def _table(rows: list[list[Any]]) -> Float[np.ndarray, "M K"]:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)


def _draw_output(target: Float[np.ndarray, " M"], said: Float[np.ndarray, " M"], figure: Figure) -> None:
    ax = figure.add_subplot()
    known = ~np.isnan(target)
    x, y = target[known], said[known]
    every = max(1, -(-len(x) // _MARKS))
    ax.plot(x[::every], y[::every], "o", color=SERIES[0], markersize=2.5, alpha=0.5, rasterized=len(x) > _MARKS // 2)
    if len(x):
        ends = [float(x.min()), float(x.max())]
        ax.plot(ends, ends, color=MUTED, linewidth=1.0, zorder=0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    tidy(ax, x="target", y="prediction")
