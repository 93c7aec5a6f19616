"""Whole nets that the speed bench drives, on torch: inputs, one hidden layer, classes, and one gradient of all weights.

The shape is that of the Spiking Heidelberg Digits: 700 inputs, 128 neurons, 20 classes, 256 recordings at once. Input is whole
and in memory before the clock starts, for everybody; what is measured is the memory on top of it. The loss is the
cross-entropy of the mean logits. A subject whose name ends in `_online` or that is SpikingGamma learns chunk by chunk, and
its memory does not depend on the length of the recording; all others hold the recording until they have learnt from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from spikinggamma.bench.speed_competitors import BUCKETS_MS, SUBJECTS, Spiking
from spikinggamma.bench.speed_protocol import DT_MS, TAU_MS
from spikinggamma.learning import Learner
from spikinggamma.nn import SequenceNet, SurrogateNet, dense_net

__all__ = ["NETS", "NetSubject"]

_CHUNK = 64
NetStep = Callable[[Tensor, Tensor], object]  # spikes [T, B, N] and labels [B]


class NetSubject(NamedTuple):
    """One competitor.

    Attributes:
        package: Its distribution; empty for ours and for plain PyTorch.
        make: Given the sizes of the net, some input and a generator, a training step without the optimiser's.
    """

    package: str
    make: Callable[[Sequence[int], Tensor, torch.Generator], NetStep]


def _learner(
    net_of: Callable[[Sequence[int], torch.Generator], SequenceNet],
    rule: str,
    *,
    chunk: int | None,
    loss: Literal["sum", "each_step"] = "sum",
) -> NetSubject:
    def make(sizes: Sequence[int], some: Tensor, generator: torch.Generator) -> NetStep:
        net = net_of(sizes, generator).to(some.device)
        net.calibrate(some, dt_ms=DT_MS)
        learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk)

        def step(spikes: Tensor, labels: Tensor) -> object:
            net.zero_grad()
            return learner.learn(spikes, labels)

        return step

    return NetSubject("", make)


def _gamma(sizes: Sequence[int], generator: torch.Generator) -> SequenceNet:
    return dense_net(sizes, tau_ms=BUCKETS_MS, generator=generator)


def _lif(sizes: Sequence[int], generator: torch.Generator) -> SequenceNet:
    return SurrogateNet(sizes, neuron="lif", options={"tau_ms": TAU_MS}, generator=generator)


def _under_autograd(package: str, spiking: Callable[[], Spiking]) -> NetSubject:
    """Two products for all steps with neurons in between; their logits are averaged over time."""

    def make(sizes: Sequence[int], some: Tensor, generator: torch.Generator) -> NetStep:
        weights = [
            nn.Parameter((torch.randn(after, before, generator=generator) / before**0.5).to(some))
            for before, after in itertools.pairwise(sizes)
        ]
        with torch.no_grad():
            weights[0].mul_(3.0 / (some @ weights[0].T).std())  # so that neurons spike
        neurons = spiking()

        def step(spikes: Tensor, labels: Tensor) -> object:
            for weight in weights:
                weight.grad = None
            hidden = neurons(nn.functional.linear(spikes, weights[0]))
            logits = nn.functional.linear(hidden, weights[1]).mean(0)
            torch.autograd.backward(nn.functional.cross_entropy(logits, labels))
            return logits

        return step

    return NetSubject(package, make)


def _peer(name: str) -> NetSubject:
    subject: Any = SUBJECTS[name]
    return _under_autograd(subject.package, subject.spiking)


NETS: dict[str, NetSubject] = {
    "matmul": _under_autograd("", lambda: lambda drive: drive),
    "spikinggamma": _learner(_gamma, "windowed", chunk=_CHUNK),
    "spikinggamma_bptt": _learner(_gamma, "through_time", chunk=None),
    "lif": _learner(_lif, "bptt", chunk=None),
    "lif_online": _learner(_lif, "es_d_rtrl", chunk=_CHUNK),
    "spikingjelly": _peer("spikingjelly"),
    "snntorch": _peer("snntorch"),
}
