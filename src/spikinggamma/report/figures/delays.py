"""Figures of the delays that a net has learnt: the weight of every bucket for each neuron or synapse.

Bucket k lags bucket 0 by τ_1 + ... + τ_k, at every time step; a neuron's bucket weights are a profile over these lags,
and Σ_k v_k κ_k(t), with κ_k the bucket's response to one spike, is the kernel that filters its input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikinggamma.functional import gamma_sequence
from spikinggamma.nn import BucketWeightedLayer, GammaLayer, GammaNet
from spikinggamma.report.activity.neuron_order import centre_of_mass
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, shade, tidy

__all__ = ["Profile", "delay_section", "draw_kernels", "draw_profile", "profile"]

_QUANTILES = (0.05, 0.35, 0.65, 0.95)
_STRONGEST = 200  # synapses drawn per layer, as more rows than pixels cannot be shown


class Profile(NamedTuple):
    """Bucket weights of a layer.

    Attributes:
        lags_ms: Delay of each bucket, [K].
        each: Weights of every neuron, channel or synapse that has its own delays, [K, M].
        rows: Those to be drawn: all, or the strongest synapses, [K, R].
        what: Name of what M counts.
        kernels: κ_k(t), [T, K].
        dt_ms: Step of the kernels.
    """

    lags_ms: Float[np.ndarray, " K"]
    each: Float[np.ndarray, "K M"]
    rows: Float[np.ndarray, "K R"]
    what: str
    kernels: Float[np.ndarray, "T K"]
    dt_ms: float


_SLANT = "A slanting band means that the delays have been divided"
# Title, caption and drawing function.
_Drawing = tuple[str, str, Callable[[Axes, Profile], None]]


def delay_section(net: GammaNet, dt_ms: float, key: str) -> Section:
    """Return the profile, mean delays and kernels of every layer, including the read-out."""
    panels: list[Panel] = []
    for index, layer in enumerate(net.stack):
        found = profile(layer, dt_ms)
        name = "Read-out" if layer.readout else f"Hidden layer {index + 1}"
        drawn = _of_neurons(name) if isinstance(layer, BucketWeightedLayer) else _of_synapses(name)
        spread = f"How far the {found.what} have spread from the dashed line, the mean delay of equal weights."
        drawn.insert(1, (f"{name}: mean delays", spread, _draw_means))
        size = {} if len(drawn) == 3 else {"width": 440.0, "height": 260.0}
        panels += [
            Panel(title, caption, draw_svg(f"{key}-delay-{index}-{place}", partial(_draw, draw, found), **size))
            for place, (title, caption, draw) in enumerate(drawn)
        ]
    first = net.stack[0]
    owner = "neuron" if isinstance(first, BucketWeightedLayer) else "synapse"
    intro = f"{first.order} buckets a {owner}; each smooths and delays its input a little more than the one before."
    return Section(f"{key}-delays", "Learnt delays", intro, panels, columns=3 if owner == "neuron" else 2)


def _of_neurons(name: str) -> list[_Drawing]:
    weights = f"{_SLANT} (blue adds, orange subtracts; each row relative to its largest)."
    kernels = "Responses of single neurons to one spike, from short to long mean delay, each relative to its peak."
    return [(f"{name}: bucket weights", weights, draw_profile), (f"{name}: kernels", kernels, draw_kernels)]


def _of_synapses(name: str) -> list[_Drawing]:
    weights = f"{_SLANT} (the {_STRONGEST} strongest; blue adds, orange subtracts; each row relative to its largest)."
    sizes = "Weight at each delay, over all synapses of the layer."
    kernels = "Responses of single synapses to one spike, from short to long mean delay, each relative to its peak."
    return [
        (f"{name}: bucket weights", weights, draw_profile),
        (f"{name}: weight by delay", sizes, _draw_magnitudes),
        (f"{name}: kernels of strong synapses", kernels, draw_kernels),
    ]


@torch.no_grad()
def profile(layer: GammaLayer, dt_ms: float) -> Profile:
    """Return the bucket weights of a layer with their lags and kernels."""
    tau_ms = layer.timescales.tau_ms().double()
    lags = torch.cat([torch.zeros(1, dtype=torch.float64), tau_ms[1:].cumsum(0)])
    # The longest lag, and three standard deviations of the slowest kernel beyond it.
    steps = int((float(lags[-1] + tau_ms[0]) + 3.0 * float(tau_ms.square().sum().sqrt())) / dt_ms) + 1
    drive = torch.zeros(steps, 1, dtype=torch.float64)
    drive[0] = 1.0
    kernels, _ = gamma_sequence(layer.alpha(dt_ms).double(), torch.zeros(layer.order, 1, dtype=torch.float64), drive)
    if isinstance(layer, BucketWeightedLayer):
        rows = each = layer.bucket_weight.cpu().double().numpy()
        what = "neurons" if layer.neurons == rows.shape[1] else "channels"
    else:
        weight = layer.weight.cpu().double().numpy()
        each, what = weight.reshape(len(weight), -1), "synapses"
        rows = each[:, np.argsort(np.square(each).sum(0), kind="stable")[::-1][:_STRONGEST]]
    return Profile(lags.numpy(), each, rows, what, kernels[:, :, 0].numpy(), dt_ms)


def draw_profile(ax: Axes, found: Profile) -> None:
    """Draw bucket weights against bucket delay, sorted by mean delay: positive rows below, negative rows above."""
    means = centre_of_mass(found.rows, found.lags_ms)
    subtracts = found.rows.sum(0) < 0
    order = np.lexsort((means, subtracts))
    largest = np.maximum(np.abs(found.rows).max(0), 1e-12)
    image = shade((found.rows / largest).T[order], SERIES[0], SERIES[1])
    edges = _edges(found.lags_ms)
    ax.pcolormesh(edges, np.arange(len(order) + 1), image, rasterized=True)
    for group in (~subtracts[order], subtracts[order]):
        ax.plot(means[order][group], np.flatnonzero(group) + 0.5, color=INK, linewidth=1.2)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, len(order))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    tidy(ax, x="bucket delay [ms]", y=f"{found.what[:-1]}, by mean delay (line)", grid="none")


def _draw_means(ax: Axes, found: Profile) -> None:
    means = centre_of_mass(found.each, found.lags_ms)
    bins = np.linspace(0.0, max(float(found.lags_ms[-1]), 1.0), 25)
    ax.hist(means, bins=bins.tolist(), color=SERIES[0], alpha=0.75)
    ax.axvline(float(found.lags_ms.mean()), color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    ax.set_xlim(0.0, bins[-1])
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    tidy(ax, x="mean delay [ms]", y=found.what)


def draw_kernels(ax: Axes, found: Profile) -> None:
    """Draw kernels of a few neurons or synapses, from the shortest to the longest mean delay."""
    means = centre_of_mass(found.rows, found.lags_ms)
    order = np.argsort(means, kind="stable")
    picked = dict.fromkeys(int(order[round(q * (len(order) - 1))]) for q in _QUANTILES)
    times = np.arange(len(found.kernels)) * found.dt_ms
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    for neuron, colour in zip(picked, (SERIES[0], SERIES[2], SERIES[4], SERIES[1]), strict=False):
        kernel = found.kernels @ found.rows[:, neuron]
        kernel = kernel / max(float(np.abs(kernel).max()), 1e-12)
        ax.plot(times, kernel, color=colour, linewidth=1.6, label=f"{means[neuron]:.0f} ms")
    ax.set_xlim(0.0, times[-1])
    names = ax.legend(frameon=False, labelcolor="linecolor", fontsize=9.5, handlelength=1.2, loc="best")
    names.set_title("mean delay")
    names.get_title().set_fontsize(9.5)
    names.get_title().set_color(MUTED)
    tidy(ax, x="time since a spike [ms]", y="Σₖ vₖ κₖ(t), relative")


def _draw_magnitudes(ax: Axes, found: Profile) -> None:
    sizes = np.sqrt((found.each**2).mean(1))
    edges = _edges(found.lags_ms)
    ax.bar(edges[:-1], sizes, width=np.diff(edges) * 0.86, align="edge", color=SERIES[0], alpha=0.75)
    ax.set_xlim(edges[0], edges[-1])
    tidy(ax, x="bucket delay [ms]", y="weight, root mean square")


def _draw(draw: Callable[[Axes, Profile], None], found: Profile, figure: Figure) -> None:
    draw(figure.add_subplot(), found)


def _edges(lags_ms: Float[np.ndarray, " K"]) -> Float[np.ndarray, " K+1"]:
    """Return the midpoints between delays; the outer cells are as wide as their neighbours."""
    if len(lags_ms) == 1:
        return np.array([-0.5, 0.5])
    middle = (lags_ms[1:] + lags_ms[:-1]) / 2
    return np.concatenate([[lags_ms[0] - (middle[0] - lags_ms[0])], middle, [2 * lags_ms[-1] - middle[-1]]])
