"""What a run can be exported to, and the one function that exports it."""

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
"""Name to a function of a run, the file to write and options of its own, all by name; it returns what it wrote."""


def export_run(run: str | Path, to: str, out: str | Path, options: Mapping[str, Any] | None = None) -> Path:
    """Write a run in another form.

    Args:
        run: Its folder.
        to: Which form, a name in `TARGETS`.
        out: The file.
        options: Of that form, by their names; those that are None are not given.

    Raises:
        SpikingGammaError: No such form, or an option that it does not have; what the form cannot represent, and why.
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
