"""Runs of the rivals: every kind of net from a recipe, delays that are learnt and kept, counts that know nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.nn import SurrogateNet
from spikinggamma.runs import build_net
from spikinggamma.training import LogReporter, TrainingInterrupted, resume, train
from tiny_run import tiny_recipe, without_timing

QUIET = LogReporter()
LIF = ("net.model=lif", "learning.rule=bptt", "neuron.tau_ms=10.0", "neuron.synapse_tau_ms=4.0")
DELAYED = (*LIF, "delays.kind=fractional", "delays.input=true", "delays.max_ms=20.0")


class Interrupting(LogReporter):
    """Ctrl-C in the middle of the second epoch."""

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > 1.1:
            raise KeyboardInterrupt


@pytest.mark.long
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
        (("net.model=lif",), r"`learning\.rule`.*bptt"),
        (("learning.rule=bptt",), r"`learning\.rule`.*for net\.model spikinggamma: instantaneous"),
        (("net.model=gru", "learning.rule=ottt"), r"`learning\.rule`.*for net\.model gru: bptt\."),
        (("net.model=count_mlp", "learning.rule=eprop"), r"`learning\.rule`.*for net\.model count_mlp: bptt\."),
        ((*LIF, "learning.loss=spikemax"), r"`learning\.loss`.*readout.kind integrator.*together, or neither"),
        ((*LIF, "readout.kind=spikes"), r"`learning\.loss`.*readout.kind spikes.*together, or neither"),
        (("learning.loss=spikemax", "readout.kind=spikes"), r"`learning\.loss`.*net\.model spikinggamma"),
        ((*LIF, "net.conv=[[4,3,1]]"), r"`net\.conv`.*A chain can have convolutions"),
        (("data.perturb=['jitter=5s']",), r"`data.perturb`.*'jitter=5s'"),
        (("net.model=izhikevich",), r"`net\.model`.*srm_alpha"),
        ((*LIF, "delays.kind=axonal"), r"`delays\.kind`"),
        ((*LIF, "delays.max_ms=0"), r"`delays\.max_ms`"),
    ],
)
def test_what_does_not_belong_together_is_named(overrides: tuple[str, ...], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        tiny_recipe(*overrides)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
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
