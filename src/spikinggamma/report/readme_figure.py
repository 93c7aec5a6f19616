"""One picture of a run for a README or a slide: a recording in the net, a neuron's code, and the learnt delays.

Draw it again with:  python -c "from spikinggamma import report; report.write_picture('RUN', 'docs/images/report.png')"
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure, SubFigure

from spikinggamma.data import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.nn import GammaNet
from spikinggamma.report.activity.inspect_run import look_at
from spikinggamma.report.activity.neuron_order import order_by_peak
from spikinggamma.report.figures.delays import draw_kernels, draw_profile, profile
from spikinggamma.report.figures.rasters import draw_sample
from spikinggamma.report.figures.signals import draw_code, pick_neurons
from spikinggamma.report.theme import INK, STYLE
from spikinggamma.runs import load_run

__all__ = ["write_picture"]

_INCHES, _DPI = (12.8, 7.0), 115

_MARGINS: dict[Any, Any] = {"figure.constrained_layout.w_pad": 0.08, "figure.constrained_layout.h_pad": 0.08}


def write_picture(run_dir: str | Path, out: str | Path) -> Path:
    """Write a PNG of a run whose recordings are on this machine.

    Args:
        run_dir: Folder written by `spikinggamma train`.
        out: Path of the picture.

    Raises:
        SpikingGammaError: There is no run, there are no recordings, or no layer spikes.

    Example:
        >>> write_picture("runs/localisation-0-1", "report.png")  # doctest: +SKIP
        PosixPath('report.png')
    """
    run, path = load_run(run_dir), Path(out)
    look = look_at(run)
    if look.survey is None:
        raise SpikingGammaError("run_dir", str(run_dir), "a run that can be watched at work", look.missing)
    net = run.net()
    if not isinstance(net, GammaNet):
        raise SpikingGammaError("run_dir", f"{run_dir}, a {run.recipe.net.model} net", "a run of SpikingGamma")
    sample, layer = look.samples[0], look.samples[0].layers[0]
    neurons = pick_neurons(layer, (0.75,))
    if not neurons:
        raise SpikingGammaError("run_dir", str(run_dir), "a run whose first hidden layer spikes")
    names = data_info(run.recipe).class_names
    with matplotlib.rc_context({**STYLE, "savefig.facecolor": "white", **_MARGINS}):
        figure = Figure(figsize=_INCHES, layout="constrained")
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.0, 1.12], wspace=0.03)[0]
        upper, lower = right.subfigures(2, 1, squeeze=False, height_ratios=[1.0, 0.9], hspace=0.03)[:, 0]
        _title(left, f"A recording in the net: {names[sample.label]}")
        orders = [order_by_peak(part.by_time.mean(0), sample.dt_ms) for part in look.survey.layers]
        longest = len(sample.events) * sample.dt_ms
        draw_sample(sample, orders, names, run.recipe.learning.loss, longest, left)
        _title(upper, "A neuron's signal, and the estimate that its listeners decode from its spikes")
        draw_code(layer, neurons[0], sample.dt_ms, upper)
        _title(lower, "The delays that the hidden layer has learnt, and some of its kernels")
        weights, kernels = lower.subplots(1, 2)
        found = profile(net.stack[0], run.recipe.data.dt_ms)
        draw_profile(weights, found)
        draw_kernels(kernels, found)
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    write_atomically(path, content.getvalue())
    return path


def _title(figure: SubFigure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", color=INK, fontsize=11.5, fontweight="bold")
