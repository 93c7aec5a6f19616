"""Checks of the keys of a recipe that depend on one another."""

from __future__ import annotations

import math

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import parse_perturbation
from spikinggamma.learning import LOSSES, RULES
from spikinggamma.nn import DELAY_KINDS, NEURONS, READOUTS, Chain, GammaNet, SurrogateNet
from spikinggamma.recipes.option_tables import net_class
from spikinggamma.recipes.schema import Data, Recipe

__all__ = ["check_together", "longest_step_ms"]


def longest_step_ms(recipe: Recipe) -> float:
    """Return the longest time step in ms at which the net of a recipe can run: the shortest bucket of SpikingGamma.

    Neurons of other nets decay exponentially, at any time step. A chain checks its SpikingGamma layers itself.
    """
    return min(recipe.net.tau_ms) if issubclass(net_class(recipe), GammaNet) else math.inf


def check_together(recipe: Recipe) -> None:
    """Check that the values of a recipe, each valid by itself, are compatible.

    Raises:
        SpikingGammaError: Two values are incompatible; the message names the first such key.
    """
    net, learning, training = recipe.net, recipe.learning, recipe.training
    shortest = longest_step_ms(recipe)
    if recipe.data.dt_ms > shortest:
        raise SpikingGammaError(
            "data.dt_ms",
            f"{recipe.data.dt_ms} ms",
            f"at most {shortest} ms, the shortest bucket in net.tau_ms",
            "Use a shorter time step or longer time constants.",
        )
    _check_net(recipe)
    _check_own_data(recipe)
    if learning.schedule == "warmup_cosine" and learning.warmup_epochs >= training.epochs:
        raise SpikingGammaError(
            "learning.warmup_epochs", learning.warmup_epochs, f"less than training.epochs ({training.epochs})"
        )
    known = [entry.name for entry in RULES.entries() if issubclass(net_class(recipe), entry.target.nets)]
    if learning.rule not in known:
        expected = f"one for net.model {net.model}: {', '.join(known)}"
        raise SpikingGammaError("learning.rule", repr(learning.rule), expected)
    spiking_outputs = LOSSES[learning.loss].target.spiking_outputs
    if not recipe.layers and spiking_outputs != (net.model in NEURONS and recipe.readout.kind == "spikes"):
        found = f"{learning.loss!r} for net.model {net.model}, readout.kind {recipe.readout.kind}"
        expected = f"{learning.loss} and readout.kind = spikes together, or neither"
        raise SpikingGammaError("learning.loss", found, expected)
    for text in recipe.data.perturb:
        parse_perturbation(text, argument="data.perturb")
    if RULES[learning.rule].target.needs_equal_timescales and len(set(net.tau_ms)) > 1:
        raise SpikingGammaError(
            "learning.rule", f"{learning.rule} with several time constants", "net.tau_ms with one value repeated",
            "Gamma kernels compose only if all buckets have the same time constant; use windowed otherwise.",
        )  # fmt: skip


def _check_own_data(recipe: Recipe) -> None:
    """Refuse keys that are for recordings at a path where there is none."""
    data, usual = recipe.data, Data()
    if data.name == "recordings":  # given in Python
        return
    for key in ("layout", "encoder", "scale", "classes", "sensor", "answer"):
        if not data.path and getattr(data, key) != getattr(usual, key):
            found = f"{getattr(data, key)!r} without data.path"
            raise SpikingGammaError(f"data.{key}", found, "it with data.path only, as it is for recordings of your own")
    if len(data.sensor) not in (0, 1, 3):
        raise SpikingGammaError(
            "data.sensor", list(data.sensor), "[channels], or [polarities, rows, columns] of a camera"
        )


def _check_net(recipe: Recipe) -> None:
    net, kind = recipe.net, net_class(recipe)
    if (kind is Chain) != bool(recipe.layers):
        found = f"{len(recipe.layers)} layers for net.model {net.model}"
        raise SpikingGammaError("layers", found, "[[layers]] and net.model = chain together, or neither")
    if not recipe.layers and not net.hidden and not net.conv:
        raise SpikingGammaError("net.hidden", "[]", "at least one layer here or in net.conv")
    if net.conv and not issubclass(kind, GammaNet):
        remedy = "A chain can have convolutions with any neurons: net.model = chain and [[layers]]."
        raise SpikingGammaError("net.conv", "convolutions", f"none with net.model {net.model}", remedy)
    if net.recurrent and not issubclass(kind, SurrogateNet):
        expected = f"false with net.model {net.model}"
        raise SpikingGammaError("net.recurrent", "true", expected, "A layer of a chain has the option recurrent.")
    for key, value, kinds in (
        ("delays.kind", recipe.delays.kind, ("none", *DELAY_KINDS)),
        ("readout.kind", recipe.readout.kind, READOUTS),
    ):
        if value not in kinds:
            raise SpikingGammaError(key, repr(value), f"one of {', '.join(kinds)}")
