"""The dial between few spikes and faithful ones: a trained net evaluated under other thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.scores import Part, evaluate
from spikinggamma.runs.run import Run

__all__ = ["sparsity_curve"]


def sparsity_curve(
    run: Run | str | Path,
    scales: Sequence[float],
    *,
    part: Part = "validation",
    energies: str | Path = "float32",
    device: str = "auto",
    command: str = "",
) -> list[dict[str, Any]]:
    """Rows of `evaluate`, one for each factor of the thresholds; the net is not retrained.

    A factor is a choice like any other: make it on validation recordings.

    Args:
        run: A run or its folder, of a net that spikes.
        scales: Factors of the thresholds, all positive.
        part: Which part of the data.
        energies: As `evaluate` takes them.
        device: auto, cpu or cuda.
        command: What was typed, for the rows.

    Raises:
        SpikingGammaError: No factor; a net without thresholds; what `evaluate` raises.
    """
    if not scales:
        raise SpikingGammaError("scales", "none", "at least one factor of the thresholds")
    return [
        evaluate(run, part=part, threshold_scale=scale, energies=energies, device=device, command=command)
        for scale in scales
    ]
