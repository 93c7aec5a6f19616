"""Descriptions of a recipe in words, for the top of a page."""

from __future__ import annotations

from pydantic.fields import FieldInfo

from spikinggamma.functional import SURROGATES
from spikinggamma.nn import NETS, NEURONS, GammaNet
from spikinggamma.nn.layers.make import Specification, inner_layers, layer_entry
from spikinggamma.recipes import Recipe, net_class

__all__ = ["augmentation", "count", "data_words", "lowered", "net_facts", "rule_and_loss"]


def data_words(recipe: Recipe) -> str:
    """Return the split, the variant and the perturbations of the data."""
    data = recipe.data
    return ", ".join([f"split {data.split}", *([f"variant {data.variant}"] if data.variant else []), *data.perturb])


def net_facts(recipe: Recipe, inputs: int, classes: int) -> list[tuple[str, str]]:
    """Return facts about sizes, neurons and code, as pairs of a heading and a text."""
    net = recipe.net
    convolutions = [f"{channels} maps of {side} x {side} every {stride}" for channels, side, stride in net.conv]
    sizes = " → ".join(map(str, (inputs, *convolutions, *net.hidden, classes)))
    if issubclass(net_class(recipe), GammaNet):
        return _gamma(recipe, sizes)
    if recipe.layers:
        return [("net", " → ".join(_layer(layer) for layer in recipe.layers))]
    if net.model not in NEURONS:
        return [("net", f"{sizes}; {lowered(NETS[net.model].summary)}")]
    heard = ", which hear one another a step late" if net.recurrent else ""
    return [
        ("net", f"{sizes}; {lowered(NEURONS[net.model].summary)}{heard}"),
        ("neurons", _options(recipe)),
        ("axons", _axons(recipe)),
    ]


def lowered(words: str) -> str:
    """Return a summary as part of a sentence."""
    words = words.rstrip(".")
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _layer(layer: Specification) -> str:
    """Return a layer of a chain in words: its name and what differs from the defaults."""
    entry = layer_entry(layer["layer"])
    inner = inner_layers(layer)
    said = [
        f"{key.removesuffix('_ms')} {_value(key, value)}"
        for key, value in layer.items()
        if key not in ("layer", *inner)
    ]
    blocks = [f"{key} [{' → '.join(_layer(one) for one in row)}]" for key, row in inner.items()]
    return entry.title + (f" ({', '.join([*said, *blocks])})" if said or blocks else "")


def _value(key: str, value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} ms" if key.endswith("_ms") else text


def _options(recipe: Recipe) -> str:
    """Return the options of the neurons and of their surrogate in words."""
    fields = NEURONS[recipe.net.model].options.model_fields
    said = [_option(key, value, fields[key]) for key, value in recipe.neuron.items() if key != "surrogate"]
    if "surrogate" in recipe.neuron:
        entry = SURROGATES[recipe.neuron["surrogate"]]
        shape = ", ".join(
            _option(key, value, entry.options.model_fields[key]) for key, value in recipe.surrogate.items()
        )
        said.append(f"surrogate {entry.title}" + (f" ({shape})" if shape else ""))
    return ", ".join(said)


def _option(key: str, value: object, field: FieldInfo) -> str:
    """Return an option in words: its title and value, or that there is none where zero stands for that."""
    title = field.title or key.removesuffix("_ms").replace("_", " ")
    if value == 0.0 and "0: none" in (field.description or ""):
        return f"no {title}"
    return f"{title} {_value(key, value)}"


def _axons(recipe: Recipe) -> str:
    chosen = recipe.delays
    if chosen.kind == "none":
        return "no delays"
    whose = "of input channels and hidden neurons" if chosen.input else "of hidden neurons"
    return f"learnt delays {whose} up to {chosen.max_ms:g} ms, {chosen.kind}"


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
