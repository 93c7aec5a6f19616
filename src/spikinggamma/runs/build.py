"""From a recipe to a net, its learner and its optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from spikinggamma.data.loading import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import NEURONS, CountNet, GRUNet, SequenceNet, SurrogateNet, conv_net
from spikinggamma.recipes.schema import Recipe
from spikinggamma.seeds import stream

__all__ = [
    "build_evaluator",
    "build_learner",
    "build_net",
    "build_optimiser",
    "calibrate",
    "pick_device",
    "set_learning_rate",
]

# Enough recordings for a stable root mean square, few enough to take no time.
_CALIBRATION_RECORDINGS = 64


def build_net(recipe: Recipe) -> SequenceNet:
    """A fresh net; the same seed gives the same weights."""
    info, net = data_info(recipe), recipe.net
    if net.conv and len(info.shape) != 3:
        expected = "[], as these recordings are no pictures"
        raise SpikingGammaError("net.conv", [list(row) for row in net.conv], expected)
    generator, dropout = stream(recipe.training.seed, "weights"), recipe.learning.dropout
    sizes = (info.n_channels, *net.hidden, info.n_classes)
    if net.model == "count_mlp":
        return CountNet(sizes, dropout=dropout, generator=generator)
    if net.model == "gru":
        return GRUNet(sizes, dropout=dropout, generator=generator)
    if net.model != "spikinggamma":
        return _surrogate_net(recipe, sizes, generator)
    code = SigmaDelta(net.threshold, net.adaptation, net.adaptation_tau_ms, net.max_spikes or None)
    return conv_net(
        info.shape if net.conv else (info.n_channels,),
        net.conv,
        sizes[1:],
        tau_ms=net.tau_ms,
        code=code,
        analogue=net.analogue,
        synapse=net.synapse,
        train_tau=net.train_tau,
        shortest_ms=net.shortest_ms or None,
        input_gain=net.input_gain,
        dropout=dropout,
        generator=generator,
    )


def _surrogate_net(recipe: Recipe, sizes: Sequence[int], generator: torch.Generator) -> SurrogateNet:
    chosen = recipe.surrogate
    return SurrogateNet(
        sizes,
        neuron=recipe.net.model,
        options={
            name: getattr(chosen, name)
            for name in NEURONS[recipe.net.model].options.model_fields
            if hasattr(chosen, name)
        },
        readout=chosen.readout,
        readout_tau_ms=None if chosen.readout_tau_ms < 0.0 else chosen.readout_tau_ms,
        delays=chosen.delays,
        delay_input=chosen.delay_input,
        max_delay_ms=chosen.max_delay_ms,
        initial_delay_ms=None if chosen.initial_delay_ms < 0.0 else chosen.initial_delay_ms,
        dropout=recipe.learning.dropout,
        generator=generator,
    )


def calibrate(net: SequenceNet, recipe: Recipe, recordings: Sequence[Recording]) -> None:
    """Scale the layers of a fresh net on the first training recordings, so that each of them speaks."""
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
    """The learning rule of a recipe on `net`."""
    learning = recipe.learning
    options: dict[str, Any] = {"tolerance": learning.tolerance} if learning.rule == "windowed" else {}
    if learning.rule == "eprop":
        options = {"feedback_seed": recipe.training.seed}
    return Learner(
        net,
        rule=learning.rule,
        loss=learning.loss,
        dt_ms=recipe.data.dt_ms,
        chunk=learning.chunk or None,
        update=learning.update,
        activity_cost=learning.activity_cost,
        **options,
    )


def build_evaluator(net: SequenceNet, recipe: Recipe, *, dt_ms: float) -> Learner:
    """What evaluates `net` at any time step: by the loss of the recipe, so far as that gives one answer for each label.

    A net that learns at each step is judged by its summed logits where a recording has one label.
    """
    loss = recipe.learning.loss
    if loss == "each_step" and not data_info(recipe).step_labels:
        loss = "sum"
    # The rule does not matter to who only evaluates; it has to be one that fits the net.
    rule = "instantaneous" if recipe.net.model == "spikinggamma" else "bptt"
    return Learner(net, rule=rule, loss=loss, dt_ms=dt_ms)


def build_optimiser(net: SequenceNet, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW or NAdam over four groups: weight matrices, which decay; buckets and time constants; delays; biases.

    A group remembers its share of the step size as `ratio`.
    """
    learning, named = recipe.learning, dict(net.named_parameters())
    kinds: dict[str, list[torch.nn.Parameter]] = {"matrix": [], "bucket": [], "delay": [], "bias": []}
    for name, parameter in named.items():
        kinds[_kind_of(name)].append(parameter)
    ratios = {
        "matrix": 1.0,
        "bucket": learning.bucket_rate_ratio,
        "delay": recipe.surrogate.delay_rate_ms / learning.learning_rate,
        "bias": 1.0,
    }
    groups: list[dict[str, Any]] = [
        {
            "params": kinds[kind],
            "weight_decay": learning.weight_decay if kind == "matrix" else 0.0,
            "ratio": ratio,
        }
        for kind, ratio in ratios.items()
        if kinds[kind] or kind != "delay"  # as checkpoints without delays have it
    ]
    if learning.optimiser == "nadam":
        return torch.optim.NAdam(groups, lr=learning.learning_rate, decoupled_weight_decay=True)
    return torch.optim.AdamW(groups, lr=learning.learning_rate)


def _kind_of(name: str) -> str:
    last = name.rpartition(".")[2]
    kinds = {"bucket_weight": "bucket", "excess": "bucket", "delay_ms": "delay"}
    return "bias" if last.startswith("bias") else kinds.get(last, "matrix")


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The step size of every group, each by its own share."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["ratio"]


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA where there is some.

    Raises:
        SpikingGammaError: CUDA is asked for and not there, or no such device.
    """
    there = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if there else "cpu")
    if name not in ("cpu", "cuda"):
        raise SpikingGammaError("device", repr(name), "auto, cpu or cuda")
    if name == "cuda" and not there:
        raise SpikingGammaError("device", "cuda", "a CUDA device, and torch sees none", "Use --device cpu or auto.")
    return torch.device(name)
