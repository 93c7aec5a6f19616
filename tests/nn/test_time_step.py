"""The same weights at another time step: convergence as dt goes to 0, and what spikes add to it.

Signals are compared at the ends of steps: x of the step that ends at time t has heard every event before t at every dt.
An event's own time is rounded down to the start of its step, so the error is of first order in dt.

Spikes add the error of the code and no more. Bucket k of a listener is a smoothed delay of unit gain; decoded signals
that stray from y_j by at most E_j move x of the next layer by at most Σ_k |v_k| Σ_j |w_j| E_j; and E_j is the threshold
where the code's bound holds (tests/functional/test_sigma_delta.py), for example where no weight is negative.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import GammaNet, dense_net

TAU_MS = (8.0, 9.0, 12.0, 10.0)
SPAN_MS, COARSE_MS = 256.0, 4.0
CODE = SigmaDelta(threshold=0.05, adaptation=0.2, adaptation_tau_ms=50.0)


def events(dt_ms: float) -> Tensor:
    """The same 240 events in continuous time as counts of steps, [T, 4, 6]."""
    generator = torch.Generator().manual_seed(0)
    times_ms = torch.rand(240, generator=generator, dtype=torch.float64) * 0.8 * SPAN_MS
    channels, samples = torch.randint(6, (240,), generator=generator), torch.arange(240) % 4
    spikes = torch.zeros(round(SPAN_MS / dt_ms), 4, 6, dtype=torch.float64)
    one = torch.ones(240, dtype=torch.float64)
    return spikes.index_put(((times_ms / dt_ms).floor().long(), samples, channels), one, accumulate=True)


def a_net(*, analogue: bool, positive: bool = False) -> GammaNet:
    net = dense_net(
        (6, 8, 8, 3), tau_ms=TAU_MS, analogue=analogue, code=CODE, generator=torch.Generator().manual_seed(3)
    ).double()
    if positive:
        with torch.no_grad():
            for layer in net.stack:
                layer.weight.abs_()
    net.calibrate(events(2.0), dt_ms=2.0)
    return net


def logits_at_step_ends(net: GammaNet, dt_ms: float) -> Tensor:
    """Logits at the same times, one every `COARSE_MS`, at every dt."""
    every = round(COARSE_MS / dt_ms)
    return net(events(dt_ms), dt_ms=dt_ms)[0].detach()[every - 1 :: every]


def decoded(sent: Tensor, alpha_0: float) -> Tensor:
    estimates = [torch.zeros_like(sent[0])]
    for message in sent:
        estimates.append(alpha_0 * estimates[-1] + message)
    return torch.stack(estimates[1:])


def thresholds(counts: Tensor, dt_ms: float) -> Tensor:
    """ϑ(t) of every step, from the spikes."""
    rises = [torch.zeros_like(counts[0], dtype=torch.float64)]
    for n in counts:
        lifted = rises[-1] + CODE.adaptation * (CODE.threshold + rises[-1]) * n
        rises.append(math.exp(-dt_ms / CODE.adaptation_tau_ms) * lifted)
    return CODE.threshold + torch.stack(rises[:-1])


def test_the_signal_converges_with_first_order() -> None:
    net = a_net(analogue=True)
    runs = [logits_at_step_ends(net, COARSE_MS / 2**k) for k in range(7)]
    changes = [float((coarse - fine).norm() / fine.norm()) for coarse, fine in pairwise(runs)]
    orders = [math.log2(one / two) for one, two in pairwise(changes)]
    assert changes[0] < 0.15
    assert changes[-1] < 0.005
    # One halving moves an event by half a step or by nothing, so single orders scatter; the trend does not.
    assert all(0.6 < order < 1.6 for order in orders), orders
    assert math.log2(changes[0] / changes[-1]) / (len(changes) - 1) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("dt_ms", [4.0, 2.0, 1.0, 0.5])
@pytest.mark.parametrize("positive", [False, True], ids=["any sign", "positive"])
def test_spikes_add_the_error_of_the_code_at_every_step_length(positive: bool, dt_ms: float) -> None:
    spiking, analogue = a_net(analogue=False, positive=positive), a_net(analogue=True, positive=positive)
    analogue.load_state_dict(spiking.state_dict())
    first, second = spiking.stack[:2]
    activations, state = first.run(events(dt_ms), first.initial_state(4), dt_ms)
    exact, _ = analogue.stack[0].run(events(dt_ms), first.initial_state(4), dt_ms)
    assert torch.equal(activations.signal, exact.signal)  # recorded events reach both alike
    estimates = decoded(activations.outputs, float(first.alpha(dt_ms)[0]))
    torch.testing.assert_close(estimates[-1], state.estimate)
    strays = (estimates - activations.signal.clamp_min(0.0)).abs()
    assert activations.counts is not None
    if positive:
        assert bool((strays <= thresholds(activations.counts, dt_ms) + 1e-12).all())
    heard, _ = second.run(activations.outputs, second.initial_state(4), dt_ms)
    meant, _ = second.run(exact.outputs, second.initial_state(4), dt_ms)
    v, w = (parameter.detach().abs() for parameter in (second.get_parameter("bucket_weight"), second.weight))
    bound = v.sum(0) * (w @ strays.amax((0, 1)))
    assert bool(((heard.signal - meant.signal).abs() <= bound + 1e-12).all())
    assert float((heard.signal - meant.signal).abs().max()) > 1e-3, "nothing was spoken"
