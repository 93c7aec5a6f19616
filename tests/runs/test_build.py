"""A recipe becomes the net, the learner and the optimiser that it describes, with its constants."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.data import load_splits, training_batches
from spikinggamma.nn import CountNet, GammaNet, GRUNet, SurrogateNet
from spikinggamma.recipes import dump_recipe, parse_recipe
from spikinggamma.runs import build_net
from spikinggamma.runs.build import build_evaluator, build_learner, build_optimiser, calibrate, set_learning_rate
from tiny_run import tiny_recipe

LIF = ("net.model=lif", "learning.rule=bptt", "neuron.tau_ms=10.0", "neuron.synapse_tau_ms=4.0")
DELAYED = (*LIF, "delays.kind=fractional", "delays.input=true", "delays.max_ms=20.0")
SPIKES = ("readout.kind=spikes", "learning.loss=spikemax")


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ((), GammaNet),
        (LIF, SurrogateNet),
        ((*LIF, "learning.rule=ottt"), SurrogateNet),
        ((*LIF, "learning.rule=eprop", "learning.update=chunk", "learning.chunk=5"), SurrogateNet),
        ((*LIF, "learning.rule=truncated", "readout.tau_ms=0.0"), SurrogateNet),
        (DELAYED, SurrogateNet),
        (("net.model=adaptive_lif", "learning.rule=bptt", "delays.kind=floored", *SPIKES), SurrogateNet),
        (("net.model=lif", "net.recurrent=true", "learning.rule=bptt", "learning.loss=cumulative"), SurrogateNet),
        (("net.model=srm_alpha", "learning.rule=bptt", *SPIKES, "learning.activity_cost=0.1"), SurrogateNet),
        (("net.model=count_mlp", "learning.rule=bptt", "learning.loss=last"), CountNet),
        (("net.model=gru", "learning.rule=bptt"), GRUNet),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_every_model_of_a_recipe_learns_from_a_batch(overrides: tuple[str, ...], kind: type) -> None:
    recipe = tiny_recipe(*overrides)
    assert parse_recipe(dump_recipe(recipe)) == recipe
    net, again = build_net(recipe), build_net(recipe)
    assert isinstance(net, kind)
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), again.parameters(), strict=True))
    recordings = load_splits(recipe).train
    calibrate(net, recipe, recordings)
    optimiser, learner = build_optimiser(net, recipe), build_learner(net.train(), recipe)
    before = [parameter.detach().clone() for parameter in net.parameters()]
    for batch in training_batches(recipe, recordings, epoch=1):
        learner.learn(batch.spikes, batch.labels, batch.lengths)
        optimiser.step()
        net.constrain_()
    moved = [not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True)]
    # Equal counts in all recordings leave a perceptron nothing but the bias of its answer to learn.
    assert moved == [False, False, False, True] if kind is CountNet else all(moved)
    evaluator = build_evaluator(net.eval(), recipe, dt_ms=2.0)
    (batch, *_) = training_batches(recipe, recordings, epoch=1)
    assert evaluator.evaluate(batch.spikes, batch.labels, batch.lengths).count == len(batch.labels)


def test_a_recipes_constants_reach_the_net() -> None:
    recipe = tiny_recipe(*DELAYED, "neuron.threshold=0.7", "delays.initial_ms=3.0")
    net = build_net(recipe)
    assert isinstance(net, SurrogateNet)
    options = dict(net.neurons[0].options)
    assert (options["tau_ms"], options["synapse_tau_ms"], options["threshold"]) == (10.0, 4.0, 0.7)
    assert net.integrator is not None
    assert net.integrator.tau_ms == 10.0
    assert [axons is not None and axons.max_delay_ms for axons in net.delays] == [20.0, 20.0]
    assert all(axons is not None and float(axons.delay_ms.detach().max()) <= 3.0 for axons in net.delays)
    # Delays have a step size of their own, in ms, whatever that of the weights.
    optimiser = build_optimiser(net, recipe)
    set_learning_rate(optimiser, recipe.learning.learning_rate)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    for name, parameter in net.named_parameters():
        expected = 0.2 if name.endswith("delay_ms") else recipe.learning.learning_rate
        assert rates[id(parameter)] == pytest.approx(expected)
