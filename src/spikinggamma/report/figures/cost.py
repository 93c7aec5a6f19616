"""Figures of costs: energy by its parts, and accuracy against spikes and work under scaled thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikinggamma.report.rows.cost_rows import COUNTS, CostRow, as_trained, curves, nets_of
from spikinggamma.report.theme import INK, SERIES, Panel, Section, draw_svg, legend, log_axis, percent_axis, tidy

__all__ = ["cost_section", "energy_section", "sparsity_section"]

_PARTS = {"arithmetic": SERIES[0], "weights": SERIES[1], "states": SERIES[2]}
_ROOM = 0.06  # share of the axis, the width of a written factor
_NAMES = {"event": "by events", "dense": "dense"}


def cost_section(cost: Mapping[str, dict[str, float]], seconds: float, energies: str, key: str) -> Section:
    """Return the energy of one run, event-driven and dense."""
    lines = [(_NAMES[name], cost[name]) for name in COUNTS]
    event, dense = (cost[name]["synaptic_operations"] for name in COUNTS)
    intro = (
        f"The mean test recording, {seconds:.2f}\u00a0s: {event:,.0f} synapses are used by events, {dense:,.0f} by dense "
        f"arithmetic; {cost['event']['state_updates']:,.0f} state variables are updated in both cases."
    ).replace(",", "\u202f")
    svg = draw_svg(f"{key}-cost", partial(_draw_energy, lines), width=560.0, height=150.0)
    caption = (
        f"Energy of arithmetic, of reading weights, and of reading and writing state and messages, by {energies}. An estimate "
        "of these three alone."
    )
    return Section(f"{key}-cost", "Cost of a decision", intro, [Panel("Energy per recording", caption, svg)], columns=2)


def energy_section(rows: Sequence[CostRow]) -> Section:
    """Return the energy per recording of several nets, for each table of energies."""
    panels: list[Panel] = []
    for energies in dict.fromkeys(row.energies for row in rows):
        own = as_trained(rows, energies)
        if own:
            lines = [(f"{row.net}, {_NAMES[name]}", row.counts[name]) for row in own for name in COUNTS]
            height = 70.0 + 24.0 * len(lines)
            svg = draw_svg(f"cost-{len(panels)}", partial(_draw_energy, lines), width=440.0, height=height)
            panels.append(Panel(energies, "Bars: arithmetic, reading weights, reading and writing state.", svg))
    intro = (
        "The mean test recording. By events, silent synapses cost nothing; dense, every product is made at every step."
    )
    return Section("energy", "Energy per recording", intro, panels, columns=2)


def sparsity_section(rows: Sequence[CostRow]) -> Section | None:
    """Return accuracy against spikes and against synapses used, where nets were evaluated at several scales of thresholds."""
    panels: list[Panel] = []
    for part in dict.fromkeys(row.part for row in rows):
        lines = curves(rows, part)
        if lines:
            colours = nets_of(rows)
            for kind, title in (("spikes", "spikes"), ("synapses", "synapses used")):
                svg = draw_svg(
                    f"sparsity-{part}-{kind}", partial(_draw_curve, lines, colours, kind), width=440.0, height=290.0
                )
                caption = "Numbers: scales of the thresholds. Bars: 95\u00a0% intervals. Ring: as trained."
                panels.append(Panel(f"{part.capitalize()} accuracy and {title}", caption, svg))
    if not panels:
        return None
    intro = "Thresholds of trained nets are multiplied by a scale, without retraining."
    return Section("sparsity", "Sparsity against accuracy", intro, panels, columns=2)


def _draw_energy(lines: Sequence[tuple[str, Mapping[str, float]]], figure: Figure) -> None:
    ax = figure.add_subplot()
    places = range(len(lines))
    left = [0.0] * len(lines)
    for name, colour in _PARTS.items():
        sizes = [figures[f"{name}_nj"] / 1000.0 for _, figures in lines]
        ax.barh(places, sizes, left=left, height=0.62, color=colour)
        left = [one + more for one, more in zip(left, sizes, strict=True)]
    for place, total in zip(places, left, strict=True):
        ax.annotate(f"{total:.3g}", (total, place), (4, 0), textcoords="offset points", va="center", color=INK)
    ax.set_yticks(places, [name for name, _ in lines])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.14 * max(left))
    tidy(ax, x="energy per recording [µJ]", grid="x")
    legend(ax, list(_PARTS.items()))


def _draw_curve(lines: Mapping[str, list[CostRow]], colours: Mapping[str, str], kind: str, figure: Figure) -> None:
    ax = figure.add_subplot()
    for net, own in lines.items():
        x = [_work(row, kind) for row in own]
        y = [row.accuracy for row in own]
        bars = [[row.accuracy - row.low for row in own], [row.high - row.accuracy for row in own]]
        ax.errorbar(x, y, bars, fmt="o-", color=colours[net], markersize=3.5, linewidth=1.6, elinewidth=0.7)
        for row in own:
            if row.threshold_scale == 1.0:
                ax.plot(_work(row, kind), row.accuracy, "o", color=colours[net], markersize=9, fillstyle="none")
    lowest = min(row.low for own in lines.values() for row in own)
    ax.set_ylim(max(0.0, math.floor(20.0 * lowest - 0.5) / 20.0), 1.005)
    ax.set_xscale("log")
    log_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.autoscale_view()  # needed now, as the positions of points decide which are named
    for net, own in lines.items():
        _name_factors(ax, own, kind, colours[net])
    tidy(ax, x="spikes per neuron per second" if kind == "spikes" else "synapses used per recording", y="accuracy")
    legend(ax, [(net, colours[net]) for net in lines], columns=2)


def _name_factors(ax: Axes, own: Sequence[CostRow], kind: str, colour: str) -> None:
    """Write the scales as trained and at both ends, and others where there is room."""
    ends = (own[0].threshold_scale, own[-1].threshold_scale)
    taken: list[float] = []
    for row in sorted(own, key=lambda row: (row.threshold_scale != 1.0, row.threshold_scale not in ends)):
        point = (_work(row, kind), row.accuracy)
        place = float(ax.transAxes.inverted().transform(ax.transData.transform(point))[0])
        if all(abs(place - other) > _ROOM for other in taken):
            taken.append(place)
            text = f"{row.threshold_scale:g}"
            ax.annotate(text, point, (4, -12), textcoords="offset points", color=colour, fontsize=9)


def _work(row: CostRow, kind: str) -> float:
    # A silent net is still shown on the logarithmic axis.
    return max(row.spikes_per_neuron_s, 1e-2) if kind == "spikes" else row.counts["event"]["synaptic_operations"]
