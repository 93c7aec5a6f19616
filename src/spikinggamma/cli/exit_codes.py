"""Exit codes of the commands: 0 success, 2 bad input, 1 an internal error, 130 interrupted (and resumable)."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from spikinggamma.errors import SpikingGammaError

__all__ = ["ExitCodes"]


class ExitCodes(TyperGroup):
    """A command group that maps errors to exit codes: bad input prints a message and exits with 2, an interrupt with 130.

    Any other exception is an internal error: it keeps its traceback, and the exit code is 1.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpikingGammaError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt as interrupt:
            typer.echo(f"interrupted. {interrupt}".rstrip(), err=True)
            raise typer.Exit(130) from None
