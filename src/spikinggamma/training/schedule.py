"""The course of the step size over a run, as a pure function of progress: nothing to save, nothing to resume."""

from __future__ import annotations

import math

from spikinggamma.recipes.schema import Learning

__all__ = ["learning_rate"]

# It ends here rather than at nothing, so that the last epoch is not spent standing still.
_FLOOR = 0.01


def learning_rate(learning: Learning, *, progress: float, epochs: int) -> float:
    """Step size after `progress` epochs (a fraction inside an epoch) of `epochs`.

    `constant` stays; `cosine` falls as ½ (1 + cos π p) from the top to 1 % of it, `linear` as 1 - p; `warmup_cosine` first
    rises linearly over `warmup_epochs`.

    Example:
        >>> learning_rate(Learning(schedule="cosine", learning_rate=0.01), progress=0.0, epochs=10)
        0.01
    """
    top = learning.learning_rate
    if learning.schedule == "constant":
        return top
    warmup = learning.warmup_epochs if learning.schedule == "warmup_cosine" else 0.0
    if progress < warmup:
        return top * max(progress / warmup, _FLOOR)
    share = min(1.0, (progress - warmup) / (epochs - warmup))
    left = 1.0 - share if learning.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * share))
    return top * (_FLOOR + (1.0 - _FLOOR) * left)
