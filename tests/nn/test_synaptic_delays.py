"""A weight and a delay for each pair: the sum written out, the gradient by finite differences, the shared delay."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import AxonalDelays, Linear, SynapticDelays

DT_MS = 2.0


def layer(**options: float) -> SynapticDelays:
    draw = torch.Generator().manual_seed(0)
    return SynapticDelays(3, 5, max_delay_ms=9.0, initial_delay_ms=9.0, generator=draw, **options).double()


def spikes(steps: int = 15) -> Tensor:
    return (torch.rand(steps, 2, 3, generator=torch.Generator().manual_seed(1)) < 0.4).double()


def test_whole_delays_are_the_sum_written_out() -> None:
    made, x = layer(), spikes()
    with torch.no_grad():
        made.delay_ms.copy_((made.delay_ms / DT_MS).floor() * DT_MS)
    drive, _ = made(x, None, DT_MS)
    for t in range(len(x)):
        for i in range(5):
            wanted = torch.zeros(2, dtype=torch.float64)
            for j in range(3):
                at = t - int(made.delay_ms[i, j].detach() / DT_MS)
                wanted = wanted + made.weight[i, j] * (x[at, :, j] if at >= 0 else 0.0)
            torch.testing.assert_close(drive[t, :, i], wanted)


@pytest.mark.parametrize("sigma_ms", [0.0, 3.0])
def test_chunks_are_the_whole_and_the_gradient_is_exact(sigma_ms: float) -> None:
    made, x = layer(sigma_ms=sigma_ms), spikes()
    whole, _ = made(x, None, DT_MS)
    state, parts = None, []
    for part in x.split(4):
        drive, state = made(part, state, DT_MS)
        parts.append(drive)
    torch.testing.assert_close(torch.cat(parts), whole)
    weight, delay = made.weight.detach().clone(), made.delay_ms.detach().clone()

    def of(weight: Tensor, delay: Tensor, x: Tensor) -> Tensor:
        named = {"weight": weight, "delay_ms": delay}
        found: Tensor = torch.func.functional_call(made, named, (x, None, DT_MS))[0]
        return found

    assert torch.autograd.gradcheck(of, [leaf.requires_grad_() for leaf in (weight, delay, x[:6])])


def test_columns_that_share_a_delay_are_an_axonal_delay() -> None:
    made, x = layer(), spikes()
    axons = AxonalDelays(3, max_delay_ms=9.0, initial_delay_ms=9.0).double()
    linear = Linear(3, 5).double()
    with torch.no_grad():
        axons.delay_ms.copy_(made.delay_ms[0])
        made.delay_ms.copy_(made.delay_ms[:1].expand(5, 3))
        linear.weight.copy_(made.weight)
    wanted, _ = linear(axons(x, None, DT_MS)[0], None, DT_MS)
    torch.testing.assert_close(made(x, None, DT_MS)[0], wanted)


def test_bounds_are_kept_and_named() -> None:
    made = layer()
    with torch.no_grad():
        made.delay_ms.sub_(5.0).mul_(100.0)
    made.constrain_()
    assert float(made.delay_ms.detach().min()) == 0.0
    assert float(made.delay_ms.detach().max()) == 9.0
    for wrong in ({"max_delay_ms": -1.0}, {"initial_delay_ms": 10.0}, {"sigma_ms": -1.0}):
        with pytest.raises(SpikingGammaError, match=f"^`{next(iter(wrong))}`"):
            SynapticDelays(3, 5, **{"max_delay_ms": 9.0, "initial_delay_ms": 9.0, **wrong})
