"""The page of the speed benchmark: training steps compared with their matrix products and with other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.report.figures.speed import length_section, shape_section, time_words
from spikinggamma.report.html import rows_page_path, versions_of, write_html
from spikinggamma.report.rows.speed_rows import SpeedRow, library_name, read_speed_rows
from spikinggamma.report.theme import grouped

__all__ = ["write_speed_page"]

_HEADINGS = (
    "run", "case", "library", "version", "neurons", "input not zero", "batch", "steps", "precision", "device", "threads",
    "time", "over the products", "over SpikingGamma", "memory [MiB]", "agreement", "rounds", "seed",
)  # fmt: skip


def write_speed_page(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw rows of `spikinggamma bench speed` as one HTML page.

    Args:
        paths: Files of rows; of several rows of one measurement, by one command, the last is used.
        out: Path of the page; beside the first file, with its name, if not given.

    Returns:
        The path of the page, which is written atomically.

    Raises:
        SpikingGammaError: A file is missing or holds no such rows, or the page cannot be written.

    Example:
        >>> write_speed_page(["speed.jsonl"])  # doctest: +SKIP
        PosixPath('speed.html')
    """
    rows = read_speed_rows(paths)
    path = rows_page_path(rows, paths, out, wanted="at least one row of `bench speed`")
    sections = [shape_section(rows), length_section(rows)]
    commands = {row.run: row.rest["command"] for row in rows}
    return write_html(
        path,
        "speed.html",
        sections=[section for section in sections if section is not None],
        headings=_HEADINGS,
        rows=[_line(row) for row in rows],
        count=len(rows),
        seeds=sorted({row.seed for row in rows}),
        quick=any("--quick" in command.split() for command in commands.values()),
        commands=[f"{run}. {command}" for run, command in sorted(commands.items())],
        versions=sorted({versions_of(row.rest) for row in rows}),
    )


def _line(row: SpeedRow) -> list[str]:
    shape, agreement = row.shape, row.rest.get("agreement")
    return [
        str(row.run),
        row.case,
        library_name(row.library),
        row.version,
        grouped(shape.neurons),
        f"{100.0 * shape.density:g}\u00a0%",
        str(shape.batch),
        grouped(shape.steps),
        shape.precision,
        shape.device,
        str(shape.threads),
        time_words(row.seconds),
        f"{row.over_products:.2f}",
        f"{row.over_ours:.2f}",
        grouped(round(row.step_mib)),
        "" if agreement is None else f"{agreement:.4g}" if isinstance(agreement, int | float) else str(agreement),
        str(row.rest.get("rounds", "")),
        str(row.seed),
    ]
