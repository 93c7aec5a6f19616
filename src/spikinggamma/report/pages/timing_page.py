"""The page of the timing suite, with the experiments of "Beyond Rate Coding", and of the effect of the time step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikinggamma.report.figures.resolution import resolution_section
from spikinggamma.report.figures.timing_levels import AXES, level_panel
from spikinggamma.report.figures.timing_price import price_panel
from spikinggamma.report.figures.timing_reversal import reversal_panel
from spikinggamma.report.html import rows_page_path, versions_of, write_html
from spikinggamma.report.rows.resolution_rows import ResolutionRow, read_resolution_rows
from spikinggamma.report.rows.resolution_table import HEADINGS, resolution_table
from spikinggamma.report.rows.timing_rows import (
    TimingRow,
    colours,
    model_title,
    place_title,
    places,
    read_timing_rows,
    undisturbed,
)
from spikinggamma.report.theme import PALETTE, Section

__all__ = ["write_timing_page"]

_HEADINGS = (
    "task", "perturbation", "level", "mode", "model", "accuracy", "interval", "spikes/neuron/s", "seeds", "samples",
    "epochs", "parameters", "rule", "split",
)  # fmt: skip


class _Theme(NamedTuple):
    """A section of curves: heading, introduction, perturbation and mode."""

    key: str
    title: str
    intro: str
    perturbation: str
    mode: str


_THEMES = (
    _Theme(
        "replacement",
        "Timing at random",
        "A share of all spikes is put at random times while counts stay, in training and in testing. What a net loses from "
        "left to right, it owed to timing; at the right end only counts are left.",
        "replacement",
        "train-and-test",
    ),
    _Theme(
        "intervals",
        "Longer intervals",
        "How far apart two spikes may be and still be recognised as a pair. A net needs memory or delays of that length.",
        "max_interval_ms",
        "train-and-test",
    ),
    _Theme(
        "overlap",
        "Harder coincidences",
        "Which groups are active together, which is harder the more similar busy and quiet groups are.",
        "overlap",
        "train-and-test",
    ),
    _Theme(
        "jitter",
        "Jitter of each spike",
        "Nets trained on unperturbed recordings. Every spike moves independently: early drops mean fine timing.",
        "jitter",
        "test-only",
    ),
    _Theme(
        "jitter-trained",
        "Jitter of each spike, in training too",
        "The same, but each net has learnt from recordings jittered as much as those of its test.",
        "jitter",
        "train-and-test",
    ),
    _Theme(
        "channel-jitter",
        "Jitter of each channel",
        "All spikes of a channel move together: intervals within channels stay, those between channels are lost.",
        "channel_jitter",
        "test-only",
    ),
    _Theme(
        "deletion",
        "Lost spikes",
        "Spikes of test recordings are deleted at random; the slower accuracy falls, the more redundant is the code.",
        "deletion",
        "test-only",
    ),
)


def write_timing_page(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw rows of `spikinggamma bench timing` and `bench resolution` as one HTML page.

    Args:
        paths: Files of rows; of several rows of one measurement the last is used.
        out: Path of the page; beside the first file, with its name, if not given.

    Returns:
        The path of the page, which is written atomically.

    Raises:
        SpikingGammaError: A file is missing or holds no such rows, or the page cannot be written.

    Example:
        >>> write_timing_page(["timing.jsonl"])  # doctest: +SKIP
        PosixPath('timing.html')
    """
    rows, steps = read_timing_rows(paths), read_resolution_rows(paths)
    everything: list[TimingRow | ResolutionRow] = [*rows, *steps]
    path = rows_page_path(everything, paths, out, wanted="at least one row")
    models = list(dict.fromkeys(row.model for row in rows))
    return write_html(
        path,
        "timing.html",
        models=[(model_title(model), _role(colours(rows)[model])) for model in models],
        overview=[(place_title(place), [_overview(rows, place, model) for model in models]) for place in places(rows)],
        sections=[*_sections(rows), *([resolution_section(steps)] if steps else [])],
        headings=_HEADINGS,
        rows=_table(rows),
        step_headings=HEADINGS,
        step_rows=resolution_table(steps),
        quick=any(row.quick for row in everything),
        seeds=sorted({seed for row in everything for seed in row.seeds}),
        versions=sorted({versions_of(row.rest) for row in everything}),
        commands=sorted({str(row.rest.get("command", "")) for row in everything}),
    )


def _sections(rows: Sequence[TimingRow]) -> list[Section]:
    sections = []
    for theme in _THEMES:
        panels = []
        for place in places(rows):
            own = _of(rows, place, theme.perturbation, theme.mode)
            if own:
                panels.append(level_panel(own, place, theme.perturbation, theme.mode))
        if panels:
            sections.append(Section(theme.key, theme.title, theme.intro, panels, columns=2))
    backwards = [reversal_panel(own, place) for place in places(rows) if (own := _of(rows, place, "reversal"))]
    if backwards:
        intro = "Recordings played backwards have the same counts and the same coincidences; only the order is lost."
        sections.append(Section("reversal", "Time reversed", intro, backwards, columns=2))
    models = list(dict.fromkeys(row.model for row in rows))
    prices = []
    for place in places(rows):
        found = [row for model in models if (row := undisturbed(rows, place, model)) is not None]
        prices.append(price_panel(found, place))
    shown = [panel for panel in prices if panel is not None]
    if shown:
        intro = "Unperturbed recordings, or the easiest setting of a task; models without spikes are left out."
        sections.append(Section("price", "Accuracy against spikes", intro, shown, columns=2))
    return sections


def _of(rows: Sequence[TimingRow], place: tuple[str, str], perturbation: str, mode: str = "") -> list[TimingRow]:
    return [
        row
        for row in rows
        if row.place == place and row.perturbation == perturbation and (not mode or row.mode == mode)
    ]


def _overview(rows: Sequence[TimingRow], place: tuple[str, str], model: str) -> str:
    """Return the accuracy without perturbation, and with fully random timing where that was measured."""
    plain = undisturbed(rows, place, model)
    if plain is None:
        return ""
    own = [row for row in _of(rows, place, "replacement") if row.model == model and row.level == 1.0]
    return _percent(plain.accuracy) + (f" → {_percent(own[0].accuracy)}" if own else "")


def _table(rows: Sequence[TimingRow]) -> list[list[str]]:
    order = places(rows)
    kinds = [*AXES, "reversal"]

    def key(row: TimingRow) -> tuple[int, int, str, str, float]:
        kind = kinds.index(row.perturbation) if row.perturbation in kinds else len(kinds)
        return order.index(row.place), kind, row.perturbation, row.mode, row.level

    return [
        [
            place_title(row.place),
            row.perturbation,
            f"{row.level:g}",
            row.mode,
            model_title(row.model),
            _percent(row.accuracy),
            f"{_percent(row.low)} to {_percent(row.high)}",
            f"{row.spikes_per_neuron_s:.1f}",
            ", ".join(map(str, row.seeds)),
            *(str(row.rest.get(name, "")) for name in ("samples", "epochs", "parameters", "rule", "split")),
        ]
        for row in sorted(rows, key=key)
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"


def _role(colour: str) -> str:
    return next(role for role, pair in PALETTE.items() if pair[0] == colour)
