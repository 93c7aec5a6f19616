"""The targets of export by name, and the function that exports a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spikinggamma.data import known_name
from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.c_program import write_c
from spikinggamma.export.nir_file import write_nir

__all__ = ["TARGETS", "export_run"]

TARGETS: dict[str, Callable[..., Path]] = {"c": write_c, "nir": write_nir}
"""Functions by the name of a target; each takes a run, the file to write and its own options, and returns the file."""


def export_run(run: str | Path, to: str, out: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Export a run to a target format.

    Args:
        run: Folder of the run.
        to: Target format, a name in `TARGETS`.
        out: The file.
        options: Options of the target by name; those that are None are left out.

    Raises:
        SpikingGammaError: The target or an option is unknown, or the target cannot represent the net; the message says why.
    """
    write = TARGETS[known_name("--to", to, TARGETS)]
    given = {name: value for name, value in (options or {}).items() if value is not None}
    for name, value in given.items():
        if name not in inspect.signature(write).parameters:
            having = " and ".join(other for other in TARGETS if name in inspect.signature(TARGETS[other]).parameters)
            expected = f"no such option for {to}" + (f", only for {having}" if having else "")
            raise SpikingGammaError(f"--{name.replace('_', '-')}", value, expected)
    path = Path(out)
    if not path.resolve().parent.is_dir():
        raise SpikingGammaError("--out", str(path), "a file in a folder that exists")
    return write(run, path, **given)
