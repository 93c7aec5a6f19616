"""From a list of named layers, as a recipe has it, to layers: each takes the shape that the one before it gives."""

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

__all__ = ["Specification", "layer_entry", "make_layer", "make_stack"]

# `layer`: a name in LAYERS or NEURONS; everything else is an option of it.
Specification = Mapping[str, Any]
_Specifications = tuple[dict[str, Any], ...]


def layer_entry(name: str, *, argument: str = "layer") -> Entry[Any]:
    """Return the entry of a layer, or of a neuron, which is a layer too.

    Raises:
        SpikingGammaError: There is none of that name.
    """
    if name in NEURONS:
        return NEURONS[name]
    if name in LAYERS:
        return LAYERS[name]
    known = sorted((*LAYERS, *NEURONS))
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"Did you mean `{near[0]}`?" if near else ""
    raise SpikingGammaError(argument, repr(name), f"one of {', '.join(known)}", remedy)


def make_layer(
    specification: Specification,
    in_shape: Sequence[int],
    generator: torch.Generator | None = None,
    *,
    argument: str = "layers",
) -> Layer:
    """Return one layer.

    Args:
        specification: `{"layer": name, option: value, ...}`; neurons recur where `recurrent` is true, or
            a table of options of `Recurrence`.
        in_shape: Shape of one sample's input at one step.
        generator: Random numbers of its initial parameters.
        argument: What errors call the specification.

    Raises:
        SpikingGammaError: No such layer, an option that is unknown or out of range, or an input that it does not take.

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
    """Return layers in a row.

    Raises:
        SpikingGammaError: As `make_layer` does; the place in the row is named.

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

    branch: _Specifications = Field(min_length=1, description="layers of the branch, each as a layer of the chain")
    shortcut: _Specifications = Field(
        default=(), description="layers of the shortcut, where the shapes differ; none: the identity"
    )


@LAYERS.register("residual", options=ResidualOptions)
def residual(in_shape: Sequence[int], options: ResidualOptions, generator: torch.Generator | None) -> Residual:
    """A branch of layers, and what went into it added to what comes out."""
    branch = make_stack(options.branch, in_shape, generator, argument="branch")
    return Residual(branch, make_stack(options.shortcut, in_shape, generator, argument="shortcut"))


class SkipOptions(Options):
    """Options of a temporal skip."""

    branch: _Specifications = Field(min_length=1, description="layers that are skipped, each as a layer of the chain")
    projection: _Specifications = Field(
        default=(), description="layers that change the shape of what skips; none: the identity"
    )
    delay_ms: float = Field(default=10.0, ge=0.0, le=60_000.0, description="delay of what skips [ms]")
    combine: Literal["add", "concatenate"] = Field(
        default="add", description="added with a learnt share, or side by side"
    )


@LAYERS.register("temporal_skip", options=SkipOptions, citations=(TSKIPS,))
def temporal_skip(in_shape: Sequence[int], options: SkipOptions, generator: torch.Generator | None) -> TemporalSkip:
    """A branch of layers, and what went into it some time ago."""
    branch = make_stack(options.branch, in_shape, generator, argument="branch")
    projection = make_stack(options.projection, in_shape, generator, argument="projection")
    return TemporalSkip(branch, projection, delay_ms=options.delay_ms, combine=options.combine)


@LAYERS.register("feedback", options=SkipOptions, citations=(TSKIPS,))
def feedback(in_shape: Sequence[int], options: SkipOptions, generator: torch.Generator | None) -> Feedback:
    """A branch of layers that hears what it said some time ago."""
    shape = tuple(in_shape)
    # What comes out of the branch is known once it is made, and its input depends on what comes back: the shape of that is
    # found with an input of the width that the projection has to give.
    if options.combine == "add":
        branch = make_stack(options.branch, shape, generator, argument="branch")
        projection = make_stack(options.projection, branch.out_shape, generator, argument="projection")
    else:
        outcome = make_stack(options.branch, shape, torch.Generator(), argument="branch").out_shape
        projection = make_stack(options.projection, outcome, generator, argument="projection")
        inner = (shape[0] + projection.out_shape[0], *shape[1:])
        branch = make_stack(options.branch, inner, generator, argument="branch")
    return Feedback(branch, projection, shape, delay_ms=options.delay_ms, combine=options.combine)
