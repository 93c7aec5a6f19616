"""Versions on which results depend."""

from __future__ import annotations

import platform

import numpy as np
import torch

import spikinggamma

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which results depend.

    Example:
        >>> sorted(versions())
        ['numpy', 'platform', 'python', 'spikinggamma', 'torch']
    """
    return {
        "spikinggamma": spikinggamma.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
