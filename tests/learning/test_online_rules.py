"""OTTT, e-prop and one-step BPTT: each is its paper's loop over time, and BPTT where its mathematics promises that."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reference_nets import cosine, dense, gradients, relative_error
from reference_online import Oracle
from reference_surrogates import DT_MS, lif_parameters, masks_of, name_of_bias, names_of_weights, prepared
from rules_by_net import GAMMA_RULES
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.functional import LIFState, leaky_step, lif_step
from spikinggamma.learning import RULES, Learner, Rule
from spikinggamma.nn import CountNet, SequenceNet, SurrogateNet

ONLINE = ("truncated", "ottt", "eprop")
TARGETS = torch.tensor([0, 2, 1])
LENGTHS = torch.tensor([24, 17, 9])
# Of a net with dropout and a price, and of one whose read-out remembers nothing and whose synapses do not either.
CASES: dict[str, tuple[dict[str, Any], float]] = {
    "plain": ({}, 0.0),
    "three layers": ({"hidden": (7, 6, 5)}, 0.0),
    "dropout and price": ({"dropout": 0.4}, 0.3),
    "slow read-out": ({"readout_tau_ms": 60.0, "hidden": (7,)}, 0.1),
    "no synapse": ({"settings": {"tau_ms": 9.0, "synapse_tau_ms": 0.0}}, 0.0),
    "no memory in the read-out": ({"readout_tau_ms": 0.0}, 0.0),
}
every_case = pytest.mark.parametrize("case", CASES)


def learnt(
    net: SurrogateNet,
    spikes: Tensor,
    rule: str,
    loss: str,
    *,
    chunk: int | None = None,
    price: float = 0.0,
    **options: Any,
) -> dict[str, Tensor]:
    net.zero_grad()
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk, activity_cost=price, **options)
    learner.learn(spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(7))
    found = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    assert not any(gradient.requires_grad for gradient in found.values())  # as a graph would keep the past
    return found


def truncated_by_autograd(net: SurrogateNet, spikes: Tensor, loss: str, price: float) -> dict[str, Tensor]:
    """BPTT of a net that takes every state as given at every step."""
    lif, masks, zero = lif_parameters(net), masks_of(net), torch.zeros((), dtype=torch.float64)
    states = [LIFState(zero.expand(3, size), zero.expand(3, size)) for size in net.sizes[1:]]
    said, spoken = [], []
    assert net.bias is not None
    for message in spikes:
        for index, weight in enumerate(net.weights[:-1]):
            states[index] = LIFState(*(part.detach() for part in states[index]))
            out, states[index] = lif_step(lif, states[index], message @ weight.T)
            mask = masks[index]
            spoken.append((len(said), out))
            message = out if mask is None else out * mask
        drive = message @ net.weights[-1].T
        assert net.integrator is not None
        readout = net.integrator.parameters_at(DT_MS)
        if readout is not None:
            before = LIFState(*(part.detach() for part in states[-1]))
            states[-1] = leaky_step(readout, before, drive)
            drive = states[-1].membrane
        said.append(drive + net.bias)
    total = reference_loss(loss, torch.stack(said), TARGETS, LENGTHS, DT_MS)
    for t, out in spoken:
        shares = (t < LENGTHS).double() / (LENGTHS * len(LENGTHS)).double()
        total = total + price * (shares * out.mean(1)).sum() * 10.0 / DT_MS
    named = dict(net.named_parameters())
    return dict(zip(named, torch.autograd.grad(total, list(named.values())), strict=True))


@pytest.mark.long
@every_case
@pytest.mark.parametrize("rule", ["ottt", "eprop"])
def test_it_is_its_definition_step_by_step(rule: str, case: str) -> None:
    options, price = CASES[case]
    net, spikes = prepared(signal_per_threshold=2.0, **options)
    for loss, chunk in (("sum", None), ("each_step", 1), ("cumulative", 7)):
        targets = TARGETS
        oracle = Oracle(net, spikes, loss, targets, LENGTHS, masks=masks_of(net), price=price)
        wanted = oracle.ottt() if rule == "ottt" else oracle.eprop()
        assert all(bool(part.any()) for part in wanted.values())
        assert relative_error(learnt(net, spikes, rule, loss, chunk=chunk, price=price), wanted) < 1e-10


@every_case
def test_truncated_is_autograd_with_every_state_taken_as_given(case: str) -> None:
    options, price = CASES[case]
    net, spikes = prepared(signal_per_threshold=2.0, **options)
    for loss in ("sum", "last", "running"):
        wanted = truncated_by_autograd(net, spikes, loss, price)
        assert relative_error(learnt(net, spikes, "truncated", loss, price=price), wanted) < 1e-10


@pytest.mark.long
@every_case
@pytest.mark.parametrize("rule", ONLINE)
def test_chunks_equal_the_whole(rule: str, case: str) -> None:
    options, price = CASES[case]
    net, spikes = prepared(signal_per_threshold=2.0, **options)
    for loss, chunk in (("sum", 7), ("last", 1)):
        whole = learnt(net, spikes, rule, loss, price=price)
        assert relative_error(learnt(net, spikes, rule, loss, chunk=chunk, price=price), whole) < 1e-10


@pytest.mark.parametrize("loss", ["sum", "last", "each_step", "cumulative"])
@pytest.mark.parametrize("readout_tau_ms", [0.0, 9.0, 50.0])
def test_one_hidden_layer_is_exact_where_the_rule_says_so(readout_tau_ms: float, loss: str) -> None:
    net, spikes = prepared(hidden=(7,), readout_tau_ms=readout_tau_ms, dropout=0.3, signal_per_threshold=2.0)
    exact = learnt(net, spikes, "bptt", loss, price=0.2)
    for chunk in (5, None):
        assert relative_error(learnt(net, spikes, "eprop", loss, chunk=chunk, price=0.2), exact) < 1e-10
        error = relative_error(learnt(net, spikes, "ottt", loss, chunk=chunk, price=0.2), exact)
        assert error < 1e-10 if readout_tau_ms == 0.0 else error > 1e-3


def test_without_memory_all_rules_from_above_are_bptt() -> None:
    forgetful = {"tau_ms": 0.01, "synapse_tau_ms": 0.0}
    net, spikes = prepared(hidden=(7, 6, 5), settings=forgetful, signal_per_threshold=2.0)
    exact = learnt(net, spikes, "bptt", "sum")
    for rule in ("ottt", "truncated"):
        assert relative_error(learnt(net, spikes, rule, "sum"), exact) < 1e-10


@pytest.mark.parametrize("loss", ["sum", "each_step"])
def test_two_layers_down_each_rule_points_the_same_way_as_bptt(loss: str) -> None:
    net, spikes = prepared(hidden=(20, 20), steps=24, signal_per_threshold=2.0)
    exact = learnt(net, spikes, "bptt", loss)
    for rule in ONLINE:
        assert 0.1 < cosine(learnt(net, spikes, rule, loss), exact) < 1.0 - 1e-6, rule
    # The layers that e-prop is exact for: the read-out, and the one below it.
    top = {name: exact[name] for name in (name_of_bias(net), *names_of_weights(net)[1:])}
    found = learnt(net, spikes, "eprop", loss)
    assert relative_error({name: found[name] for name in top}, top) < 1e-10


def test_the_feedback_of_eprop_is_fixed_by_its_seed_and_is_of_lower_layers_alone() -> None:
    net, spikes = prepared(hidden=(7, 6, 5), signal_per_threshold=2.0)
    first, again, other = (learnt(net, spikes, "eprop", "sum", feedback_seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    changed = {name for name in first if not torch.equal(first[name], other[name])}
    assert changed == set(names_of_weights(net)[:2])


def _held(thing: Any) -> int:
    """Numbers in all tensors that a rule keeps, those of the net left out."""
    if isinstance(thing, Tensor):
        return thing.numel()
    if isinstance(thing, list | tuple):
        return sum(_held(one) for one in thing)
    if isinstance(thing, nn.Module) or not hasattr(thing, "__dict__"):
        return 0
    return sum(_held(one) for one in vars(thing).values())


@pytest.mark.parametrize("rule", ONLINE)
def test_what_is_kept_does_not_grow_with_the_recording(rule: str) -> None:
    net, _ = prepared(steps=4)
    made: Rule[Any] = RULES[rule].target(net, DT_MS, RULES[rule].make_options())
    state, sizes = net.initial_state(3), []
    for _ in range(12):
        with torch.no_grad():
            activations, state = net.run((torch.rand(4, 3, 6) < 0.3).double(), state, DT_MS)
        made.accumulate(activations, torch.ones(4, 3, 3, dtype=torch.float64))
        sizes.append(_held(made))
    # The first chunk leaves less behind: what e-prop filters begins with the second.
    assert len(set(sizes[1:])) == 1
    assert not activations.layers[0].outputs.requires_grad


@pytest.mark.parametrize("rule", ONLINE)
def test_updates_within_a_recording_add_up_while_weights_stay(rule: str) -> None:
    net, spikes = prepared(signal_per_threshold=2.0)
    wanted, parts = learnt(net, spikes, rule, "running"), []
    net.zero_grad()
    learner = Learner(net, rule=rule, loss="running", dt_ms=DT_MS, chunk=7, update="chunk")

    def optimiser_step() -> None:
        parts.append(gradients(net))  # type: ignore[arg-type]
        net.zero_grad()

    learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step)
    assert len(parts) == 4
    assert relative_error({name: sum(part[name] for part in parts) for name in wanted}, wanted) < 1e-10  # type: ignore[misc]


def refused(net: SequenceNet, rule: str, match: str, **options: Any) -> None:
    with pytest.raises(SpikingGammaError, match=match):
        Learner(net, rule=rule, loss="sum", dt_ms=DT_MS, **options)


@pytest.mark.parametrize("rule", ONLINE)
def test_nets_that_it_does_not_suit_are_refused(rule: str) -> None:
    refused(prepared(readout="spikes")[0], rule, rf"`rule`: got {rule} for a chain .*LIF; expected a read-out")
    for net in (CountNet((6, 5, 3)), dense()):
        refused(
            net,
            rule,
            rf"`rule`: got {rule} for a {type(net).__name__}; expected a rule for such a net: .*bptt|windowed",
        )


def test_ottt_needs_a_constant_leak() -> None:
    refused(prepared("adaptive_lif")[0], "ottt", r"ottt for a chain whose layer 1 is AdaptiveLIF; .*constant leak")
    for neuron in ("recurrent_lif", "srm_alpha"):
        Learner(prepared(neuron)[0], rule="ottt", loss="sum", dt_ms=DT_MS)


@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_rules_of_linear_buckets_are_refused(rule: str) -> None:
    for net in (prepared()[0], CountNet((6, 5, 3))):
        refused(net, rule, rf"`rule`: got {rule} for a {type(net).__name__}; expected .*bptt")


def test_an_option_that_a_rule_does_not_know_is_named() -> None:
    refused(prepared()[0], "ottt", r"`rule.feedback_seed`.*an option of ottt", feedback_seed=1)
