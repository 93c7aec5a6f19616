"""Figure of a neuron's signal and of the estimate that its listeners decode from its spikes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from spikinggamma.report.activity.recording import LayerRecord, Sample
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, legend, tidy

__all__ = ["draw_code", "draw_gap", "draw_signal", "pick_neurons", "signal_section"]

_FORGETFUL = 0.25  # share of the estimate left after a step, below which the code has hardly any memory


def signal_section(sample: Sample, tau_0_ms: float, key: str) -> Section:
    """Return figures of one active neuron of each hidden layer, during the recording of the first raster."""
    left = 1.0 - sample.dt_ms / tau_0_ms
    dense = "With so little left, a lasting signal needs a spike in nearly every step. " if left < _FORGETFUL else ""
    section = Section(
        f"{key}-code",
        "Signals and decoded estimates",
        "A neuron spikes when its signal y has risen a threshold ϑ above the estimate ŷ that its listeners hold. They "
        f"forget with τ₀ = {tau_0_ms:g} ms: {100 * left:.0f} % of ŷ is left after a step of {sample.dt_ms:g} ms. "
        f"{dense}Recording: {sample.source or sample.place}.",
        columns=2,
    )
    if not any(layer.threshold.any() for layer in sample.layers):
        return section._replace(intro="", note="This net passes the signal itself: there are no spikes to decode.")
    panels, silent = [], []
    for index, layer in enumerate(sample.layers):
        # For a single layer, two neurons are shown.
        picked = pick_neurons(layer, (0.9, 0.5) if len(sample.layers) == 1 else (0.9,))
        if not picked:
            silent.append(str(index + 1))
        for neuron in picked:
            draw = partial(draw_code, layer, neuron, sample.dt_ms)
            panels.append(
                Panel(
                    f"Hidden layer {index + 1}, neuron {neuron}: {int(layer.counts[:, neuron].sum())} spikes",
                    "ŷ climbs by 2ϑ at each spike and decays between them; the gap falls out of the band only where y "
                    "sinks faster than listeners forget.",
                    draw_svg(f"{key}-code-{index}-{neuron}", draw, width=440.0, height=330.0),
                )
            )
    note = f"No spikes in hidden layer {', '.join(silent)} in this recording." if silent else ""
    return section._replace(panels=panels, note=note)


def pick_neurons(layer: LayerRecord, quantiles: Sequence[float]) -> list[int]:
    """Return the neurons at these quantiles of the number of spikes, among those that spike at all."""
    totals = layer.counts.sum(0)
    active = np.flatnonzero(totals)
    order = active[np.argsort(totals[active], kind="stable")]
    return list(dict.fromkeys(int(order[round(q * (len(order) - 1))]) for q in quantiles if len(order)))


def draw_code(layer: LayerRecord, neuron: int, dt_ms: float, figure: FigureBase) -> None:
    """Draw signal and estimate above, and their difference below."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 1.0])
    draw_signal(upper, layer, neuron, dt_ms)
    draw_gap(lower, layer, neuron, dt_ms)
    lower.set_xlim(0.0, len(layer.output) * dt_ms)
    figure.align_ylabels([upper, lower])


def draw_signal(ax: Axes, layer: LayerRecord, neuron: int, dt_ms: float) -> None:
    """Draw y and ŷ over time, with the spikes below."""
    times = np.arange(len(layer.output)) * dt_ms
    signal, estimate = layer.output[:, neuron], layer.estimate[:, neuron]
    ax.plot(times, signal, color=SERIES[0], linewidth=2.0)
    ax.plot(times, estimate, color=SERIES[1], linewidth=1.3, drawstyle="steps-post")
    top = max(float(signal.max()), float(estimate.max())) or 1.0
    spikes = times[layer.counts[:, neuron] > 0]
    ax.vlines(spikes, -0.20 * top, -0.07 * top, color=INK, linewidth=1.1)
    ax.set_ylim(-0.23 * top, 1.06 * top)
    ax.set_yticks([tick for tick in MaxNLocator(4).tick_values(0.0, top) if 0.0 <= tick <= top])
    legend(ax, [("signal y", SERIES[0]), ("estimate ŷ", SERIES[1]), ("spikes", INK)])
    tidy(ax, y="signal")


def draw_gap(ax: Axes, layer: LayerRecord, neuron: int, dt_ms: float) -> None:
    """Draw y - ŷ over time, between thresholds."""
    times = np.arange(len(layer.output)) * dt_ms
    threshold = layer.threshold[:, neuron]
    ax.fill_between(times, -threshold, threshold, step="post", color=SERIES[4], alpha=0.22)
    ax.plot(times, threshold, color=SERIES[4], linewidth=1.2, drawstyle="steps-post")
    ax.plot(times, layer.output[:, neuron] - layer.estimate[:, neuron], color=INK, linewidth=1.1)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    legend(ax, [("threshold ±ϑ", SERIES[4]), ("gap y − ŷ", INK)])
    tidy(ax, x="time [ms]", y="gap")
