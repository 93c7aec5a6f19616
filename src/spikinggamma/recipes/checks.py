"""What the keys of a recipe ask of one another."""

from __future__ import annotations

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.perturbation import parse_perturbation
from spikinggamma.learning import GAMMA_RULES, SURROGATE_RULES
from spikinggamma.recipes.schema import SPIKELESS_MODELS, SURROGATE_MODELS, Recipe

__all__ = ["check_together"]

_RULES: dict[str, tuple[str, ...]] = {
    "spikinggamma": tuple(GAMMA_RULES),
    "lif": tuple(SURROGATE_RULES),
    **dict.fromkeys((*SURROGATE_MODELS[1:], *SPIKELESS_MODELS), ("bptt",)),
}


def check_together(recipe: Recipe) -> None:
    """Refuse values that are right one by one and do not go together.

    Raises:
        SpikingGammaError: The first of them, by its key.
    """
    shortest = min(recipe.net.tau_ms)
    if recipe.net.model == "spikinggamma" and recipe.data.dt_ms > shortest:
        raise SpikingGammaError(
            "data.dt_ms",
            f"{recipe.data.dt_ms} ms",
            f"at most {shortest} ms, the shortest bucket in net.tau_ms",
            "Use a finer step or longer buckets.",
        )
    if not recipe.net.hidden and not recipe.net.conv:
        raise SpikingGammaError("net.hidden", "[]", "at least one layer here or in net.conv")
    learning, training = recipe.learning, recipe.training
    if learning.schedule == "warmup_cosine" and learning.warmup_epochs >= training.epochs:
        raise SpikingGammaError(
            "learning.warmup_epochs", learning.warmup_epochs, f"less than training.epochs ({training.epochs})"
        )
    known = _RULES[recipe.net.model]
    if learning.rule not in known:
        expected = f"one for net.model {recipe.net.model}: {', '.join(known)}"
        raise SpikingGammaError("learning.rule", repr(learning.rule), expected)
    if (learning.loss == "spikemax") != (recipe.net.model in SURROGATE_MODELS and recipe.surrogate.readout == "spikes"):
        found = f"{learning.loss!r} for net.model {recipe.net.model}, surrogate.readout {recipe.surrogate.readout}"
        raise SpikingGammaError("learning.loss", found, "spikemax and surrogate.readout = spikes together, or neither")
    if recipe.net.conv and recipe.net.model != "spikinggamma":
        raise SpikingGammaError("net.conv", "convolutions", f"none, as net.model {recipe.net.model} has no such layers")
    for text in recipe.data.perturb:
        parse_perturbation(text, argument="data.perturb")
    if learning.rule == "shifted" and len(set(recipe.net.tau_ms)) > 1:
        raise SpikingGammaError(
            "learning.rule", "shifted with several time constants", "net.tau_ms with one value repeated",
            "Gamma kernels compose only when all buckets decay alike; use windowed otherwise.",
        )  # fmt: skip
