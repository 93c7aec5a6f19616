"""FPTT: truncated BPTT while weights stand still, and the recursion of its running means while they move."""

from __future__ import annotations

import pytest
import torch

from reference_chains import DT_MS, LENGTHS, TARGETS, chain, spikes_for
from reference_nets import relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.learning import RULES, Learner
from spikinggamma.learning.fptt import FPTT
from spikinggamma.nn import Chain


def gradients(net: Chain) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


@pytest.mark.long
@pytest.mark.parametrize("chunk", [1, 5])
def test_it_is_bptt_of_each_chunk_while_weights_stand_still(chunk: int) -> None:
    net, spikes, parts = chain("adaptive_lif", recurrent=True, readout_tau_ms=8.0), spikes_for(), []

    def optimiser_step() -> None:
        parts.append(gradients(net))
        net.zero_grad()

    learner = Learner(net, rule="fptt", loss="running", dt_ms=DT_MS, chunk=chunk, update="chunk")
    learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step)
    exact = Learner(net, rule="windowed_bptt", loss="running", dt_ms=DT_MS, chunk=chunk, span_ms=0.0)
    exact.learn(spikes, TARGETS, LENGTHS)
    assert len(parts) == -(-24 // chunk)
    total = {name: sum(part[name] for part in parts) for name in parts[0]}
    assert relative_error(total, gradients(net)) < 1e-10  # type: ignore[arg-type]


def test_running_means_follow_their_recursion() -> None:
    net, spikes, alpha = chain("lif"), spikes_for(), 0.4
    rule = RULES["fptt"].target(net, DT_MS, RULES["fptt"].make_options({"alpha": alpha}))
    assert isinstance(rule, FPTT)
    weights = list(net.parameters())
    means, estimates = [p.detach().clone() for p in weights], [torch.zeros_like(p) for p in weights]
    state = net.initial_state(3)
    for start in range(0, 24, 6):
        net.zero_grad()
        before = rule.prepare(state)
        activations, state = net.run(spikes[start : start + 6], before, DT_MS)
        assert rule.accumulate(activations, torch.ones(6, 3, 3, dtype=torch.float64))
        again, _ = net.run(spikes[start : start + 6], before, DT_MS)
        alone = torch.autograd.grad(again.layers[-1].outputs.sum(), weights)
        for weight, own, mean, estimate in zip(weights, alone, means, estimates, strict=True):
            assert weight.grad is not None
            assert torch.allclose(weight.grad, own + alpha * (weight - mean) - estimate, atol=1e-12)
        with torch.no_grad():
            for weight in weights:
                weight -= 0.01 * weight.grad
        rule.updated()
        for index, weight in enumerate(weights):
            estimates[index] = estimates[index] - alpha * (weight.detach() - means[index])
            means[index] = 0.5 * (means[index] + weight.detach()) - estimates[index] / (2.0 * alpha)
            assert torch.allclose(rule._means[index], means[index], atol=1e-14)
            assert torch.allclose(rule._estimates[index], estimates[index], atol=1e-14)


@pytest.mark.long
def test_it_learns_a_label_at_each_step() -> None:
    net, spikes = chain("adaptive_lif", hidden=(24,), readout_tau_ms=8.0), spikes_for()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)

    def optimiser_step() -> None:
        optimiser.step()
        optimiser.zero_grad()

    learner = Learner(net, rule="fptt", loss="each_step", dt_ms=DT_MS, chunk=4, update="chunk")
    losses = [learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step).loss for _ in range(40)]
    assert losses[-1] < 0.75 * losses[0]


def test_it_needs_updates_within_recordings_and_a_loss_at_each_step() -> None:
    with pytest.raises(SpikingGammaError, match=r"`update`: got 'recording'; expected chunk or step"):
        Learner(chain("lif"), rule="fptt", loss="running", dt_ms=DT_MS)
    with pytest.raises(SpikingGammaError, match=r"`loss`: got 'sum'; expected each_step or running"):
        Learner(chain("lif"), rule="fptt", loss="sum", dt_ms=DT_MS, update="step")
