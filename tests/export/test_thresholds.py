"""A spike count is a number of comparisons, in the very floating point in which it is computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import kernels
from spikinggamma.errors import SpikingGammaError
from spikinggamma.export import spike_thresholds
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, sigma_delta_step

TYPES = st.sampled_from([torch.float32, torch.float64])
THRESHOLDS = st.floats(1e-3, 10.0)


def around(levels: torch.Tensor) -> torch.Tensor:
    """Each level, and some floats to either side of it."""
    values = [levels.numpy()]
    for towards in (-np.inf, np.inf):
        value = levels.numpy()
        for _ in range(4):
            value = np.nextafter(value, value.dtype.type(towards))
            values.append(value)
    return torch.from_numpy(np.concatenate(values))


def counts(code: SigmaDelta, difference: torch.Tensor) -> torch.Tensor:
    zero = torch.zeros_like(difference)
    sent, _ = sigma_delta_step(code, 0.5, 1.0, SigmaDeltaState(zero, zero), difference)
    return torch.round(sent / (2.0 * code.threshold))


@settings(max_examples=25)
@given(THRESHOLDS, st.integers(1, 40), TYPES)
def test_comparisons_count_as_the_code_does_also_at_the_boundary(
    threshold: float, most: int, dtype: torch.dtype
) -> None:
    code = SigmaDelta(threshold, adaptation=0.0, max_spikes=most)
    levels = spike_thresholds(code, dtype)
    differences = around(levels)
    compared = (differences.unsqueeze(1) > levels).sum(1)
    assert torch.equal(compared.to(dtype), counts(code, differences))


@settings(max_examples=25)
@given(THRESHOLDS, st.integers(1, 40), TYPES)
def test_levels_are_odd_thresholds_to_a_few_roundings(threshold: float, most: int, dtype: torch.dtype) -> None:
    levels = spike_thresholds(SigmaDelta(threshold, adaptation=0.0, max_spikes=most), dtype).double()
    wanted = (2.0 * torch.arange(1, most + 1).double() - 1.0) * threshold
    assert ((levels / wanted - 1.0).abs() < 4 * torch.finfo(dtype).eps).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("threshold", [0.1, 0.37, 1.0])
def test_compiled_kernels_count_alike(threshold: float, dtype: torch.dtype) -> None:
    code = SigmaDelta(threshold, adaptation=0.0, max_spikes=9)
    levels = spike_thresholds(code, dtype)
    signal = around(levels).view(1, 1, -1)
    zero = torch.zeros_like(signal[0])
    _, found, _ = kernels.code_forward(signal, 0.5, code, 1.0, SigmaDeltaState(zero, zero))
    assert torch.equal(found[0, 0].long(), (signal[0, 0].unsqueeze(1) > levels).sum(1))


@pytest.mark.parametrize(
    ("code", "dtype", "says"),
    [
        (SigmaDelta(0.1, adaptation=0.1, max_spikes=2), torch.float32, "adaptation 0"),
        (SigmaDelta(0.1, adaptation=0.0), torch.float32, "finite max_spikes"),
        (SigmaDelta(0.1, adaptation=0.0, max_spikes=2), torch.float16, "torch.float32"),
    ],
)
def test_what_is_no_number_of_comparisons_is_refused(code: SigmaDelta, dtype: torch.dtype, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        spike_thresholds(code, dtype)
