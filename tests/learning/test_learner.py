"""One call form: updates, replays, statistics, and input that cannot be learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from reference_nets import DT_MS, NETS, gradients, prepared, relative_error
from rules_by_net import CHAIN_RULES, GAMMA_RULES
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import LOSSES, RULES, UPDATES, Learner
from spikinggamma.nn import GammaNet, dense_net

LENGTHS = torch.tensor([20, 13, 7])
TARGETS = torch.tensor([0, 2, 1])


def a_net() -> GammaNet:
    return dense_net((6, 7, 3), tau_ms=(5.0, 5.0))


class Stream:
    """Chunks made anew for every pass; counts the passes."""

    def __init__(self, spikes: Tensor, chunk: int) -> None:
        self.spikes, self.chunk, self.passes = spikes, chunk, 0

    def __call__(self) -> Iterator[Tensor]:
        self.passes += 1
        return iter(self.spikes.split(self.chunk))


@pytest.mark.parametrize("loss", CLASS_LOSSES)
@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_a_stream_of_chunks_is_the_recording(rule: str, loss: str) -> None:
    net, spikes = prepared(a_net, steps=20)
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS)
    whole = learner.learn(spikes, TARGETS, LENGTHS)
    wanted = gradients(net)
    net.zero_grad()
    stream = Stream(spikes, 6)
    found = learner.learn(stream, TARGETS, LENGTHS)
    # What is known only after a first pass has the recording replayed.
    assert stream.passes == (2 if LOSSES[loss].target.replay else 1)
    assert relative_error(gradients(net), wanted) < 1e-10
    assert found.loss == pytest.approx(whole.loss, rel=1e-12)
    assert torch.equal(found.predictions[:20], whole.predictions)
    assert learner.evaluate(stream, TARGETS, LENGTHS).loss == pytest.approx(whole.loss, rel=1e-12)


@pytest.mark.parametrize("rule", ["instantaneous", "shifted", "traced"])
@pytest.mark.parametrize(("update", "times"), [("recording", 1), ("chunk", 4), ("step", 20)])
def test_a_causal_rule_updates_when_it_is_asked_to(rule: str, update: str, times: int) -> None:
    net, spikes = prepared(a_net, steps=20)
    seen: list[dict[str, Tensor]] = []

    def optimiser_step() -> None:
        seen.append(gradients(net))
        net.zero_grad()

    learner = Learner(net, rule=rule, loss="each_step", dt_ms=DT_MS, chunk=6, update=update)
    learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step)
    assert len(seen) == times
    assert all(any(bool(g.any()) for g in part.values()) for part in seen)
    # While the weights stay, the parts add up to the recording's gradient.
    Learner(net, rule=rule, loss="each_step", dt_ms=DT_MS).learn(spikes, TARGETS, LENGTHS)
    total = {name: torch.stack([part[name] for part in seen]).sum(0) for name in seen[0]}
    assert relative_error(total, gradients(net)) < 1e-10


def test_a_rule_that_waits_updates_when_it_has_something_to_say() -> None:
    net, spikes = prepared(lambda: dense_net((6, 7, 3), tau_ms=(2.0, 3.0)), steps=60)
    for rule, least, most in (("through_time", 1, 1), ("windowed", 5, 20)):
        calls = []
        learner = Learner(net, rule=rule, loss="each_step", dt_ms=DT_MS, chunk=3, update="chunk")
        learner.learn(spikes, TARGETS, optimiser_step=lambda into=calls: into.append(gradients(net)) or net.zero_grad())
        assert least <= len(calls) <= most, rule
        assert all(any(bool(g.any()) for g in part.values()) for part in calls)


def test_learning_step_by_step_changes_what_comes_next() -> None:
    net, spikes = prepared(a_net, steps=20)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.5)

    def optimiser_step() -> None:
        optimiser.step()
        optimiser.zero_grad()

    learner = Learner(net, rule="instantaneous", loss="each_step", dt_ms=DT_MS, update="step")
    first = learner.evaluate(spikes, TARGETS, LENGTHS).loss
    online = learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step).loss
    last = learner.evaluate(spikes, TARGETS, LENGTHS).loss
    assert last < online < first


def test_statistics_leave_padding_out() -> None:
    net, spikes = prepared(NETS["dense"], steps=20)
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    expected = []
    for layer in activations.layers[:-1]:
        assert layer.counts is not None
        expected.append(sum(int(layer.counts[: int(n), b].sum()) for b, n in enumerate(LENGTHS)))
    assert min(expected) > 0
    learner = Learner(net, rule="instantaneous", loss="sum", dt_ms=DT_MS)
    by_neuron = learner.evaluate(spikes, TARGETS, LENGTHS).spikes_by_neuron
    assert [len(counts) for counts in by_neuron] == [7, 5]
    assert [float(counts.sum()) for counts in by_neuron] == expected
    assert learner.learn(spikes, TARGETS, LENGTHS).spikes_by_neuron == ()
    for outcome in (learner.learn(spikes, TARGETS, LENGTHS), learner.evaluate(spikes, TARGETS, LENGTHS)):
        assert outcome.spikes.tolist() == expected
        assert outcome.neuron_steps.tolist() == [7.0 * 40, 5.0 * 40]
        rates = [count / (width * 40 * DT_MS / 1000.0) for count, width in zip(expected, (7, 5), strict=True)]
        assert outcome.spikes_per_neuron_s(DT_MS) == pytest.approx(rates)
        assert (outcome.count, outcome.correct) == (3, int((outcome.predictions == TARGETS).sum()))


def test_evaluation_learns_nothing() -> None:
    net, spikes = prepared(a_net, steps=20)
    Learner(net, rule="windowed", loss="sum", dt_ms=DT_MS).evaluate(spikes, TARGETS, LENGTHS)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_dropout_is_the_generators() -> None:
    net, spikes = prepared(NETS["dropped_out"], steps=20)
    learner = Learner(net, rule="through_time", loss="sum", dt_ms=DT_MS)
    found = []
    for seed in (0, 0, 1):
        net.zero_grad()
        learner.learn(spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(seed))
        found.append(gradients(net))
    assert relative_error(found[1], found[0]) == 0.0
    assert relative_error(found[2], found[0]) > 1e-3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rule": "hebb"}, "rule"),
        ({"loss": "hinge"}, "loss"),
        ({"update": "epoch"}, "update"),
        ({"chunk": 0}, "chunk"),
        ({"dt_ms": 9.0}, "dt_ms"),
        ({"dt_ms": 0.0}, "dt_ms"),
        ({"tolerance": 1e-3}, "rule.tolerance"),
        ({"rule": "windowed", "tolerance": 2.0}, "rule.tolerance"),
        ({"rule": "windowed", "patience": 1.0}, "rule.patience"),
        ({"activity_cost": -1.0}, "activity_cost"),
    ],
)
def test_bad_values_are_named(wrong: dict[str, object], named: str) -> None:
    good: dict[str, object] = {"rule": "instantaneous", "loss": "sum", "dt_ms": DT_MS}
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        Learner(a_net(), **(good | wrong))  # type: ignore[arg-type]


BAD_INPUT: list[tuple[str, Callable[[Tensor], tuple[object, Tensor, Tensor | None]]]] = [
    ("spikes", lambda x: (x[:, 0], TARGETS, LENGTHS)),
    ("spikes", lambda x: (x[:, :, :5], TARGETS, LENGTHS)),
    ("spikes", lambda x: (x.float(), TARGETS, LENGTHS)),
    ("lengths", lambda x: (x, TARGETS, LENGTHS[:2])),
    ("lengths", lambda x: (x, TARGETS, LENGTHS + 1)),
    ("lengths", lambda x: (x, TARGETS, LENGTHS * 0)),
    ("lengths", lambda x: (lambda: [x], TARGETS, None)),
    ("targets", lambda x: (x, TARGETS[:2], LENGTHS)),
    ("targets", lambda x: (x, TARGETS + 1, LENGTHS)),
    ("targets", lambda x: (x, TARGETS.double(), LENGTHS)),
]


@pytest.mark.parametrize(("named", "make"), BAD_INPUT)
def test_input_that_does_not_fit_is_named(
    named: str, make: Callable[[Tensor], tuple[object, Tensor, Tensor | None]]
) -> None:
    net, spikes = prepared(a_net, steps=20)
    learner = Learner(net, rule="instantaneous", loss="sum", dt_ms=DT_MS)
    given = make(spikes)
    for call in (learner.learn, learner.evaluate):
        with pytest.raises(SpikingGammaError, match=f"`{named}`"):
            call(*given)  # type: ignore[arg-type]


def test_a_loss_that_is_no_number_shows() -> None:
    """Whoever trains looks at the loss: it may not be hidden by silence."""
    net, spikes = prepared(a_net, steps=20)
    with torch.no_grad():
        net.stack[0].weight[0, 0] = float("nan")
    for rule in GAMMA_RULES:
        outcome = Learner(net, rule=rule, loss="sum", dt_ms=DT_MS).learn(spikes, TARGETS, LENGTHS)
        assert outcome.loss != outcome.loss


def test_names() -> None:
    assert GAMMA_RULES == ("instantaneous", "shifted", "through_time", "traced", "windowed")
    online = ("dtrtrl", "eprop", "es_d_rtrl", "otpe", "ottt", "truncated")
    assert set(CHAIN_RULES) == {*online, "bptt", "fptt", "windowed_bptt"}
    assert set(RULES) == {*GAMMA_RULES, *CHAIN_RULES}
    assert set(LOSSES) >= {"sum", "last", "each_step", "running", "spikemax", "cumulative"}
    assert UPDATES == ("recording", "chunk", "step")


def test_each_hidden_layers_threshold_is_the_unit_of_its_price() -> None:
    """Twice the threshold makes a unit of output half as dear."""
    grads = []
    for threshold in (0.1, 0.2):
        torch.manual_seed(0)
        net = dense_net((6, 7, 3), tau_ms=(5.0, 5.0), code=SigmaDelta(threshold)).double()
        spikes = (torch.rand(20, 3, 6) < 0.3).double()
        priced, free = (
            Learner(net, rule="through_time", loss="sum", dt_ms=DT_MS, activity_cost=cost) for cost in (1.0, 0.0)
        )
        both = []
        for learner in (priced, free):
            net.zero_grad()
            learner.learn(spikes, TARGETS, LENGTHS)
            both.append(gradients(net)["layers.0.weight"])
        grads.append(both[0] - both[1])
    torch.testing.assert_close(grads[0], 2.0 * grads[1], rtol=1e-9, atol=1e-12)


def test_a_stream_that_ends_before_its_recordings_is_an_error() -> None:
    net = dense_net((3, 5, 2), tau_ms=(4.0, 8.0))
    spikes = torch.ones(9, 2, 3)
    learner = Learner(net, rule="instantaneous", loss="last", dt_ms=2.0)
    targets, lengths = torch.tensor([0, 1]), torch.tensor([10, 4])
    for call in (learner.learn, learner.evaluate):
        with pytest.raises(SpikingGammaError, match=r"`spikes`: got chunks of 9 steps in all; expected the 10"):
            call(lambda: iter(spikes.split(4)), targets, lengths)


def test_a_batch_without_any_label_is_an_error() -> None:
    learner = Learner(a_net(), rule="windowed", loss="each_step", dt_ms=2.0)
    with pytest.raises(SpikingGammaError, match="`targets`: got no labelled step"):
        learner.learn(torch.ones(5, 2, 6), torch.full((5, 2), -1))


@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_gradients_are_laid_out_as_their_parameters(rule: str) -> None:
    """Fused optimisers walk through both side by side."""
    net = a_net()
    Learner(net, rule=rule, loss="sum", dt_ms=2.0, chunk=2).learn(torch.ones(5, 2, 6), torch.tensor([0, 1]))
    for parameter in net.parameters():
        assert parameter.grad is not None
        assert parameter.grad.stride() == parameter.stride()
