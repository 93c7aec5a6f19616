"""The schedule of the learning rate as a pure function of progress, which has no state to save."""

from __future__ import annotations

import math

from spikinggamma.recipes.schema import Learning

__all__ = ["learning_rate"]

# The cosine ends here instead of zero, so that the last epoch still learns.
_FLOOR = 0.01


def learning_rate(learning: Learning, *, progress: float, epochs: int) -> float:
    """Return the learning rate after `progress` epochs (with a fraction) of `epochs`.

    With the schedule `constant` it does not change; with `cosine` it falls as ½ (1 + cos π p) from the maximum to 1 %
    of it; with `linear` it falls as 1 - p; with `warmup_cosine` it first rises linearly over `warmup_epochs`.

    Args:
        learning: The settings of the optimiser.
        progress: Number of epochs done.
        epochs: Number of epochs in all.

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
