"""Making layers from a list of named layers, as in a recipe; each takes the output shape of the one before it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from pydantic import Field

from spikinggamma.bibliography import TSKIPS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.nn.layers.recurrent import Recurrence, Recurrent
from spikinggamma.nn.layers.stack import Feedback, Residual, Stack, TemporalSkip
from spikinggamma.nn.neurons.base import NEURONS, make_neuron
from spikinggamma.options import Options
from spikinggamma.registry import Entry

__all__ = ["Specification", "inner_layers", "layer_entry", "make_layer", "make_stack"]

# `layer` is a name in LAYERS or NEURONS; all other keys are its options.
Specification = Mapping[str, Any]
_Specifications = tuple[dict[str, Any], ...]


def layer_entry(name: str, *, argument: str = "layer") -> Entry[Any]:
    """Return the entry of a layer, or of a kind of neuron, which is a layer too.

    Raises:
        SpikingGammaError: The name is unknown.
    """
    if name in NEURONS:
        return NEURONS[name]
    if name in LAYERS:
        return LAYERS[name]
    known = sorted((*LAYERS, *NEURONS))
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"Did you mean `{near[0]}`?" if near else ""
    raise SpikingGammaError(argument, repr(name), f"one of {', '.join(known)}", remedy)


def inner_layers(specification: Specification) -> dict[str, tuple[Specification, ...]]:
    """Return the layers inside a layer, by the name of the option that holds them.

    Raises:
        SpikingGammaError: The layer is unknown.

    Example:
        >>> list(inner_layers({"layer": "residual", "branch": [{"layer": "lif"}]}))
        ['branch']
    """
    fields = layer_entry(specification["layer"]).options.model_fields
    held = [key for key, field in fields.items() if field.annotation == _Specifications and specification.get(key)]
    return {key: tuple(specification[key]) for key in held}


def make_layer(
    specification: Specification,
    in_shape: Sequence[int],
    generator: torch.Generator | None = None,
    *,
    argument: str = "layers",
) -> Layer:
    """Return a layer.

    Args:
        specification: `{"layer": name, option: value, ...}`; neurons are recurrent if `recurrent` is true, or a table of
            the options of `Recurrence`.
        in_shape: Shape of one sample's input at one step.
        generator: Random numbers of its initial parameters.
        argument: Name of the specification in errors.

    Raises:
        SpikingGammaError: The layer or an option is unknown, a value is out of range, or the layer does not accept the
            input.

    Example:
        >>> make_layer({"layer": "linear", "neurons": 8}, (3,)).out_shape
        (8,)
    """
    given = dict(specification)
    name = given.pop("layer", None)
    if not isinstance(name, str):
        raise SpikingGammaError(argument, f"a table without the key `layer` ({given})", "layer = the name of a layer")
    entry = layer_entry(name, argument=f"{argument}.layer")
    if name in NEURONS:
        recurrence = Recurrence.of(given.pop("recurrent", False), argument=f"{argument}.recurrent")
        neuron = make_neuron(name, in_shape, entry.make_options(given, argument=argument), generator)
        return neuron if recurrence is None else Recurrent(neuron, generator, recurrence)
    made: Layer = entry.target(tuple(in_shape), entry.make_options(given, argument=argument), generator)
    return made


def make_stack(
    specifications: Sequence[Specification],
    in_shape: Sequence[int],
    generator: torch.Generator | None = None,
    *,
    argument: str = "layers",
) -> Stack:
    """Return layers in sequence.

    Args:
        specifications: Specification of each layer, as `make_layer` takes it.
        in_shape: Shape of one sample's input at one step.
        generator: Random numbers of the initial parameters.
        argument: Name of the specifications in errors.

    Raises:
        SpikingGammaError: As `make_layer`; the message gives the position of the layer.

    Example:
        >>> make_stack([{"layer": "linear", "neurons": 8}, {"layer": "lif"}], (3,)).out_shape
        (8,)
    """
    layers: list[Layer] = []
    shape = tuple(in_shape)
    for index, specification in enumerate(specifications):
        layers.append(make_layer(specification, shape, generator, argument=f"{argument}[{index}]"))
        shape = layers[-1].out_shape
    return Stack(layers, in_shape)


class ResidualOptions(Options):
    """Options of a residual block."""

    branch: _Specifications = Field(
        min_length=1, description="layers of the branch, each written as a layer of the chain"
    )
    shortcut: _Specifications = Field(
        default=(), description="layers of the shortcut, needed if the shapes differ; none: the identity"
    )


@LAYERS.register("residual", options=ResidualOptions)
def residual(in_shape: Sequence[int], options: ResidualOptions, generator: torch.Generator | None) -> Residual:
    """A residual block: the sum of a branch of layers and a shortcut from its input."""
    branch = make_stack(options.branch, in_shape, generator, argument="branch")
    return Residual(branch, make_stack(options.shortcut, in_shape, generator, argument="shortcut"))


class SkipOptions(Options):
    """Options of a temporal skip."""

    branch: _Specifications = Field(
        min_length=1, description="layers of the branch, each written as a layer of the chain"
    )
    projection: _Specifications = Field(
        default=(), description="layers in the skip connection, needed if the shapes differ; none: the identity"
    )
    delay_ms: float = Field(default=10.0, ge=0.0, le=60_000.0, description="delay of the skip connection [ms]")
    combine: Literal["add", "concatenate"] = Field(
        default="add", description="add: a sum with learnt shares; concatenate: channels side by side"
    )


@LAYERS.register("temporal_skip", options=SkipOptions, citations=(TSKIPS,))
def temporal_skip(in_shape: Sequence[int], options: SkipOptions, generator: torch.Generator | None) -> TemporalSkip:
    """A branch of layers, combined with its delayed input."""
    branch = make_stack(options.branch, in_shape, generator, argument="branch")
    projection = make_stack(options.projection, in_shape, generator, argument="projection")
    return TemporalSkip(branch, projection, delay_ms=options.delay_ms, combine=options.combine)


@LAYERS.register("feedback", options=SkipOptions, citations=(TSKIPS,))
def feedback(in_shape: Sequence[int], options: SkipOptions, generator: torch.Generator | None) -> Feedback:
    """A branch of layers, whose delayed output is combined with its input."""
    shape = tuple(in_shape)
    # The output shape of the branch is known only once it is made, but its input depends on its output. So the shape is
    # found with an input of the width that the projection must return.
    if options.combine == "add":
        branch = make_stack(options.branch, shape, generator, argument="branch")
        projection = make_stack(options.projection, branch.out_shape, generator, argument="projection")
    else:
        outcome = make_stack(options.branch, shape, torch.Generator(), argument="branch").out_shape
        projection = make_stack(options.projection, outcome, generator, argument="projection")
        inner = (shape[0] + projection.out_shape[0], *shape[1:])
        branch = make_stack(options.branch, inner, generator, argument="branch")
    return Feedback(branch, projection, shape, delay_ms=options.delay_ms, combine=options.combine)
