"""adLIF in the form of Bittar and Garner: their recursion literally, the LIF inside it, its linear dynamics, all gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import AdLIFParameters, AdLIFState, adlif_sequence, adlif_step, arctan


def parameters(**other: float) -> AdLIFParameters:
    own = torch.tensor([[5.0, 9.0, 25.0], [30.0, 60.0, 120.0], [-0.01, 0.4, 1.0], [0.0, 0.7, 2.0]], dtype=torch.float64)
    return AdLIFParameters(*own, 1.0, "arctan", 1.0, 1.0)._replace(**other)


def zeros(batch: int = 2, neurons: int = 3) -> AdLIFState:
    return AdLIFState(*torch.zeros(2, batch, neurons, dtype=torch.float64).unbind(0))


def drive(steps: int = 60, scale: float = 6.0) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return scale * (torch.randn(steps, 2, 3, generator=generator, dtype=torch.float64) + 0.5)


def published(p: AdLIFParameters, current: Tensor) -> Tensor:
    """w first, then u, from the u and s of the step before."""
    alpha, beta = (-1.0 / p.tau_ms).exp(), (-1.0 / p.adaptation_tau_ms).exp()
    u, w, s, said = *(torch.zeros(2, 3, dtype=torch.float64) for _ in range(3)), []
    for x in current.unbind(0):
        w = beta * w + p.a * u + p.b * s
        u = alpha * (u - s) + (1.0 - alpha) * (x - w)
        s = arctan(u - 1.0)
        said.append(s)
    return torch.stack(said)


def test_at_the_reference_step_it_is_the_published_recursion_in_value_and_gradient() -> None:
    weight = torch.randn(60, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = []
    for run in (published, lambda p, x: adlif_sequence(p, zeros(), x)[0]):
        own = [one.clone().requires_grad_() for one in parameters()[:4]]
        leaf = drive().requires_grad_()
        spikes = run(AdLIFParameters(*own, *parameters()[4:]), leaf)
        gradients.append([spikes.detach(), *torch.autograd.grad((spikes * weight).sum(), [leaf, *own])])
    assert 0.05 < float(gradients[0][0].mean()) < 0.9
    assert torch.equal(gradients[0][0], gradients[1][0])
    for one, other in zip(*gradients, strict=True):
        assert bool(one.any())
        torch.testing.assert_close(one, other)


def test_without_adaptation_it_is_a_lif() -> None:
    silent = torch.zeros(3, dtype=torch.float64)
    p, current = parameters(a=silent, b=silent), drive()
    spikes, _ = adlif_sequence(p, zeros(), current)
    alpha, u, wanted = (-1.0 / p.tau_ms).exp(), torch.zeros(2, 3, dtype=torch.float64), []
    for x in current.unbind(0):
        u = alpha * u + (1.0 - alpha) * x
        wanted.append((u >= 1.0).double())
        u = u - wanted[-1]
    assert torch.equal(spikes, torch.stack(wanted))


@pytest.mark.long
@pytest.mark.parametrize("dt_ms", [0.25, 1.0, 2.0])
def test_at_rest_the_membrane_pulls_as_much_in_a_millisecond_at_any_step(dt_ms: float) -> None:
    # A drive that never spikes comes to rest where u = I - w and w (1 - β) = g a u, so w = a / (1 - β₁) u.
    p = parameters(dt_ms=dt_ms, threshold=1e9)
    _, state = adlif_sequence(p, zeros(), torch.ones(round(4000 / dt_ms), 2, 3, dtype=torch.float64))
    ratio = p.a / (1.0 - (-1.0 / p.adaptation_tau_ms).exp())
    torch.testing.assert_close(state.membrane, (1.0 / (1.0 + ratio)).expand(2, 3))


@pytest.mark.parametrize("dt_ms", [0.25, 2.0])
def test_what_a_spike_adds_does_not_depend_on_the_step(dt_ms: float) -> None:
    p = parameters(dt_ms=dt_ms, a=torch.zeros(3, dtype=torch.float64))
    spikes, state = adlif_step(p, zeros(), torch.full((2, 3), 1e6, dtype=torch.float64))
    assert bool(spikes.all())
    torch.testing.assert_close(state.adaptation, p.b.expand(2, 3))


@pytest.mark.long
def test_it_grows_by_itself_below_the_bound_that_its_page_names() -> None:
    beta = math.exp(-1.0 / 60.0)
    for factor, grows in ((0.98, False), (1.02, True)):
        own = torch.tensor([[9.0], [60.0], [-(1.0 - beta) * factor], [0.0]], dtype=torch.float64)
        p = AdLIFParameters(*own, 1e9, "arctan", 1.0, 1.0)
        start = AdLIFState(*torch.tensor([[[1.0]], [[-1.0]]], dtype=torch.float64))
        _, late = adlif_sequence(p, start, torch.zeros(3000, 1, 1, dtype=torch.float64))
        _, later = adlif_sequence(p, late, torch.zeros(1000, 1, 1, dtype=torch.float64))
        assert (abs(float(later.membrane)) > abs(float(late.membrane))) == grows


@pytest.mark.long
def test_smooth_parts_have_the_gradient_of_finite_differences() -> None:
    start = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    own = torch.stack(list(parameters()[:4]))

    def last(given: Tensor, current: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        p = AdLIFParameters(
            *given, 1e6, "rectangle", 1.0, 3.0
        )  # no spike, and its bump is zero so far from the threshold
        return tuple(adlif_sequence(p, AdLIFState(*before), current)[1])

    assert torch.autograd.gradcheck(last, tuple(one.requires_grad_() for one in (own, drive(9), start)))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"dt_ms": math.nan}, "dt_ms"),
        ({"tau_ms": torch.tensor([-1.0])}, "tau_ms"),
        ({"b": torch.tensor([math.inf])}, "b"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    kept = parameters()
    assert kept.validate() is kept
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        kept._replace(**change).validate()
