"""Small nets, recordings and losses on which the learning rules are compared; all are fixed by a seed.

The recordings of a batch differ in length, biases are not zero, and every layer of a net spikes (`GammaNet.calibrate`),
so that no part of a gradient is zero by accident.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from spikinggamma.events import make_batch
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import span
from spikinggamma.nn import Conv2d, Dense, GammaNet, Timescales, dense_net
from spikinggamma.tasks import localisation

__all__ = [
    "DT_MS",
    "TOLERANCE",
    "Case",
    "Problem",
    "asks",
    "conv_problem",
    "dense_problem",
    "localisation_problem",
    "long_enough",
]

DT_MS = 2.0
TOLERANCE = 1e-6
_CLASSES = 4
_BATCH = 3


class Problem(NamedTuple):
    """A net and a batch of recordings, with a description for every row.

    Attributes:
        net: The net, whose parameters collect the gradients.
        spikes: [T, B, ...].
        labels: [B].
        lengths: [B].
        words: Description: layer kind, depth, input, code, rectification, dropout, dtype.
    """

    net: GammaNet
    spikes: Tensor
    labels: Tensor
    lengths: Tensor
    words: dict[str, Any]


class Case(NamedTuple):
    """A loss, targets in one of its forms, and the activity cost."""

    loss: str
    form: str
    targets: Tensor
    activity_cost: float = 0.0


def asks(problem: Problem, *, every_form: bool = False) -> list[Case]:
    """Return a case for each loss with a class per recording, one with activity cost, and `each_step` with all its targets."""
    found = [Case(loss, "class", problem.labels) for loss in ("sum", "last", "each_step", "running")]
    found.append(Case("last", "class", problem.labels, activity_cost=0.5))
    if every_form:
        generator = torch.Generator().manual_seed(1)
        steps, batch = problem.spikes.shape[:2]
        labels = torch.randint(-1, problem.net.classes, (steps, batch), generator=generator)
        values = torch.randn(steps, batch, problem.net.classes, generator=generator).to(problem.spikes)
        found += [Case("each_step", "class at some steps", labels), Case("each_step", "values", values)]
    return found


def long_enough(depth: int, tau_ms: tuple[float, ...]) -> int:
    """Return the number of steps of a recording that is twice as long as the window of `windowed`."""
    return 2 * span(dense_net((1,) * (depth + 2), tau_ms=tau_ms), DT_MS, TOLERANCE) + 20


def dense_problem(
    depth: int,
    *,
    tau_ms: tuple[float, ...],
    steps: int,
    seed: int,
    width: int = 10,
    synapse: str = "neuron",
    rectify: bool = True,
    analogue: bool = False,
    train_tau: bool = False,
    dropout: float = 0.0,
    dtype: torch.dtype = torch.float64,
) -> Problem:
    """Return a problem with random spikes into `depth` fully connected hidden layers.

    Args:
        depth: Number of hidden layers.
        tau_ms: Time constants of the buckets in ms.
        steps: Number of steps of the longest recording.
        seed: Seed of net and spikes.
        width: Number of neurons of each hidden layer.
        synapse: "neuron" or "synapse".
        rectify: Whether y = max(x, 0).
        analogue: Whether to send the signal itself instead of spikes.
        train_tau: Whether time constants are trained.
        dropout: Probability that a hidden neuron is silenced.
        dtype: Type of the parameters.
    """
    generator = torch.Generator().manual_seed(seed)
    net = dense_net(
        (6, *[width] * depth, _CLASSES),
        tau_ms=tau_ms,
        synapse=synapse,
        rectify=rectify,
        analogue=analogue,
        train_tau=train_tau,
        input_gain=0.8,
        dropout=dropout,
        generator=generator,
    )
    words = {
        "layer": {"neuron": "dense", "synapse": "per-synapse"}[synapse] + (", trained tau" if train_tau else ""),
        "depth": depth,
        "input": "random",
        "code": "analogue" if analogue else "spikes",
        "rectify": rectify,
        "dropout": dropout,
    }
    return _random_problem(net, (6,), steps, generator, words, dtype)


def conv_problem(*, tau_ms: tuple[float, ...], steps: int, seed: int) -> Problem:
    """Return a problem with random spikes into two convolutional layers and a dense read-out.

    Args:
        tau_ms: Time constants of the buckets in ms.
        steps: Number of steps of the longest recording.
        seed: Seed of net and spikes.
    """
    generator = torch.Generator().manual_seed(seed)
    times = [Timescales(tau_ms) for _ in range(3)]
    code = SigmaDelta()
    net = GammaNet(
        [
            Conv2d((2, 5, 4), 3, 3, times[0], code=code, stride=2, padding=1, generator=generator),
            Conv2d((3, 3, 2), 4, 2, times[1], code=code, generator=generator),
            Dense((4, 2, 1), _CLASSES, times[2], code=None, readout=True, generator=generator),
        ]
    )
    words: dict[str, Any] = {
        "layer": "convolutional",
        "depth": 2,
        "input": "random",
        "code": "spikes",
        "rectify": True,
        "dropout": 0.0,
    }
    return _random_problem(net, (2, 5, 4), steps, generator, words, torch.float64)


def localisation_problem(depth: int, *, seed: int, rectify: bool = True) -> Problem:
    """Return a problem with real delays: one recording of every lag of the localisation task.

    Args:
        depth: Number of hidden layers.
        seed: Seed of net and recordings.
        rectify: Whether y = max(x, 0).
    """
    generator = torch.Generator().manual_seed(seed)
    batch = make_batch(localisation.make(n_samples=len(localisation.LAGS_MS), seed=seed), dt_ms=DT_MS)
    sizes = (batch.spikes.shape[2], *[32] * depth, len(localisation.LAGS_MS))
    net = dense_net(sizes, tau_ms=(4.0,) * 10, rectify=rectify, generator=generator).double()
    spikes = batch.spikes.double()
    net.calibrate(spikes, dt_ms=DT_MS, lengths=batch.lengths)
    words: dict[str, Any] = {
        "layer": "dense",
        "depth": depth,
        "input": "localisation",
        "code": "spikes",
        "rectify": rectify,
        "dropout": 0.0,
        "dtype": "float64",
    }
    return Problem(net, spikes, batch.labels, batch.lengths, words)


def _random_problem(
    net: GammaNet,
    in_shape: tuple[int, ...],
    steps: int,
    generator: torch.Generator,
    words: dict[str, Any],
    dtype: torch.dtype,
) -> Problem:
    with torch.no_grad():
        for layer in net.stack:
            layer.bias.copy_(0.05 * torch.randn(layer.bias.shape, generator=generator))
    spikes = (torch.rand(steps, _BATCH, *in_shape, generator=generator) < 0.1).to(dtype)
    # The shortest recording ends before the window moves, the middle one while it moves.
    lengths = torch.tensor([steps, (3 * steps) // 4, steps // 3])
    net.to(dtype)
    net.calibrate(spikes, dt_ms=DT_MS, lengths=lengths)
    labels = torch.randint(_CLASSES, (_BATCH,), generator=generator)
    return Problem(net, spikes, labels, lengths, {**words, "dtype": str(dtype).removeprefix("torch.")})
