"""Packages that only some of the library needs, and that an extra of this one installs."""

from __future__ import annotations

import importlib.util

from spikinggamma.errors import SpikingGammaError

__all__ = ["require"]


def require(package: str, extra: str, purpose: str) -> None:
    """Check that an optional package is installed, without importing it.

    Args:
        package: Its name, under which it is imported and installed.
        extra: Which extra of this package installs it.
        purpose: What it is for, as the message ends its sentence.

    Raises:
        SpikingGammaError: The package is not installed.

    Example:
        >>> require("clairvoyance", "future", "which knows the test set")
        Traceback (most recent call last):
        ...
        spikinggamma.errors.SpikingGammaError: `future`: got no such package; expected the package clairvoyance, which knows \
the test set. Install it with: pip install clairvoyance (in a checkout of SpikingGamma: pip install -e ".[future]")
    """
    if importlib.util.find_spec(package) is None:
        remedy = f'Install it with: pip install {package} (in a checkout of SpikingGamma: pip install -e ".[{extra}]")'
        raise SpikingGammaError(extra, "no such package", f"the package {package}, {purpose}", remedy)
