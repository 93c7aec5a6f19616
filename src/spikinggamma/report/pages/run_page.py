"""The page of one or more runs: a self-contained HTML file that fetches and executes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikinggamma.data import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import Chain, GammaNet
from spikinggamma.report.activity.inspect_run import Look, look_at
from spikinggamma.report.figures.axon_delays import axon_section
from spikinggamma.report.figures.comparison import comparison
from spikinggamma.report.figures.confusion import confusion_section
from spikinggamma.report.figures.cost import cost_section
from spikinggamma.report.figures.curves import learning_section
from spikinggamma.report.figures.delays import delay_section
from spikinggamma.report.figures.rasters import raster_section
from spikinggamma.report.figures.rates import rate_section
from spikinggamma.report.figures.signals import signal_section
from spikinggamma.report.figures.tuning import tuning_section
from spikinggamma.report.figures.values import value_section
from spikinggamma.report.headline import Headline, check_metrics, headline
from spikinggamma.report.html import page_path, write_html
from spikinggamma.report.theme import Section
from spikinggamma.runs import Run, build_net, load_run

__all__ = ["write_page"]

_FULL = 3  # with more runs on one page, each has its headline only, so that a page takes seconds


class _Part(NamedTuple):
    """The part of the page that describes one run."""

    key: str
    headline: Headline
    sections: list[Section]


def write_page(run_dirs: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw runs as one HTML page; several runs have a comparison at the top.

    With more than three runs, the page holds the comparison and no figures of single runs.

    Args:
        run_dirs: Folders written by `spikinggamma train`.
        out: Path of the page; `report.html` in the first folder if not given.

    Returns:
        The path of the page, which is written atomically.

    Raises:
        SpikingGammaError: A folder is missing or holds no run, a file is damaged, or the page cannot be written.

    Example:
        >>> write_page(["runs/localisation-0-1"])  # doctest: +SKIP
        PosixPath('runs/localisation-0-1/report.html')
    """
    if not run_dirs:
        raise SpikingGammaError("run_dirs", "none", "the folder of at least one run")
    runs = [load_run(folder) for folder in run_dirs]
    for run in runs:
        check_metrics(run)
    names = _names(runs)
    path = page_path(out, runs[0].path / "report.html")
    parts = []
    for index, (run, name) in enumerate(zip(runs, names, strict=True)):
        sections = _sections(run, f"r{index}") if len(runs) <= _FULL else []
        parts.append(_Part(f"r{index}", headline(run, name), sections))
    return write_html(
        path,
        "page.html",
        parts=parts,
        comparison=comparison(runs, names) if len(runs) > 1 else None,
    )


def _sections(run: Run, key: str) -> list[Section]:
    class_names = data_info(run.recipe).class_names
    look = look_at(run)
    values = "values" in data_info(run.recipe).answer
    sections = [learning_section(run, key), (value_section if values else confusion_section)(run, key)]
    net = run.net() if run.best.is_file() else None
    begun = build_net(run.recipe)
    spiking = begun.spikes
    speaks = spiking and not run.recipe.net.analogue
    if look.survey is None:
        sections.append(Section(f"{key}-rasters", "The net at work", "", note=look.missing))
    elif spiking:
        rasters = raster_section(look.samples, look.survey, class_names, key, run.recipe.learning.loss, look.part)
        sections.append(rasters)
    if look.survey is not None and isinstance(begun, GammaNet):
        sections.append(signal_section(look.samples[0], run.recipe.net.tau_ms[0], key))
    if isinstance(net, GammaNet):
        sections.append(delay_section(net, run.recipe.data.dt_ms, key))
    if isinstance(net, Chain) and isinstance(begun, Chain):
        axons = axon_section(net, begun, key)
        sections += [axons] if axons else []
    if speaks:
        rates = _rates(run)
        if rates:
            sections.append(rate_section(rates, look.survey, key, _where(run, look)))
        if look.survey is not None:
            sections.append(tuning_section(look.survey, () if values else class_names, key))
    cost = (run.result or {}).get("cost")  # missing in runs of earlier versions
    if cost is not None:
        sections.append(cost_section(cost, cost["seconds"], cost["energies"], key))
    return sections


def _rates(run: Run) -> list[float]:
    if run.result is not None:
        return [float(rate) for rate in run.result["spikes_per_neuron_s_by_layer"]]
    return [float(rate) for rate in run.metrics[-1]["spikes_per_neuron_s"]] if run.metrics else []


def _where(run: Run, look: Look) -> str:
    text = "All of the test part" if run.result is not None else "The validation part after the last epoch"
    if look.survey is None:
        return f"{text}. {look.missing}"
    return f"{text}; by neuron and over time, {len(look.survey.indices)} recordings of the {look.part} part."


def _names(runs: Sequence[Run]) -> list[str]:
    """Return folder names, with as much of the path as makes them unique."""
    paths = [run.path.resolve() for run in runs]
    for depth in range(1, max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{path.name} ({index})" for index, path in enumerate(paths, start=1)]
