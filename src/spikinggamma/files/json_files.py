"""Reading and writing of the JSON files of a run."""

from __future__ import annotations

import json
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically

__all__ = ["read_json", "write_json"]


def write_json(path: Path, value: object, *, remedy: str = "") -> None:
    """Write `value` as an indented JSON file, atomically."""
    write_atomically(
        path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode(), remedy=remedy
    )


def read_json(path: Path) -> dict[str, object]:
    """Return the object in a JSON file.

    Raises:
        SpikingGammaError: The file does not exist, or does not hold one JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpikingGammaError(str(path), f"a file that cannot be read ({error})", "a JSON object") from None
    if not isinstance(value, dict):
        raise SpikingGammaError(str(path), f"a JSON {type(value).__name__}", "a JSON object")
    return value
