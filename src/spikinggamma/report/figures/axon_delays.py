"""Figure of the axonal delays that a surrogate-gradient net has learnt, compared with its initial ones."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikinggamma.nn import AxonalDelays, Chain, Neuron, Recurrent
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, tidy

__all__ = ["axon_section"]

_BINS = 20


def axon_section(net: Chain, begun: Chain, key: str) -> Section | None:
    """How the delays of input channels and of each hidden layer are spread; None for a net without delays.

    Args:
        net: The trained net.
        begun: The same net at its start.
        key: A key that is unique on the page.
    """
    panels = []
    for axons, first in zip(_delays(net), _delays(begun), strict=True):
        learnt, drawn = (delay.detach().cpu().double().numpy() for delay in (axons.delay_ms, first.delay_ms))
        hidden = sum(isinstance(layer, Neuron | Recurrent) for layer in net.layers[: net.layers.index(axons)])
        name = "Input channels" if hidden == 0 else f"Hidden layer {hidden}"
        caption = (
            f"{np.median(learnt):.0f} ms median, {np.abs(learnt - drawn).mean():.1f} ms from the initial delays on "
            "average; the line is the spread that they began with."
        )
        draw = partial(_draw, learnt, drawn, axons.max_delay_ms)
        panels.append(Panel(f"{name}: delays", caption, draw_svg(f"{key}-axons-{hidden}", draw)))
    if not panels:
        return None
    intro = "The spikes of each neuron arrive later by its own delay, which was learnt."
    return Section(f"{key}-delays", "Learnt delays", intro, panels)


def _delays(net: Chain) -> list[AxonalDelays]:
    return [layer for layer in net.layers if isinstance(layer, AxonalDelays)]


def _draw(learnt: Float[np.ndarray, " N"], begun: Float[np.ndarray, " N"], longest_ms: float, figure: Figure) -> None:
    ax = figure.subplots()
    edges = np.linspace(0.0, longest_ms, _BINS + 1)
    ax.hist(learnt, edges.tolist(), color=SERIES[0])
    ax.stairs(np.histogram(begun, edges)[0], edges, color=INK, linewidth=1.2)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.tick_params(colors=MUTED)
    tidy(ax, x="delay [ms]", y="neurons")
