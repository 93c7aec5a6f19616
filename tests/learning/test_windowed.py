"""Exact blame: the whole recording against autograd and finite differences, the sliding window against the whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import scipy.stats
import torch
from torch import Tensor

from reference_nets import CLASSES, DT_MS, NETS, cosine, gradients, prepared, relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES, reference_loss
from spikinggamma.bench.oracles import reference_net
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner, span
from spikinggamma.learning.windowed import Windowed, WindowedOptions, layer_backward
from spikinggamma.nn import GammaNet, dense_net

LENGTHS = torch.tensor([40, 25, 9])
TARGETS = torch.tensor([0, 2, 1])


def learnt(
    net: GammaNet, spikes: Tensor, lengths: Tensor = LENGTHS, *, targets: Tensor = TARGETS, **how: object
) -> dict[str, Tensor]:
    net.zero_grad()
    learner = Learner(net, dt_ms=DT_MS, **how)  # type: ignore[arg-type]
    learner.learn(spikes, targets, lengths, generator=torch.Generator().manual_seed(7))
    return gradients(net)


@pytest.mark.parametrize("kind", NETS)
def test_through_time_is_autograds_answer(kind: str) -> None:
    """Autograd differentiates the functional specification, step by step, and a loss that is written anew."""
    net, spikes = prepared(NETS[kind])
    masks = net.initial_state(3, generator=torch.Generator().manual_seed(7)).masks
    logits = reference_net(net, spikes, DT_MS, masks=masks)[0]
    for loss in CLASS_LOSSES:
        net.zero_grad()
        reference_loss(loss, logits, TARGETS, LENGTHS, DT_MS).backward(retain_graph=True)
        expected = gradients(net)
        assert all(bool(gradient.any()) for gradient in expected.values())
        found = learnt(net, spikes, rule="through_time", loss=loss)
        assert relative_error(found, expected) < 1e-10, loss


@pytest.mark.parametrize("kind", ["values", "labels"])
def test_through_time_is_autograds_answer_to_targets_at_each_step(kind: str) -> None:
    net, spikes = prepared(NETS["dense"])
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(40, 3, CLASSES, generator=generator, dtype=torch.float64)
    targets = values if kind == "values" else torch.randint(-1, CLASSES, (40, 3), generator=generator)
    reference_loss("each_step", reference_net(net, spikes, DT_MS)[0], targets, LENGTHS, DT_MS).backward()
    expected = gradients(net)
    for chunk in (None, 7):
        found = learnt(net, spikes, targets=targets, rule="through_time", loss="each_step", chunk=chunk)
        assert relative_error(found, expected) < 1e-10


@pytest.mark.parametrize("loss", ["sum", "last", "each_step"])
@pytest.mark.parametrize("rule", ["through_time", "windowed"])
def test_finite_differences_agree_where_there_are_no_spikes(rule: str, loss: str) -> None:
    """A judge that knows nothing of adjoints. (`running` blames by another measure than its loss: no gradient of it.)"""
    net, spikes = prepared(NETS["analogue"])
    net.eval()
    found = learnt(net, spikes, rule=rule, loss=loss)
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS)
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        ways = {n: torch.randn(p.shape, generator=generator, dtype=p.dtype) for n, p in net.named_parameters()}
        losses = []
        for step in (1e-6, -2e-6):
            with torch.no_grad():
                for name, parameter in net.named_parameters():
                    parameter.add_(step * ways[name])
            losses.append(learner.evaluate(spikes, TARGETS, LENGTHS).loss)
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                parameter.add_(1e-6 * ways[name])
        slope = (losses[0] - losses[1]) / 2e-6
        assert float(sum((found[n] * ways[n]).sum() for n in ways)) == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("kind", ["dense", "dropped_out"])
def test_the_price_of_speaking_is_a_loss(kind: str) -> None:
    """λ times the mean of y over the steps of a recording, in units of ϑ_0, summed over hidden layers."""
    net, spikes = prepared(NETS[kind])
    price, state = 0.3, net.initial_state(3, generator=torch.Generator().manual_seed(7))
    signal, cost, valid = spikes, torch.zeros((), dtype=torch.float64), torch.arange(40).unsqueeze(1) < LENGTHS
    for layer, before, mask in zip(net.stack, state.layers, (*state.masks, None), strict=True):
        sent, _ = layer(signal, before, DT_MS)
        if not layer.readout:
            # What is told decodes to y, in value but for the code, in gradient exactly.
            alpha_0, estimate, heard = 1.0 - DT_MS / 4.0, torch.zeros_like(sent[0]), []
            for message in sent.unbind(0):
                estimate = alpha_0 * estimate + message
                heard.append(estimate)
            share = valid.double() / (LENGTHS * 3)
            assert layer.code is not None
            cost = cost + (torch.stack(heard).mean(2) * share).sum() / layer.code.threshold
        signal = sent if mask is None else sent * mask
    (reference_loss("sum", signal, TARGETS, LENGTHS, DT_MS) + price * cost).backward()
    expected = gradients(net)
    for chunk in (None, 7):
        found = learnt(net, spikes, rule="through_time", loss="sum", activity_cost=price, chunk=chunk)
        assert relative_error(found, expected) < 1e-10
    free = learnt(net, spikes, rule="through_time", loss="sum")
    assert relative_error(free, expected) > 0.01


def short_memory() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=(3.0, 4.0, 3.5))


@pytest.mark.parametrize(
    ("make", "chunk", "loss", "tolerance"),
    [
        (short_memory, 1, "each_step", 1e-4),
        *((short_memory, 7, loss, 1e-6) for loss in CLASS_LOSSES),
        (short_memory, 64, "sum", 1e-9),
        (NETS["per_synapse"], 40, "sum", 1e-9),
        (NETS["convolutional"], 40, "sum", 1e-9),
        (NETS["trained_tau"], 40, "each_step", 1e-9),
        (NETS["dropped_out"], 40, "running", 1e-9),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_window_is_the_whole_up_to_its_tolerance(
    make: Callable[[], GammaNet], chunk: int, loss: str, tolerance: float
) -> None:
    net, spikes = prepared(make, steps=span(make(), DT_MS, tolerance) + 2 * chunk + 20)
    steps = len(spikes)
    lengths = torch.tensor([steps, steps - 20, steps // 2])
    whole = learnt(net, spikes, lengths, rule="through_time", loss=loss)
    found = learnt(net, spikes, lengths, rule="windowed", loss=loss, chunk=chunk, tolerance=tolerance)
    assert relative_error(found, whole) < 100 * tolerance
    assert cosine(found, whole) > 1.0 - tolerance


def test_the_error_of_a_window_falls_with_its_tolerance() -> None:
    net, spikes = prepared(short_memory, steps=120)
    lengths = torch.tensor([120, 110, 100])
    whole = learnt(net, spikes, lengths, rule="through_time", loss="each_step")
    errors = [
        relative_error(
            learnt(net, spikes, lengths, rule="windowed", loss="each_step", chunk=10, tolerance=tolerance), whole
        )
        for tolerance in (1e-1, 1e-3, 1e-5)
    ]
    assert errors[0] > 1e-6, "nothing was cut off"
    assert all(error < 10 * tolerance for error, tolerance in zip(errors, (1e-1, 1e-3, 1e-5), strict=True))


def test_the_span_is_the_tail_of_a_sum_of_waits() -> None:
    # Equal buckets: the time of the 7th success (3 buckets, and 2 more for each of two layers above) is negative binomial.
    net = dense_net((6, 7, 5, CLASSES), tau_ms=(5.0, 5.0, 5.0))
    for tolerance in (0.3, 1e-2, 1e-6):
        steps = span(net, DT_MS, tolerance)
        still_waiting = [float(scipy.stats.nbinom.sf(t - 7, 7, DT_MS / 5.0)) for t in (steps - 1, steps)]
        assert still_waiting[1] <= tolerance < still_waiting[0]
    assert (
        span(dense_net((6, CLASSES), tau_ms=(2.0,)), DT_MS, 1e-6) == 1
    )  # a bucket as short as the step is left at once


def test_the_span_counts_time_not_steps() -> None:
    net = short_memory()
    assert span(net, 0.25, 1e-4) == pytest.approx(4 * span(net, 1.0, 1e-4), rel=0.15)


def test_the_window_does_not_grow_with_the_recording() -> None:
    net, spikes = prepared(short_memory, steps=150)
    rule, state, longest = Windowed(net, DT_MS, WindowedOptions(tolerance=1e-4)), net.initial_state(3), 0
    for part in spikes.split(5):
        activations, state = net.run(part, state, DT_MS)
        rule.accumulate(activations, torch.zeros_like(activations.layers[-1].outputs))
        longest = max(longest, sum(len(delta) for _, delta in rule._window))
    assert longest < rule.span + 5
    rule.finish()
    assert not rule._window
    assert all(parameter.grad is None for parameter in net.parameters()), "nothing was blamed, so nothing is learnt"


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1e-3, float("nan")])
def test_a_tolerance_that_is_no_share_is_an_error(tolerance: float) -> None:
    with pytest.raises(SpikingGammaError, match="tolerance`"):
        Learner(short_memory(), rule="windowed", loss="sum", dt_ms=DT_MS, tolerance=tolerance)


def test_deep_nets_too() -> None:
    torch.manual_seed(0)
    net = dense_net((6, *(8,) * 10, CLASSES), tau_ms=(2.5, 3.0), code=SigmaDelta(0.05)).double()
    spikes = (torch.rand(120, 3, 6) < 0.3).double()
    net.calibrate(spikes, dt_ms=DT_MS)
    lengths = torch.tensor([120, 100, 60])
    reference_loss("sum", net(spikes, dt_ms=DT_MS)[0], TARGETS, lengths, DT_MS).backward()
    expected = gradients(net)
    assert relative_error(learnt(net, spikes, lengths, rule="through_time", loss="sum"), expected) < 1e-10
    found = learnt(net, spikes, lengths, rule="windowed", loss="sum", chunk=20, tolerance=1e-6)
    assert span(net, DT_MS, 1e-6) < 60
    assert cosine(found, expected) > 0.999999


@pytest.mark.parametrize("kind", NETS)
def test_the_backward_passes_of_chunks_add_up_to_that_of_the_whole(kind: str) -> None:
    """Each chunk with all that follow it: the window's later steps have their part in ∂ℓ/∂u, and none in v and b."""
    net, spikes = prepared(NETS[kind], steps=20)
    heard, state = spikes, net.initial_state(3)
    with torch.no_grad():
        for layer, before in zip(net.stack, state.layers, strict=True):
            alpha, chunks = layer.alpha(DT_MS), []
            for part in heard.reshape(*heard.shape[:2], *layer.in_shape).split(7):
                activations, before = layer.run(part, before, DT_MS)
                chunks.append(activations)
            generator = torch.Generator().manual_seed(5)
            grad = torch.randn(20, 3, layer.neurons, generator=generator, dtype=torch.float64)
            layer.zero_grad()
            told = layer_backward(layer, chunks, grad, alpha, DT_MS, own=3)
            whole, found = gradients(layer), []
            layer.zero_grad()
            for first in range(3):
                below = layer_backward(layer, chunks[first:], grad[7 * first :], alpha, DT_MS)
                assert below is not None
                found.append(below[:7])
            assert relative_error(gradients(layer), whole) < 1e-12
            torch.testing.assert_close(torch.cat(found), told, rtol=1e-11, atol=1e-12)
            layer.zero_grad()
            alone = layer_backward(layer, chunks, grad, alpha, DT_MS, own=3, below=False)
            assert alone is None
            assert relative_error(gradients(layer), whole) < 1e-12
            heard = torch.cat([part.outputs for part in chunks])
