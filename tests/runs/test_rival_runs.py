"""Runs of the rivals: every kind of net from a recipe, delays that are learnt and kept, counts that know nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.data import load_splits, training_batches
from spikinggamma.nn import CountNet, GammaNet, GRUNet, SurrogateNet
from spikinggamma.recipes import dump_recipe, load_recipe, parse_recipe
from spikinggamma.runs import build_net
from spikinggamma.runs.build import build_evaluator, build_learner, build_optimiser, calibrate, set_learning_rate
from spikinggamma.training import LogReporter, TrainingInterrupted, resume, train
from tiny_run import tiny_recipe, without_timing

QUIET = LogReporter()
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


class Interrupting(LogReporter):
    """Ctrl-C in the middle of the second epoch."""

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > 1.1:
            raise KeyboardInterrupt


def test_delays_are_learnt_kept_in_bounds_and_resumed(tmp_path: Any) -> None:
    recipe = tiny_recipe(*DELAYED, "learning.delay_rate_ms=5.0", "training.epochs=2")
    whole = train(recipe, tmp_path / "whole", device="cpu", reporter=QUIET)
    net, fresh = whole.net("last"), build_net(recipe)
    assert isinstance(net, SurrogateNet)
    assert isinstance(fresh, SurrogateNet)
    at_bounds = 0
    for axons, before in zip(net.delays, fresh.delays, strict=True):
        assert axons is not None
        assert before is not None
        delays = axons.delay_ms.detach()
        assert not torch.equal(delays, before.delay_ms.detach())
        assert bool(((delays >= 0.0) & (delays <= 20.0)).all())
        at_bounds += int(((delays == 0.0) | (delays == 20.0)).sum())
    assert at_bounds > 0  # steps of 5 ms do reach them, so that something was to be kept
    with pytest.raises(TrainingInterrupted):
        train(recipe, tmp_path / "cut", device="cpu", reporter=Interrupting())
    again = resume(tmp_path / "cut", device="cpu", reporter=QUIET)
    assert without_timing(again.metrics) == without_timing(whole.metrics)
    assert whole.result is not None
    assert again.result is not None
    assert again.result["predictions"] == whole.result["predictions"]
    for one, other in zip(again.net("last").parameters(), net.parameters(), strict=True):
        assert torch.equal(one, other)


def test_counts_alone_stay_at_chance(tmp_path: Any) -> None:
    overrides = (
        "net.model=count_mlp", "learning.rule=bptt", "learning.loss=last", "learning.dropout=0.0", "augment.jitter_ms=0.0",
        "data.options.n_train=90", "data.options.n_test=300", "learning.learning_rate=0.03", "training.epochs=3",
    )  # fmt: skip
    run = train(tiny_recipe(*overrides), tmp_path / "run", device="cpu", reporter=QUIET)
    assert run.result is not None
    # The same counts in each recording: the same answer to all, and so exactly the share of one class.
    assert len(set(run.result["predictions"])) == 1
    assert abs(run.result["accuracy"] - 1 / 3) < 4.0 * (2 / 9 / 300) ** 0.5


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (("net.model=lif",), r"`learning\.rule`.*bptt, truncated, ottt, eprop"),
        (("learning.rule=bptt",), r"`learning\.rule`.*for net\.model spikinggamma: instantaneous"),
        (("net.model=adaptive_lif", "learning.rule=ottt"), r"`learning\.rule`.*for net\.model adaptive_lif: bptt\."),
        (("net.model=count_mlp", "learning.rule=eprop"), r"`learning\.rule`.*for net\.model count_mlp: bptt\."),
        ((*LIF, "learning.loss=spikemax"), r"`learning\.loss`.*readout integrator.*together, or neither"),
        ((*LIF, "readout.kind=spikes"), r"`learning\.loss`.*readout spikes.*together, or neither"),
        (("learning.loss=spikemax", "readout.kind=spikes"), r"`learning\.loss`.*net\.model spikinggamma"),
        ((*LIF, "net.conv=[[4,3,1]]"), r"`net\.conv`.*no such layers"),
        (("data.perturb=['jitter=5s']",), r"`data.perturb`.*'jitter=5s'"),
        (("net.model=izhikevich",), r"`net\.model`.*srm_alpha"),
        ((*LIF, "delays.kind=axonal"), r"`surrogate\.delays`"),
        ((*LIF, "delays.max_ms=0"), r"`surrogate\.max_delay_ms`"),
    ],
)
def test_what_does_not_belong_together_is_named(overrides: tuple[str, ...], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        tiny_recipe(*overrides)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (("learning.rule=eprop",), r"`rule`.*without delays"),
        (("delays.initial_ms=30.0",), r"`initial_delay_ms`.*20\.0"),
        (("learning.update=chunk",), r"`update`.*bptt"),
    ],
)
def test_what_a_net_cannot_do_leaves_no_folder_behind(overrides: tuple[str, ...], says: str, tmp_path: Any) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        train(tiny_recipe(*DELAYED, *overrides), tmp_path / "run", device="cpu", reporter=QUIET)
    assert not (tmp_path / "run").exists()


def test_a_step_longer_than_a_bucket_is_no_fault_of_a_rival() -> None:
    assert tiny_recipe(*LIF, "data.dt_ms=8.0").data.dt_ms == 8.0
    with pytest.raises(SpikingGammaError, match="the shortest bucket"):
        tiny_recipe("data.dt_ms=8.0")


def test_all_parts_are_perturbed_each_by_random_numbers_of_its_own() -> None:
    sizes = [f"data.options.{name}=18" for name in ("n_train", "n_validation", "n_test")]
    plain = load_splits(load_recipe("localisation", sizes))
    recipe = load_recipe("localisation", [*sizes, "data.perturb=['deletion=0.5', 'jitter=2ms']"])
    assert parse_recipe(dump_recipe(recipe)) == recipe
    one, again = load_splits(recipe), load_splits(recipe)
    for before, after, same in zip(plain, one, again, strict=True):
        assert [r.times_us.tolist() for r in after] == [r.times_us.tolist() for r in same]
        assert [r.label for r in after] == [r.label for r in before]
        kept, given = (sum(r.n_events for r in part) for part in (after, before))
        assert abs(kept - 0.5 * given) < 5.0 * (0.25 * given) ** 0.5
    reseeded = load_splits(recipe.model_copy(update={"data": recipe.data.model_copy(update={"seed": 1})}))
    assert [r.n_events for r in reseeded.train] != [r.n_events for r in one.train]
    # How many spikes were lost where in each part: alike only if the parts shared their random numbers.
    lost = [[a.n_events for a in part] for part in one]
    assert lost[0] != lost[1] != lost[2] != lost[0]
