"""What the claims rest on: benches that write rows and draw nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["BENCHES"]


def _on_call(name: str) -> Callable[..., Iterator[dict[str, Any]]]:
    """`run` of the bench's module, imported when it is called: a process that measures memory loads nothing else."""

    def run(*, quick: bool, seed: int, **options: Any) -> Iterator[dict[str, Any]]:
        rows: Iterator[dict[str, Any]] = importlib.import_module(f"spikinggamma.bench.{name}").run(
            quick=quick, seed=seed, **options
        )
        return rows

    return run


BENCHES: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
    name: _on_call(name) for name in ("gradient", "memory", "resolution", "speed", "timing")
}
