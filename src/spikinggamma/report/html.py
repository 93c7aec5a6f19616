"""Output of pages: their path, and their template filled in and written as one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from spikinggamma import __version__
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.report.theme import PALETTE

__all__ = ["page_path", "rows_page_path", "versions_of", "write_html"]


def page_path(out: str | Path | None, default: Path) -> Path:
    """Return the path of a page, checked before anything is drawn.

    Raises:
        SpikingGammaError: The folder does not exist.

    Example:
        >>> page_path(None, Path("rows.jsonl").with_suffix(".html"))
        PosixPath('rows.html')
    """
    path = default if out is None else Path(out)
    if not path.parent.is_dir():
        raise SpikingGammaError("--out", str(path), "a file in a folder that exists")
    return path


def rows_page_path(rows: Sequence[object], paths: Sequence[str | Path], out: str | Path | None, *, wanted: str) -> Path:
    """Return the path of a page of rows, checked before anything is drawn: beside the first file, if not given.

    Args:
        rows: Rows that were read.
        paths: Files from which they were read.
        out: Path of the page, or None.
        wanted: What is expected where there are no rows.

    Raises:
        SpikingGammaError: There are no rows, or the folder does not exist.
    """
    if not rows:
        raise SpikingGammaError("rows", ", ".join(map(str, paths)) or "none", wanted)
    return page_path(out, Path(paths[0]).with_suffix(".html"))


def write_html(path: Path, template: str, **content: object) -> Path:
    """Fill in a template of this package, which extends `base.html`, and write the file atomically.

    Raises:
        SpikingGammaError: The file cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spikinggamma.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(palette=PALETTE, version=__version__, **content)
    write_atomically(path, html.encode())
    return path


def versions_of(row: Mapping[str, object]) -> str:
    """Return the versions in a row as text.

    Example:
        >>> versions_of({"versions": {"torch": "2.9.0", "python": "3.13.1"}})
        'torch 2.9.0, python 3.13.1'
    """
    given = row.get("versions")
    return ", ".join(f"{name} {value}" for name, value in given.items()) if isinstance(given, dict) else "not noted"
