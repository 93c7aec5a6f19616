"""What a command ends with: 0 done, 2 bad input, 1 a fault of ours, 130 interrupted (and resumable)."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from spikinggamma.errors import SpikingGammaError

__all__ = ["ExitCodes"]


class ExitCodes(TyperGroup):
    """Bad input is a message and exit code 2; an interrupt is 130; anything else is ours and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpikingGammaError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt as interrupt:
            typer.echo(f"interrupted. {interrupt}".rstrip(), err=True)
            raise typer.Exit(130) from None
