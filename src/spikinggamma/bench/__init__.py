"""Benchmarks, which write their results as rows."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["BENCHES"]


def _on_call(name: str) -> Callable[..., Iterator[dict[str, Any]]]:
    """Return `run` of a benchmark's module, which is imported on the call, so that a memory measurement loads nothing else."""

    def run(*, quick: bool, seed: int, **options: Any) -> Iterator[dict[str, Any]]:
        rows: Iterator[dict[str, Any]] = importlib.import_module(f"spikinggamma.bench.{name}").run(
            quick=quick, seed=seed, **options
        )
        return rows

    return run


BENCHES: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
    name: _on_call(name) for name in ("gradient", "memory", "resolution", "speed", "timing")
}
