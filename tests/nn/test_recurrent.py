"""Recurrence around neurons: how its weights begin, and neurons that do not hear themselves."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Recurrence, Recurrent, make_chain, make_layer, make_neuron
from spikinggamma.recipes import dump_recipe, load_recipe, parse_recipe, with_values


def recurrent(**options: object) -> Recurrent:
    layer = make_layer({"layer": "lif", "recurrent": options}, (100,), torch.Generator().manual_seed(0))
    assert isinstance(layer, Recurrent)
    return layer


def test_true_is_half_a_fan_in_of_normal_weights() -> None:
    layer = make_layer({"layer": "lif", "recurrent": True}, (100,), torch.Generator().manual_seed(0))
    assert isinstance(layer, Recurrent)
    drawn = torch.randn(100, 100, generator=torch.Generator().manual_seed(0)) / 400**0.5
    assert torch.equal(layer.recurrent_weight.detach(), drawn)
    assert not isinstance(make_layer({"layer": "lif", "recurrent": False}, (100,)), Recurrent)


def test_orthogonal_weights_keep_the_length_of_what_they_hear() -> None:
    weight = recurrent(initial="orthogonal", size=2.0).recurrent_weight.detach().double()
    torch.testing.assert_close(weight @ weight.T, 4.0 * torch.eye(100, dtype=torch.float64), rtol=0.0, atol=1e-5)


def test_uniform_weights_have_their_bound() -> None:
    weight = recurrent(initial="uniform", size=0.3).recurrent_weight.detach()
    assert 0.29 < float(weight.abs().max()) <= 0.3
    assert float(weight.std()) == pytest.approx(0.3 / 3**0.5, rel=0.03)


def test_neurons_that_do_not_hear_themselves_go_on_so() -> None:
    layer = recurrent(own=False)
    others = ~torch.eye(100, dtype=torch.bool)
    assert not layer.recurrent_weight.detach().diagonal().any()
    assert bool(layer.recurrent_weight.detach()[others].all())
    layer.recurrent_weight.data += 1.0
    layer.constrain_()
    assert not layer.recurrent_weight.detach().diagonal().any()
    assert bool(recurrent().recurrent_weight.detach().diagonal().all())


@pytest.mark.parametrize(
    ("options", "named"),
    [({"initial": "xavier"}, "initial"), ({"size": 0.0}, "size"), ({"owns": True}, "owns"), ({"own": 1}, "own")],
)
def test_an_option_that_does_not_fit_is_named_in_a_chain_and_in_a_recipe(
    options: dict[str, object], named: str
) -> None:
    layers = ({"layer": "linear", "neurons": 4}, {"layer": "lif", "recurrent": options})
    with pytest.raises(SpikingGammaError, match=rf"recurrent\.{named}`"):
        make_chain(layers, (3,))
    with pytest.raises(SpikingGammaError, match=rf"layers\[1\]\.recurrent\.{named}`"):
        with_values(load_recipe("fsdd_chain"), {"layers": layers})


def test_a_recurrence_by_hand_is_that_of_its_options() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = Recurrent(make_neuron("lif", (100,)), generator, Recurrence(initial="orthogonal", own=False))
    assert torch.equal(layer.recurrent_weight, recurrent(initial="orthogonal", own=False).recurrent_weight)


def test_a_recipe_keeps_the_options_of_a_recurrence() -> None:
    layers = (
        {"layer": "linear", "neurons": 4},
        {"layer": "lif", "recurrent": {"initial": "orthogonal", "own": False}},
        {"layer": "linear", "neurons": 0},
    )
    recipe = with_values(load_recipe("fsdd_chain"), {"layers": layers})
    assert parse_recipe(dump_recipe(recipe)).layers == layers
