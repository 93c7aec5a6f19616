"""Layers by name: shapes run through, options reach the layer, blocks hold layers, and what cannot be made is named."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import Field

from spikinggamma import SpikingGammaError
from spikinggamma.nn import LAYERS, Feedback, Recurrent, Residual, Stack, TemporalSkip, make_layer, make_stack
from spikinggamma.nn.layers.make import inner_layers, layer_entry
from spikinggamma.options import Options

SIX: dict[str, Any] = {"layer": "linear", "neurons": 6}
LIF: dict[str, Any] = {"layer": "lif", "tau_ms": 8.0}


def test_each_layer_takes_the_shape_that_the_one_before_it_gives() -> None:
    row = make_stack(
        [
            {"layer": "conv2d", "channels": 4, "stride": 2},
            LIF,
            {"layer": "pool2d"},
            {"layer": "flatten"},
            SIX,
            {"layer": "adaptive_lif", "recurrent": True},
        ],
        (2, 8, 6),
    )
    shapes = [layer.out_shape for layer in row.row]
    assert shapes == [(4, 4, 3), (4, 4, 3), (4, 2, 1), (8,), (6,), (6,)]
    assert isinstance(row.row[-1], Recurrent)
    y, _ = row(torch.ones(3, 2, 2, 8, 6), row.initial_state(2), 1.0)
    assert y.shape == (3, 2, 6)


def test_options_reach_the_neuron_also_inside_a_recurrence() -> None:
    plain, around = make_layer(LIF, (6,)), make_layer({**LIF, "recurrent": True}, (6,))
    assert isinstance(around, Recurrent)
    assert plain.options.tau_ms == around.neuron.options.tau_ms == 8.0


def test_one_generator_gives_one_row() -> None:
    layers = [SIX, {**LIF, "recurrent": True}, {"layer": "synaptic_delay", "neurons": 3}]
    rows = [make_stack(layers, (5,), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    first, same, other = (torch.cat([p.flatten() for p in row.parameters()]) for row in rows)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_blocks_hold_their_layers() -> None:
    residual = make_layer({"layer": "residual", "branch": (SIX, LIF), "shortcut": (SIX,)}, (5,))
    assert isinstance(residual, Residual)
    assert [len(part.row) for part in (residual.branch, residual.shortcut)] == [2, 1]
    skip = make_layer({"layer": "temporal_skip", "branch": (SIX,), "delay_ms": 4.0}, (6,))
    assert isinstance(skip, TemporalSkip)
    assert skip.delay_ms == 4.0


@pytest.mark.parametrize(("combine", "inner"), [("add", 5), ("concatenate", 11)])
def test_what_comes_back_is_part_of_the_branchs_input(combine: str, inner: int) -> None:
    back = () if combine == "concatenate" else ({"layer": "linear", "neurons": 5},)
    specification = {"layer": "feedback", "combine": combine, "branch": (SIX, LIF), "projection": back, "delay_ms": 2.0}
    layer = make_layer(specification, (5,), torch.Generator().manual_seed(0))
    assert isinstance(layer, Feedback)
    assert layer.branch.in_shape == (inner,)
    y, _ = layer(torch.ones(4, 2, 5), layer.initial_state(2), 1.0)
    assert y.shape == (4, 2, 6)


def test_rows_inside_a_layer_are_found_by_the_type_of_its_options() -> None:
    """A layer from elsewhere may call them as it likes."""

    class TwinOptions(Options):
        left: tuple[dict[str, Any], ...] = Field(default=(), description="one row")
        right: tuple[dict[str, Any], ...] = Field(default=(), description="another")
        gains: tuple[float, ...] = (1.0,)

    @LAYERS.register("twin", options=TwinOptions)
    def twin(in_shape: tuple[int, ...], options: TwinOptions, generator: torch.Generator | None) -> Stack:
        """Two rows, one after the other."""
        return make_stack((*options.left, *options.right), in_shape, generator)

    try:
        specification = {"layer": "twin", "left": (SIX,), "right": (SIX, LIF), "gains": (2.0,)}
        assert inner_layers(specification) == {"left": (SIX,), "right": (SIX, LIF)}
        assert inner_layers({"layer": "twin", "right": (LIF,)}) == {"right": (LIF,)}
        assert inner_layers(LIF) == {}
        assert make_layer(specification, (5,)).out_shape == (6,)
    finally:
        LAYERS._entries.pop("twin")


def test_neurons_are_layers_too() -> None:
    assert layer_entry("lif").name == "lif"
    assert layer_entry("linear").name == "linear"


@pytest.mark.parametrize(
    ("specification", "says"),
    [
        ({"neurons": 6}, r"`layers`: got a table without the key `layer`"),
        ({"layer": "lineer"}, r"`layers.layer`: got 'lineer'.*Did you mean `linear`"),
        ({"layer": "linear", "neuron": 6}, r"`layers.neuron`.*Did you mean `neurons`"),
        ({"layer": "linear", "neurons": -1}, r"`layers.neurons`: got -1"),
        ({"layer": "residual", "branch": ()}, r"`layers.branch`"),
        ({"layer": "residual", "branch": ({"layer": "lineer"},)}, r"`branch\[0\].layer`"),
    ],
)
def test_what_cannot_be_made_is_named(specification: dict[str, Any], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        make_layer(specification, (5,))


def test_the_place_in_a_row_is_named() -> None:
    with pytest.raises(SpikingGammaError, match=r"`layers\[1\].tau`"):
        make_stack([SIX, {"layer": "lif", "tau": 3.0}], (5,))
