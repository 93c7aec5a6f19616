"""Figures of training steps: time relative to the matrix products alone, and time and memory over the number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from spikinggamma.report.rows.speed_rows import (
    OURS,
    Shape,
    SpeedRow,
    library_colours,
    library_name,
    over_steps,
    side_by_side,
)
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, grouped, legend, log_axis, tidy

__all__ = ["length_section", "shape_section", "time_words"]

_KINDS = (("time", "training step [ms]"), ("memory", "peak above the process [MiB]"))


def shape_section(rows: Sequence[SpeedRow]) -> Section | None:
    """Return bars of every library for each shape; None where all rows differ in their steps."""
    panels = []
    for index, own in enumerate(side_by_side(rows)):
        shape = own[0].shape
        runs = sorted({row.run for row in own})
        lines = len(own) + (len(runs) if len(runs) > 1 else 0)
        svg = draw_svg(f"speed-{index}", partial(_draw_bars, own), width=440.0, height=66.0 + 21.0 * lines)
        caption = f"{_setting(shape)}, {shape.steps} steps. {_of_runs(runs)}"
        panels.append(Panel(_title(shape), caption, svg))
    if not panels:
        return None
    intro = (
        "Time of a training step over that of the three matrix products that any such layer needs (dashed), and the time "
        "itself. Compare within a run, whose libraries took turns: between two, what else the machine did may differ."
    )
    return Section("shapes", "Side by side", intro, panels, columns=2)


def length_section(rows: Sequence[SpeedRow]) -> Section | None:
    """Return time and memory over the number of steps; None where no case has several."""
    panels = []
    for index, own in enumerate(over_steps(rows)):
        shape = own[0].shape
        for kind, label in _KINDS:
            svg = draw_svg(
                f"speed-steps-{index}-{kind}", partial(_draw_lines, own, kind, label), width=440.0, height=300.0
            )
            panels.append(Panel(f"{_title(shape)}: {kind}", f"{_setting(shape)}. {_of_runs([own[0].run])}", svg))
    if not panels:
        return None
    intro = (
        "Whole recordings under autograd: memory grows with their length for all libraries. Both axes are logarithmic: a line "
        "that climbs as steeply as that of the products (dashed) stays as many times above it."
    )
    return Section("lengths", "Longer recordings", intro, panels, columns=2)


def time_words(seconds: float) -> str:
    """Return a time as text.

    Example:
        >>> time_words(0.0312).split(), time_words(2.004).split()
        (['31.2', 'ms'], ['2.00', 's'])
    """
    number, unit = (1000.0 * seconds, "ms") if seconds < 0.9995 else (seconds, "s")
    return f"{number:#.3g}".rstrip(".") + f"\u00a0{unit}"


def _title(shape: Shape) -> str:
    return f"{grouped(shape.neurons)} neurons, {100.0 * shape.density:g}\u00a0% of the input not zero"


def _setting(shape: Shape) -> str:
    threads = f"{shape.threads} thread{'s' if shape.threads > 1 else ''}"
    return f"Batch {shape.batch}, {shape.precision}, {shape.device}, {threads}"


def _of_runs(runs: Sequence[int]) -> str:
    numbers = ", ".join(map(str, runs))
    return f"{'Run' if len(runs) == 1 else 'Runs'} {numbers} of those below."


def _draw_bars(rows: Sequence[SpeedRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    several = len({row.run for row in rows}) > 1
    labels: list[str] = []
    run = 0
    for row in rows:
        if several and row.run != run:
            labels.append(f"run {row.run}:")
            run = row.run
        place = len(labels)
        labels.append(library_name(row.library))
        ours = row.library == OURS
        ax.barh(place, row.over_products, height=0.66, color=SERIES[0] if ours else MUTED, alpha=1.0 if ours else 0.45)
        words = f"{row.over_products:.2f}, {time_words(row.seconds)}"
        end = (max(row.over_products, 1.0), place)  # right of the dashed line
        ax.annotate(words, end, (4, 0), textcoords="offset points", va="center", color=INK)
    ax.axvline(1.0, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.0)
    ax.set_yticks(range(len(labels)), labels)
    for text in ax.get_yticklabels():
        if text.get_text() == library_name(OURS):
            text.set(color=SERIES[0], fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlim(0.0, 1.45 * max(1.0, *(row.over_products for row in rows)))
    tidy(ax, x="time over the products alone", grid="x")


def _draw_lines(rows: Sequence[SpeedRow], kind: str, label: str, figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = library_colours(rows)
    libraries = list(dict.fromkeys(row.library for row in rows))
    # This library is drawn last, above the others.
    for library in sorted(libraries, key=lambda name: name == OURS):
        own = sorted((row for row in rows if row.library == library), key=lambda row: row.shape.steps)
        points = [(row.shape.steps, 1000.0 * row.seconds if kind == "time" else row.step_mib) for row in own]
        shown = [point for point in points if point[1] > 0.0]  # a logarithmic axis cannot show zero
        line = (0, (4, 3)) if library == "matmul" else "-"
        width = 2.6 if library == OURS else 1.4
        steps, values = [point[0] for point in shown], [point[1] for point in shown]
        ax.plot(steps, values, "o", linestyle=line, color=colour[library], markersize=1.5 + width, linewidth=width)
    ax.set_xscale("log")
    ax.set_yscale("log")
    steps = sorted({row.shape.steps for row in rows})
    log_axis(ax.xaxis)
    log_axis(ax.yaxis)
    ax.set_xticks(steps, [grouped(step) for step in steps])
    tidy(ax, x="steps of a recording", y=label)
    legend(ax, [(library_name(library), colour[library]) for library in libraries], columns=3)
