"""Build the net, the learner and the optimiser that a recipe describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from spikinggamma.data.loading import DataInfo, data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Evaluator, Learner, judging_loss
from spikinggamma.nn import (
    NETS,
    NEURONS,
    Chain,
    GammaNet,
    ParameterKind,
    SequenceNet,
    SurrogateNet,
    conv_net,
    make_chain,
    parameter_kinds,
)
from spikinggamma.nn.layers.make import inner_layers
from spikinggamma.recipes.schema import Recipe
from spikinggamma.runs.answers import check_answer
from spikinggamma.seeds import random_stream

__all__ = [
    "build_evaluator",
    "build_learner",
    "build_net",
    "build_optimiser",
    "calibrate",
    "pick_device",
    "set_learning_rate",
]

# Enough recordings for a stable root mean square, and few enough to be fast.
_CALIBRATION_RECORDINGS = 64


def build_net(recipe: Recipe) -> SequenceNet:
    """Return a fresh net; the same seed gives the same weights.

    Raises:
        SpikingGammaError: Convolutions of recordings that are no pictures, or layers of a chain that do not fit.
    """
    info, net = data_info(recipe), recipe.net
    if net.conv and len(info.shape) != 3:
        expected = "[], as these recordings are no pictures"
        raise SpikingGammaError("net.conv", [list(row) for row in net.conv], expected)
    generator = random_stream(recipe.training.seed, "weights")
    if net.model in NEURONS:
        return _surrogate_net(recipe, info, generator)
    kind: Callable[..., SequenceNet] = NETS[net.model].target
    if kind in _BUILDERS:
        return _BUILDERS[kind](recipe, info, generator)
    sizes = (info.n_channels, *net.hidden, info.n_classes)
    return kind(sizes, dropout=recipe.learning.dropout, generator=generator)


def _gamma_net(recipe: Recipe, info: DataInfo, generator: torch.Generator) -> SequenceNet:
    net = recipe.net
    return conv_net(
        info.shape if net.conv else (info.n_channels,),
        net.conv,
        (*net.hidden, info.n_classes),
        tau_ms=net.tau_ms,
        code=SigmaDelta(net.threshold, net.adaptation, net.adaptation_tau_ms, net.max_spikes or None),
        analogue=net.analogue,
        synapse=net.synapse,
        train_tau=net.train_tau,
        shortest_ms=net.shortest_ms or None,
        input_gain=net.input_gain,
        dropout=recipe.learning.dropout,
        generator=generator,
    )


def _surrogate_net(recipe: Recipe, info: DataInfo, generator: torch.Generator) -> SequenceNet:
    options = dict(recipe.neuron)
    if recipe.surrogate:
        options["surrogate_options"] = recipe.surrogate
    delays, readout = recipe.delays, recipe.readout
    return SurrogateNet(
        (info.n_channels, *recipe.net.hidden, info.n_classes),
        neuron=recipe.net.model,
        options=options,
        recurrent=recipe.net.recurrent,
        readout=readout.kind,
        readout_tau_ms=None if readout.tau_ms < 0.0 else readout.tau_ms,
        delays=delays.kind,
        delay_input=delays.input,
        max_delay_ms=delays.max_ms,
        initial_delay_ms=None if delays.initial_ms < 0.0 else delays.initial_ms,
        dropout=recipe.learning.dropout,
        generator=generator,
    )


def _chain(recipe: Recipe, info: DataInfo, generator: torch.Generator) -> SequenceNet:
    layers = [_with_classes(layer, info.n_classes) for layer in recipe.layers]
    shape = info.shape or (info.n_channels,)
    net = make_chain(layers, shape, dropout=recipe.learning.dropout, generator=generator)
    if net.classes != info.n_classes:
        found = f"outputs of {net.classes} numbers"
        remedy = "Give the last weights neurons = 0: as many as there are classes."
        raise SpikingGammaError("layers", found, f"{info.n_classes}, one for each class", remedy)
    return net


def _with_classes(layer: Mapping[str, Any], n_classes: int) -> dict[str, Any]:
    """Return a layer with as many outputs as there are classes where it says `neurons = 0`."""
    found = dict(layer)
    if found.get("neurons") == 0:
        found["neurons"] = n_classes
    inside = {key: tuple(_with_classes(one, n_classes) for one in row) for key, row in inner_layers(layer).items()}
    return found | inside


# Nets that take more from a recipe than their sizes.
_BUILDERS: dict[type[SequenceNet], Callable[[Recipe, DataInfo, torch.Generator], SequenceNet]] = {
    GammaNet: _gamma_net,
    Chain: _chain,
}


def calibrate(net: SequenceNet, recipe: Recipe, recordings: Sequence[Recording]) -> None:
    """Scale the layers of a new net on the first training recordings, so that each of them spikes."""
    data = recipe.data
    batch = make_batch(recordings[:_CALIBRATION_RECORDINGS], dt_ms=data.dt_ms, n_channels=data.n_channels or None)
    net.eval()
    net.calibrate(
        batch.spikes,
        dt_ms=data.dt_ms,
        lengths=batch.lengths,
        signal_per_threshold=recipe.net.signal_per_threshold,
    )


def build_learner(net: SequenceNet, recipe: Recipe) -> Learner:
    """Return a learner that applies the recipe's learning rule to `net`.

    Raises:
        SpikingGammaError: The loss judges another kind of answer than the recordings are labelled with, or does not suit the
            rule or the net.
    """
    check_answer(recipe)
    learning = recipe.learning
    options: dict[str, Any] = dict(recipe.rule)
    if options.get("feedback_seed") == 0:
        options["feedback_seed"] = recipe.training.seed
    return Learner(
        net,
        rule=learning.rule,
        loss=learning.loss,
        loss_options=recipe.loss,
        dt_ms=recipe.data.dt_ms,
        chunk=learning.chunk or None,
        update=learning.update,
        activity_cost=learning.activity_cost,
        rule_options=options,
    )


def build_evaluator(net: SequenceNet, recipe: Recipe, *, dt_ms: float) -> Evaluator:
    """Return an evaluator of `net`, at any time step.

    It uses the loss of the recipe. A net that learns at each step is evaluated by its summed logits where a recording has
    one label.
    """
    check_answer(recipe)
    loss = judging_loss(recipe.learning.loss, step_labels=data_info(recipe).step_labels)
    options = recipe.loss if loss == recipe.learning.loss else None
    return Evaluator(net, loss=loss, loss_options=options, dt_ms=dt_ms)


def build_optimiser(net: SequenceNet, recipe: Recipe) -> torch.optim.Optimizer:
    """Return AdamW or NAdam over four groups: weights, which decay; bucket weights and time constants; delays; all others.

    Each group stores the ratio of its learning rate to the base rate as `ratio`.
    """
    learning, named = recipe.learning, dict(net.named_parameters())
    groups: dict[str, list[torch.nn.Parameter]] = {name: [] for name in _GROUPS.values()}
    for name, kind in parameter_kinds(net).items():
        groups[_GROUPS[kind]].append(named[name])
    ratios = {
        "weights": 1.0,
        "memory": learning.bucket_rate_ratio,
        "delays": learning.delay_rate_ms / learning.learning_rate,
        "others": 1.0,
    }
    options: list[dict[str, Any]] = [
        {"params": groups[name], "weight_decay": learning.weight_decay if name == "weights" else 0.0, "ratio": ratio}
        for name, ratio in ratios.items()
        if groups[name] or name != "delays"  # as checkpoints without delays have it
    ]
    if learning.optimiser == "nadam":
        return torch.optim.NAdam(options, lr=learning.learning_rate, decoupled_weight_decay=True)
    return torch.optim.AdamW(options, lr=learning.learning_rate)


# Each kind of parameter belongs to one group of the optimiser.
_GROUPS: dict[ParameterKind, str] = {
    "weight": "weights",
    "bucket": "memory",
    "time_constant": "memory",
    "delay": "delays",
    "threshold": "others",
    "scale": "others",
    "bias": "others",
}


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group to `rate` times its ratio."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["ratio"]


def pick_device(name: str) -> torch.device:
    """Return the device of this name; `auto` is CUDA where it is available, else the CPU.

    Raises:
        SpikingGammaError: The name is unknown, or CUDA is requested and not available.
    """
    there = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if there else "cpu")
    if name not in ("cpu", "cuda"):
        raise SpikingGammaError("device", repr(name), "auto, cpu or cuda")
    if name == "cuda" and not there:
        raise SpikingGammaError("device", "cuda", "a CUDA device, and torch sees none", "Use --device cpu or auto.")
    return torch.device(name)
