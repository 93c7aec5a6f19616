"""The command line: parses and calls. What a command does is in the room that it calls."""

from spikinggamma.cli.commands import app, main

__all__ = ["app", "main"]
