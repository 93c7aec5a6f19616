"""Checks for optional packages, which only some parts of the library need."""

from __future__ import annotations

import importlib.util

from spikinggamma.errors import SpikingGammaError

__all__ = ["require"]


def require(package: str, extra: str, purpose: str) -> None:
    """Check that an optional package is installed, without importing it.

    Args:
        package: Name of the package.
        extra: Extra of this package that installs it.
        purpose: Relative clause for the message that says what the package is needed for.

    Raises:
        SpikingGammaError: The package is not installed.

    Example:
        >>> require("clairvoyance", "future", "which knows the test set")
        Traceback (most recent call last):
        ...
        spikinggamma.errors.SpikingGammaError: `future`: got no such package; expected the package clairvoyance, which knows \
the test set. Install it with: pip install "spikinggamma[future]"
    """
    if importlib.util.find_spec(package) is None:
        remedy = f'Install it with: pip install "spikinggamma[{extra}]"'
        raise SpikingGammaError(extra, "no such package", f"the package {package}, {purpose}", remedy)
