"""Reader of IDX files, the format of MNIST: arrays of bytes, compressed by gzip or not."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.errors import SpikingGammaError

__all__ = ["read_idx"]


def read_idx(path: Path, n_axes: int) -> npt.NDArray[Any]:
    """Read an IDX file of bytes, compressed by gzip or not: 0, 0, 8, the number of axes, the length of each, the values.

    Raises:
        SpikingGammaError: The file cannot be read, or is not an IDX file of bytes with this number of axes.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole IDX file", "Fetch it again.") from error
    header, body = bytes((0, 0, 8, n_axes)), 4 + 4 * n_axes
    if data[:4] != header or len(data) < body:
        expected = f"{header.hex(' ')} and {n_axes} lengths, the head of an IDX file of bytes"
        raise SpikingGammaError(str(path), f"a file that begins with {data[:body].hex(' ') or 'nothing'}", expected)
    lengths = [int.from_bytes(data[at : at + 4], "big") for at in range(4, body, 4)]
    if len(data) - body != math.prod(lengths) or 0 in lengths:
        promised = f"{' x '.join(map(str, lengths))}, as it says, and at least one"
        raise SpikingGammaError(str(path), f"{len(data) - body} bytes after the header", promised, "Fetch it again.")
    return np.frombuffer(data, np.uint8, offset=body).reshape(lengths)
