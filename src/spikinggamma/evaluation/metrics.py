"""Metrics that belong to an answer: accuracy of classes, R², RSE and MAE of values.

With targets y, predictions p and the mean m of the known targets of an output, over all that are known:

    R² = 1 - Σ (y - p)² / Σ (y - m)²        RSE = sqrt(Σ (y - p)² / Σ (y - m)²)        MAE = mean |y - p|

RSE is the root relative squared error of the forecasting literature (Lai, Chang, Yang and Liu 2018, equation 11), over all
outputs together; R² is averaged over outputs, so that one of large numbers does not stand for all. An output whose targets
never change has no R², and is left out of the average.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from spikinggamma.data.loading import data_info
from spikinggamma.learning import LOSSES
from spikinggamma.learning.loss import Answer
from spikinggamma.recipes.schema import Recipe

__all__ = ["ACCURACY", "R2", "Metric", "metric_of", "metric_of_row", "validated", "value_metrics"]


class Metric(NamedTuple):
    """The figure by which nets of one kind of answer are compared: larger is better.

    Attributes:
        name: In keys of rows, as `validation_accuracy`.
        title: For people.
        share: Whether it is a share, shown in per cent.
        worst: What stands for a net that has none.
    """

    name: str
    title: str
    share: bool
    worst: float = 0.0

    def text(self, value: float) -> str:
        """Return a value as people read it.

        Example:
            >>> ACCURACY.text(0.5), R2.text(0.5)
            ('50.0%', '0.500')
        """
        return f"{value:.1%}" if self.share else f"{value:.3f}"


ACCURACY = Metric("accuracy", "accuracy", True)
R2 = Metric("r2", "R²", False, -1e3)


def metric_of(recipe: Recipe) -> Metric:
    """Return the metric by which the nets of a recipe are compared."""
    judged = LOSSES[recipe.learning.loss].target.answer
    values = judged is Answer.VALUES or (
        judged is Answer.CLASS_OR_VALUES_BY_STEP and data_info(recipe).answer == "step_values"
    )
    return R2 if values else ACCURACY


def metric_of_row(row: Mapping[str, Any]) -> Metric:
    """Return the metric that a row of metrics or a result has.

    Example:
        >>> metric_of_row({"validation_r2": 0.5}).name
        'r2'
    """
    return R2 if "validation_r2" in row or "r2" in row else ACCURACY


def validated(row: Mapping[str, Any]) -> tuple[Metric, float]:
    """Return the metric of a row of metrics, and its value on validation recordings."""
    metric = metric_of_row(row)
    return metric, float(row[f"validation_{metric.name}"])


def value_metrics(targets: Float[np.ndarray, "M K"], predictions: Float[np.ndarray, "M K"]) -> dict[str, Any]:
    """Return r2, rse, mae and mse, and r2 and mae of each output; None where a figure is not defined.

    Args:
        targets: NaN where not known.
        predictions: Of the same shape.

    Example:
        >>> value_metrics(np.array([[0.0], [2.0], [np.nan]]), np.array([[0.0], [1.0], [7.0]]))["r2"]
        0.5
    """
    known = ~np.isnan(targets)
    error = np.where(known, predictions - np.nan_to_num(targets), 0.0).astype(np.float64)
    counts = known.sum(axis=0)
    means = np.where(known, targets, 0.0).sum(axis=0) / np.maximum(counts, 1)
    spread = np.where(known, np.nan_to_num(targets) - means, 0.0).astype(np.float64)
    squared, total = (error**2).sum(axis=0), (spread**2).sum(axis=0)
    varies = total > 0.0
    by_output = [float(1.0 - s / t) if t > 0.0 else None for s, t in zip(squared, total, strict=True)]
    absolute = np.abs(error).sum(axis=0)
    return {
        "r2": float(np.mean(1.0 - squared[varies] / total[varies])) if varies.any() else None,
        "rse": float(np.sqrt(squared.sum() / total.sum())) if varies.any() else None,
        "mae": float(absolute.sum() / max(counts.sum(), 1)),
        "mse": float(squared.sum() / max(counts.sum(), 1)),
        "r2_by_output": by_output,
        "mae_by_output": [float(a / n) if n else None for a, n in zip(absolute, counts, strict=True)],
        "known": int(counts.sum()),
    }
