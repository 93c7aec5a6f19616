"""Descriptions of a recipe in words, for the top of a page."""

from __future__ import annotations

from spikinggamma.recipes import Recipe

__all__ = ["augmentation", "count", "data_words", "net_facts", "rule_and_loss"]

_NEURONS = {
    "lif": "leaky integrate and fire",
    "adaptive_lif": "adaptive leaky integrate and fire",
    "recurrent_lif": "recurrent leaky integrate and fire",
    "srm_alpha": "spike response, alpha functions",
}


def data_words(recipe: Recipe) -> str:
    """Return the split, the variant and the perturbations of the data."""
    data = recipe.data
    return ", ".join([f"split {data.split}", *([f"variant {data.variant}"] if data.variant else []), *data.perturb])


def net_facts(recipe: Recipe, inputs: int, classes: int) -> list[tuple[str, str]]:
    """Return facts about sizes, neurons and code, as pairs of a heading and a text."""
    net = recipe.net
    convolutions = [f"{channels} maps of {side} x {side} every {stride}" for channels, side, stride in net.conv]
    sizes = " → ".join(map(str, (inputs, *convolutions, *net.hidden, classes)))
    if net.model == "spikinggamma":
        return _gamma(recipe, sizes)
    if net.model == "count_mlp":
        return [("net", f"{sizes}; a perceptron on the spike counts of whole recordings")]
    if net.model == "gru":
        return [("net", f"{sizes}; gated recurrent units on the counts of each step")]
    return [
        ("net", f"{sizes}; {_NEURONS[net.model]} neurons"),
        ("neurons", _neurons(recipe)),
        ("axons", _axons(recipe)),
    ]


def _neurons(recipe: Recipe) -> str:
    chosen = recipe.surrogate
    if recipe.net.model == "srm_alpha":
        return f"synapse {chosen.tau_ms:g} ms, refractoriness {chosen.refractory_tau_ms:g} ms, threshold {chosen.threshold:g}"
    synapse = f"synapse {chosen.synapse_tau_ms:g} ms" if chosen.synapse_tau_ms else "no synaptic current"
    return f"membrane {chosen.tau_ms:g} ms, {synapse}, threshold {chosen.threshold:g}, surrogate {chosen.surrogate}"


def _axons(recipe: Recipe) -> str:
    chosen = recipe.surrogate
    if chosen.delays == "none":
        return "no delays"
    whose = "of input channels and hidden neurons" if chosen.delay_input else "of hidden neurons"
    return f"learnt delays {whose} up to {chosen.max_delay_ms:g} ms, {chosen.delays}"


def _gamma(recipe: Recipe, sizes: str) -> list[tuple[str, str]]:
    net = recipe.net
    tau = f"{min(net.tau_ms):g} to {max(net.tau_ms):g} ms" if len(set(net.tau_ms)) > 1 else f"{net.tau_ms[0]:g} ms"
    trained = ", trained" if net.train_tau else ""
    buckets = f"{sizes}; {count(len(net.tau_ms), 'bucket')} per {net.synapse}, time constants {tau}{trained}"
    return [("net", buckets), ("code", _code(recipe))]


def _code(recipe: Recipe) -> str:
    net = recipe.net
    if net.analogue:
        return "none: the signal itself is passed"
    adapting = f"rising by {net.adaptation:g} of itself a spike, back in {net.adaptation_tau_ms:g} ms"
    cap = f"; at most {count(net.max_spikes, 'spike')} a step" if net.max_spikes else ""
    return f"threshold {net.threshold:g}, {adapting if net.adaptation > 0 else 'fixed'}{cap}"


def rule_and_loss(recipe: Recipe) -> str:
    """Return the rule, the loss and their settings."""
    learning = recipe.learning
    parts = [f"{learning.rule}, {learning.loss}", f"an update each {learning.update}"]
    parts += [f"activity cost {learning.activity_cost:g}"] if learning.activity_cost > 0.0 else []
    parts += [f"dropout {learning.dropout:g}"] if learning.dropout > 0.0 else []
    return "; ".join(parts)


def augmentation(recipe: Recipe) -> str:
    """Return the augmentation of training recordings."""
    used = {name: value for name, value in recipe.augment.model_dump().items() if value}
    return ", ".join(f"{name} {value:g}" for name, value in used.items()) or "none"


def count(number: int, what: str) -> str:
    """Return a number with its noun, in the plural where needed."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
