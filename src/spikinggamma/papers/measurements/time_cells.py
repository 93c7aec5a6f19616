"""How sparse the code of a trained net is, and how much its neurons are like time cells.

A time cell speaks at a preferred time since the start of a recording. Preferred times are found on one half of the
recordings and judged by the other, since the highest of many noisy rates is always high: a neuron is a time cell if, at
the time that it prefers in the first half, its rate in the second half is at least twice its mean there. Rates are
averaged over 20 ms; neurons with fewer than 50 spikes are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from spikinggamma.papers.measurements.trained import trained
from spikinggamma.report.activity.neuron_order import smooth
from spikinggamma.report.activity.survey import survey

__all__ = ["TimeCells", "measure", "time_cells"]

_ENOUGH = 50
_TIMES = 2.0
_STRETCHES = 10


class TimeCells(NamedTuple):
    """Time cells among the neurons of a layer.

    Attributes:
        speaking: Neurons with enough spikes to be judged.
        cells: Time cells among them.
        stretches: Of ten equal stretches of time, those that a time cell prefers.
    """

    speaking: int
    cells: int
    stretches: int


def time_cells(by_time: Float[np.ndarray, "2 T N"], spikes: Float[np.ndarray, " N"], dt_ms: float) -> TimeCells:
    """Return the time cells of a layer.

    Args:
        by_time: Rates by time since the start, averaged over each of two halves of the recordings.
        spikes: Number of spikes of each neuron.
        dt_ms: The time step [ms].

    Example:
        >>> rates = np.zeros((2, 100, 2))
        >>> rates[:, 10:15, 0] = rates[:, :, 1] = 20.0
        >>> time_cells(rates, np.array([200.0, 900.0]), 4.0)
        TimeCells(speaking=2, cells=1, stretches=1)
    """
    enough = spikes >= _ENOUGH
    if not enough.any():
        return TimeCells(0, 0, 0)
    first, second = (smooth(half[:, enough], dt_ms) for half in by_time)
    preferred = first.argmax(axis=0)
    there = second[preferred, np.arange(second.shape[1])]
    cells = (there >= _TIMES * second.mean(axis=0)) & (there > 0.0)
    stretches = {int(time) * _STRETCHES // len(first) for time in preferred[cells]}
    return TimeCells(int(enough.sum()), int(cells.sum()), len(stretches))


def measure(folder: Path, *, recipe: str, settings: Sequence[str], seed: int) -> dict[str, Any]:
    """Train a net; return the time cells of its hidden layers on test recordings, and how often its neurons speak."""
    run = trained(folder, recipe, settings, seed)
    found = survey(run.net(), run.recipe, run.splits().test)
    layers = [time_cells(layer.by_time, layer.spikes, found.dt_ms) for layer in found.layers]
    rates = np.concatenate([layer.overall for layer in found.layers])
    return {
        "speaking": [layer.speaking for layer in layers],
        "time_cells": [layer.cells for layer in layers],
        "stretches": [layer.stretches for layer in layers],
        "spikes_per_neuron_s": float(rates.mean()),
        "share_of_steps": float(rates.mean()) * found.dt_ms / 1000.0,
        "accuracy": (run.result or {})["accuracy"],
    }
