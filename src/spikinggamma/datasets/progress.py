"""Progress bars on standard error, which appear on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(title: str, total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances the bar by a count.

    The bar appears only on a terminal, and only after a short delay.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.update(task, advance=count)


@contextmanager
def byte_bar(title: str, *, shown: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that sets the number of bytes received and the total, None where it is unknown."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    disable = not (shown and console.is_terminal)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=disable) as bar:
        task = bar.add_task(title, total=None)
        yield lambda held, total: bar.update(task, completed=held, total=total)
