"""Trade-off between the number of spikes and accuracy: a trained net evaluated with scaled thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.result_rows import evaluate
from spikinggamma.evaluation.scores import Part
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
    """Return one row of `evaluate` for each scale of the thresholds; the net is not retrained.

    Choose a scale on validation recordings, like any other hyper-parameter.

    Args:
        run: A run or its folder, of a net that spikes.
        scales: Factors for the thresholds, all positive.
        part: Part of the data.
        energies: Table of energies, as in `evaluate`.
        device: auto, cpu or cuda.
        command: Command line to record in the rows.

    Raises:
        SpikingGammaError: There is no scale, the net has no thresholds, or `evaluate` raises it.
    """
    if not scales:
        raise SpikingGammaError("scales", "none", "at least one factor of the thresholds")
    return [
        evaluate(run, part=part, threshold_scale=scale, energies=energies, device=device, command=command)
        for scale in scales
    ]
