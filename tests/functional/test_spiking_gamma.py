"""The neuron: a course worked by hand, and the gradient that its straight-through decoding defines."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spikinggamma.functional import (
    SigmaDelta,
    SpikingGammaParameters,
    SpikingGammaState,
    gamma_step,
    spiking_gamma_sequence,
    spiking_gamma_step,
)


def a_neuron(code: SigmaDelta | None, *, rectify: bool = True, seed: int = 0) -> SpikingGammaParameters:
    generator = torch.Generator().manual_seed(seed)
    v = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    b = 0.2 * torch.randn(4, generator=generator, dtype=torch.float64)
    return SpikingGammaParameters(torch.tensor([0.6, 0.7, 0.5], dtype=torch.float64), v, b, code, 1.0, rectify)


def at_rest(parameters: SpikingGammaParameters, batch: int) -> SpikingGammaState:
    order, neurons = parameters.bucket_weight.shape
    zeros = torch.zeros(order, batch, neurons, dtype=parameters.bias.dtype)
    return SpikingGammaState(zeros, zeros[0], zeros[0])


def some_drive(steps: int = 12, seed: int = 1) -> Tensor:
    return torch.randn(steps, 2, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_course_worked_by_hand() -> None:
    # Two buckets, α = (½, ½), v = (1, 2), b = -¼, ϑ = ½ without adaptation; a spike in, then silence.
    code = SigmaDelta(threshold=0.5, adaptation=0.0)
    parameters = SpikingGammaParameters(
        torch.tensor([0.5, 0.5]), torch.tensor([[1.0], [2.0]]), torch.tensor([-0.25]), code, 1.0
    )
    zeros = torch.zeros(2, 1, 1)
    state = SpikingGammaState(zeros, zeros[0], zeros[0])
    output, state = spiking_gamma_sequence(parameters, state, torch.tensor([1.0, 0.0, 0.0, 0.0]).view(4, 1, 1))
    # h_0: 1, ½, ¼, ⅛; h_1: 0, ½, ½, ⅜.
    assert output.signal.flatten().tolist() == [0.75, 1.25, 1.0, 0.625]
    assert output.sent.flatten().tolist() == [1.0, 1.0, 0.0, 0.0]
    assert output.estimate.flatten().tolist() == [1.0, 1.5, 0.75, 0.375]
    assert output.threshold.flatten().tolist() == [0.5] * 4
    assert state.buckets.flatten().tolist() == [0.125, 0.375]


def test_the_gradient_of_what_listeners_decode_is_that_of_the_rectified_signal() -> None:
    parameters = a_neuron(SigmaDelta(threshold=0.2, adaptation=0.5))
    v = parameters.bucket_weight.clone().requires_grad_()
    drive = some_drive().requires_grad_()
    output, _ = spiking_gamma_sequence(parameters._replace(bucket_weight=v), at_rest(parameters, 2), drive)
    assert bool((output.sent > 0).any())
    grad = torch.randn(output.signal.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    # Decoding: bucket 0 of a listener of this neuron.
    heard, bucket = [], torch.zeros(1, 2, 4, dtype=torch.float64)
    for sent in output.sent.unbind(0):
        bucket = gamma_step(parameters.alpha[:1], bucket, sent)
        heard.append(bucket[0])
    found = torch.autograd.grad((torch.stack(heard) * grad).sum(), (drive, v), retain_graph=True)
    wanted = torch.autograd.grad((torch.relu(output.signal) * grad).sum(), (drive, v))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(torch.stack(heard), output.estimate, rtol=1e-13, atol=1e-14)


def test_the_threshold_carries_no_gradient() -> None:
    parameters = a_neuron(SigmaDelta(threshold=0.2, adaptation=0.5))
    drive = some_drive().requires_grad_()
    output, state = spiking_gamma_sequence(parameters, at_rest(parameters, 2), drive)
    assert not output.threshold.requires_grad
    assert not state.adaptation.requires_grad


@pytest.mark.long
def test_an_analogue_neuron_is_decoded_without_error_and_differentiates_as_finite_differences_do() -> None:
    for rectify in (True, False):
        parameters = a_neuron(None, rectify=rectify)

        def sent(
            drive: Tensor, v: Tensor, b: Tensor, alpha: Tensor, base: SpikingGammaParameters = parameters
        ) -> tuple[Tensor, Tensor]:
            known = base._replace(bucket_weight=v, bias=b, alpha=torch.cat([base.alpha[:1], alpha]))
            output, _ = spiking_gamma_sequence(known, at_rest(base, 2), drive)
            return output.sent, output.estimate

        leaves = [some_drive(5), parameters.bucket_weight, parameters.bias, parameters.alpha[1:]]
        assert torch.autograd.gradcheck(sent, [leaf.clone().requires_grad_() for leaf in leaves])
        output, _ = spiking_gamma_sequence(parameters, at_rest(parameters, 2), some_drive())
        expected = torch.relu(output.signal) if rectify else output.signal
        assert torch.equal(output.estimate, expected)


def test_sequence_is_its_steps_and_its_chunks() -> None:
    parameters, drive = a_neuron(SigmaDelta(threshold=0.2, adaptation=0.5, max_spikes=2)), some_drive(15)
    whole, last = spiking_gamma_sequence(parameters, at_rest(parameters, 2), drive)
    state = at_rest(parameters, 2)
    for t, u in enumerate(drive):
        output, state = spiking_gamma_step(parameters, state, u)
        assert all(torch.equal(part, full[t]) for part, full in zip(output, whole, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(state, last, strict=True))
    _, between = spiking_gamma_sequence(parameters, at_rest(parameters, 2), drive[:6])
    second, end = spiking_gamma_sequence(parameters, between, drive[6:])
    assert all(torch.equal(part, full[6:]) for part, full in zip(second, whole, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(end, last, strict=True))
