"""A recipe's head says what kind of net it is, and nothing of what it does not have."""

from __future__ import annotations

import pytest

from spikinggamma.recipes import load_recipe
from spikinggamma.report.recipe_text import data_words, net_facts


def info(*settings: str) -> dict[str, str]:
    return dict(net_facts(load_recipe("localisation", settings), 16, 9))


def test_each_kind_of_net_has_words_of_its_own() -> None:
    assert info()["net"] == "16 → 64 → 9; 10 buckets per synapse, time constants 4 ms"
    assert info("net.model=count_mlp", "learning.rule=bptt").keys() == {"net"}
    assert info("net.model=gru", "learning.rule=bptt").keys() == {"net"}
    lif = info("net.model=lif", "learning.rule=bptt")
    assert lif["net"].endswith("leaky integrate-and-fire neurons")
    assert lif["axons"] == "no delays"
    assert "bucket" not in " ".join(lif.values())
    settings = ["delays.kind=floored", "delays.max_ms=30", "delays.input=true"]
    delayed = info("net.model=adaptive_lif", "learning.rule=bptt", *settings)
    assert delayed["axons"] == "learnt delays of input channels and hidden neurons up to 30 ms, floored"


@pytest.mark.parametrize(("synapse_ms", "said"), [("0.0", "no synaptic current"), ("7.0", "synaptic current 7 ms")])
def test_a_current_is_named_where_there_is_one(synapse_ms: str, said: str) -> None:
    told = info("net.model=lif", "learning.rule=bptt", f"neuron.synapse_tau_ms={synapse_ms}")["neurons"]
    assert said in told


def test_the_data_are_named_with_what_was_done_to_them() -> None:
    assert data_words(load_recipe("localisation")) == "split official"
    settings = ["data.split=speaker:theo", "data.variant=norm", 'data.perturb=["replacement=0.4"]']
    assert data_words(load_recipe("fsdd", settings)) == "split speaker:theo, variant norm, replacement=0.4"
