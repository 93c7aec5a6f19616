"""The spike count of the sigma-delta code as comparisons with thresholds, for targets that have only these.

    n(t) >= j   iff   y(t) - ŷ⁻(t) >= (2j - 1) ϑ          where ϑ does not adapt

In floating point, ⌊d / 2ϑ + ½⌋ rounds twice, so the boundary differs from (2j - 1) ϑ by a few roundings. It is found by
search: the count grows with d, so there is a largest d at which it is still below j.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, sigma_delta_step

__all__ = ["spike_thresholds"]

_BITS: dict[torch.dtype, tuple[type[np.signedinteger], type[np.floating]]] = {
    torch.float32: (np.int32, np.float32),
    torch.float64: (np.int64, np.float64),
}


def spike_thresholds(code: SigmaDelta, dtype: torch.dtype) -> Float[Tensor, " J"]:
    """Return, for j = 1 .. max_spikes, the largest difference d with fewer than j spikes: n >= j exactly where d exceeds it.

    Args:
        code: A code without adaptation and with a limit on its spikes.
        dtype: Dtype of the signal, in which the count is computed.

    Raises:
        SpikingGammaError: The threshold adapts, the spikes have no limit, or the dtype is not supported.

    Example:
        >>> spike_thresholds(SigmaDelta(0.5, adaptation=0.0, max_spikes=2), torch.float32) < torch.tensor([0.5, 1.5])
        tensor([True, True])
    """
    if code.adaptation > 0.0 or code.max_spikes is None:
        expected = "adaptation 0 and a finite max_spikes: only then is a count a number of comparisons"
        raise SpikingGammaError("code", code, expected)
    if dtype not in _BITS:
        raise SpikingGammaError("dtype", dtype, "torch.float32 or torch.float64")
    integer, floating = _BITS[dtype]
    wanted = np.arange(1, code.max_spikes + 1)
    # Positive floats have the same order as the integers with their bits.
    low = np.zeros(len(wanted), floating).view(integer)
    high = (4.0 * code.threshold * wanted).astype(floating).view(integer)
    while np.any(high - low > 1):
        middle = low + (high - low) // 2
        should_stop = _counts(code, torch.from_numpy(middle.view(floating))) >= wanted
        low, high = np.where(should_stop, low, middle), np.where(should_stop, middle, high)
    return torch.from_numpy(low.view(floating).copy())


def _counts(code: SigmaDelta, difference: Tensor) -> np.ndarray:
    """Return the spike counts n of a neuron whose estimate is zero."""
    zero = torch.zeros_like(difference)
    sent, _ = sigma_delta_step(code, 0.0, 1.0, SigmaDeltaState(zero, zero), difference)
    return torch.round(sent / (2.0 * (code.threshold + zero))).numpy()
