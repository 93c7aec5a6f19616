"""The command line. Commands parse their arguments and call the packages that do the work."""

from spikinggamma.cli.commands import app, main

__all__ = ["app", "main"]
