"""From a recipe to a net, its learner and its optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import GammaNet, conv_net
from spikinggamma.training.data import facts_of
from spikinggamma.training.recipe import Recipe
from spikinggamma.training.seeds import stream

__all__ = [
    "build_judge",
    "build_learner",
    "build_net",
    "build_optimiser",
    "calibrate",
    "pick_device",
    "set_learning_rate",
]

# Enough recordings for a stable root mean square, few enough to take no time.
_CALIBRATION_RECORDINGS = 64


def build_net(recipe: Recipe) -> GammaNet:
    """A fresh net; the same seed gives the same weights."""
    facts, net = facts_of(recipe), recipe.net
    code = SigmaDelta(net.threshold, net.adaptation, net.adaptation_tau_ms, net.max_spikes or None)
    if net.conv and len(facts.shape) != 3:
        expected = "[], as these recordings are no pictures"
        raise SpikingGammaError("net.conv", [list(row) for row in net.conv], expected)
    return conv_net(
        facts.shape if net.conv else (facts.n_channels,),
        net.conv,
        (*net.hidden, facts.n_classes),
        tau_ms=net.tau_ms,
        code=code,
        analogue=net.analogue,
        synapse=net.synapse,
        train_tau=net.train_tau,
        shortest_ms=net.shortest_ms or None,
        input_gain=net.input_gain,
        dropout=recipe.learning.dropout,
        generator=stream(recipe.training.seed, "weights"),
    )


def calibrate(net: GammaNet, recipe: Recipe, recordings: Sequence[Recording]) -> None:
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


def build_learner(net: GammaNet, recipe: Recipe) -> Learner:
    """The learning rule of a recipe on `net`."""
    learning = recipe.learning
    options: dict[str, Any] = {"tolerance": learning.tolerance} if learning.rule == "windowed" else {}
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


def build_judge(net: GammaNet, recipe: Recipe, *, dt_ms: float) -> Learner:
    """What evaluates `net` at any time step: by the loss of the recipe, so far as that gives one answer for each label.

    A net that learns at each step is judged by its summed logits where a recording has one label.
    """
    loss = recipe.learning.loss
    if loss == "each_step" and not facts_of(recipe).step_labels:
        loss = "sum"
    return Learner(net, rule="instantaneous", loss=loss, dt_ms=dt_ms)


def build_optimiser(net: GammaNet, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW or NAdam over three groups: weight matrices, which decay; buckets and time constants; biases.

    A group remembers its share of the step size as `ratio`.
    """
    learning = recipe.learning
    named = dict(net.named_parameters())
    matrices = [parameter for name, parameter in named.items() if name.endswith(".weight")]
    buckets = [parameter for name, parameter in named.items() if name.endswith((".bucket_weight", ".excess"))]
    biases = [parameter for name, parameter in named.items() if name.endswith(".bias")]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": learning.weight_decay, "ratio": 1.0},
        {"params": buckets, "weight_decay": 0.0, "ratio": learning.bucket_rate_ratio},
        {"params": biases, "weight_decay": 0.0, "ratio": 1.0},
    ]
    if learning.optimiser == "nadam":
        return torch.optim.NAdam(groups, lr=learning.learning_rate, decoupled_weight_decay=True)
    return torch.optim.AdamW(groups, lr=learning.learning_rate)


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
