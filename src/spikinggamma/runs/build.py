"""Build the net, the learner and the optimiser that a recipe describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from spikinggamma.data.loading import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import CountNet, GRUNet, NeuronSettings, SequenceNet, SurrogateNet, conv_net
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

# Enough recordings for a stable root mean square, and few enough to be fast.
_CALIBRATION_RECORDINGS = 64


def build_net(recipe: Recipe) -> SequenceNet:
    """Return a newly initialised net; the same seed gives the same weights."""
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
        settings=NeuronSettings(**{name: getattr(chosen, name) for name in NeuronSettings._fields}),
        readout=chosen.readout,
        readout_tau_ms=None if chosen.readout_tau_ms < 0.0 else chosen.readout_tau_ms,
        axons=chosen.delays,
        delay_input=chosen.delay_input,
        max_delay_ms=chosen.max_delay_ms,
        initial_delay_ms=None if chosen.initial_delay_ms < 0.0 else chosen.initial_delay_ms,
        dropout=recipe.learning.dropout,
        generator=generator,
    )


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
    """Return a learner that applies the recipe's learning rule to `net`."""
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
    """Return a learner that only evaluates `net`, at any time step.

    It uses the loss of the recipe. A net that learns at each step is evaluated by its summed logits where a recording has
    one label.
    """
    loss = recipe.learning.loss
    if loss == "each_step" and not data_info(recipe).step_labels:
        loss = "sum"
    # Evaluation does not use the rule; it only has to be one that fits the net.
    rule = "instantaneous" if recipe.net.model == "spikinggamma" else "bptt"
    return Learner(net, rule=rule, loss=loss, dt_ms=dt_ms)


def build_optimiser(net: SequenceNet, recipe: Recipe) -> torch.optim.Optimizer:
    """Return AdamW or NAdam over four groups: weight matrices, which decay; buckets and time constants; delays; biases.

    Each group stores the ratio of its learning rate to the base rate as `ratio`.
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
        if kinds[kind] or kind != "delay"  # checkpoints of nets without delays have no such group
    ]
    if learning.optimiser == "nadam":
        return torch.optim.NAdam(groups, lr=learning.learning_rate, decoupled_weight_decay=True)
    return torch.optim.AdamW(groups, lr=learning.learning_rate)


def _kind_of(name: str) -> str:
    last = name.rpartition(".")[2]
    kinds = {"bucket_weight": "bucket", "excess": "bucket", "delay_ms": "delay"}
    return "bias" if last.startswith("bias") else kinds.get(last, "matrix")


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
