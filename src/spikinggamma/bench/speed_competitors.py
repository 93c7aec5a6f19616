"""Competitors of the speed benchmark: `Linear(n, n)` and a layer of neurons, of this library and of others, if installed.

Every competitor takes spikes [T, B, n] and the gradient of its output [T, B, n], and computes forwards and backwards all that
training needs: the gradients of the weights and of the input. There are three matrix products, W s, r sᵀ and Wᵀ r, where r is
the gradient of the drive.

SpikingGamma's layer is timed as `train` runs it: `GammaLayer.run`, which keeps no graph and counts the spikes, and
`learning.windowed.layer_backward`, which the rules `windowed` and `through_time` call for each layer. All others run under
autograd, by which they learn.

Other libraries are used in the fastest form on plain PyTorch that their documentation gives: the product is computed once for
all steps, whole sequences are passed to libraries that accept them, and where the loop is written here, they are unbound and
never indexed. All neurons have β = e^{-dt/τ}, input times 1 - β and threshold 1; their resets differ.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from spikinggamma import functional
from spikinggamma.bench.speed_protocol import BETA, DT_MS, TAU_MS
from spikinggamma.functional import LIFParameters, LIFState, SigmaDelta
from spikinggamma.learning.windowed import layer_backward
from spikinggamma.nn.compiled import neurons as compiled
from spikinggamma.nn.layers.dense import Dense
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.nn.spike_linear import spike_linear

__all__ = ["BETA", "SUBJECTS", "Spiking", "Subject", "TrainingStep", "installed", "version_of"]

BUCKETS_MS = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0)
_LIF = LIFParameters(TAU_MS, 0.0, 1.0, "arctan", DT_MS)

Spiking = Callable[[Tensor], Tensor]  # drive [T, B, n] to spikes
TrainingStep = Callable[
    [Tensor, Tensor], Tensor
]  # spikes and ∂ℓ/∂(what is sent) [T, B, n] to the gradient on the spikes


class Subject(NamedTuple):
    """One competitor.

    Attributes:
        package: Its distribution; empty for this library and for plain PyTorch.
        make: Function from the weights to a training step of the layer: forwards, and backwards with the gradient of
            the weights.
        reset: Reset of a leaky integrate-and-fire neuron, against which it is checked; else None.
        spiking: Its neurons alone, for that check.
    """

    package: str
    make: Callable[[Tensor], TrainingStep]
    reset: Literal["subtract", "zero"] | None = None
    spiking: Callable[[], Spiking] | None = None


def version_of(package: str) -> str:
    """Return the version of a distribution; of torch where it is plain PyTorch."""
    return importlib.metadata.version(package or "torch")


def installed(package: str) -> bool:
    """Whether the library of a subject is here."""
    return not package or importlib.util.find_spec(package) is not None


def _gamma(weight: Tensor) -> TrainingStep:
    neurons = len(weight)
    layer = Dense(weight.shape[1:], neurons, Timescales(BUCKETS_MS), code=SigmaDelta()).to(weight)
    layer.weight = nn.Parameter(weight)

    @torch.no_grad()
    def step(spikes: Tensor, grad: Tensor) -> Tensor:
        activations, _ = layer.run(spikes, layer.initial_state(spikes.shape[1]), DT_MS)
        told = layer_backward(layer, [activations], grad, layer.alpha(DT_MS), DT_MS)
        assert told is not None
        return told

    return step


def _over(
    spiking: Callable[[], Spiking], product: Callable[[Tensor, Tensor], Tensor]
) -> Callable[[Tensor], TrainingStep]:
    """Return a training step with one product for all steps, then neurons, under autograd."""

    def make(weight: Tensor) -> TrainingStep:
        weight, neurons = nn.Parameter(weight), spiking()

        def step(spikes: Tensor, grad: Tensor) -> Tensor:
            spikes = spikes.detach().requires_grad_()
            torch.autograd.backward(neurons(product(spikes, weight)), grad)
            assert spikes.grad is not None
            return spikes.grad

        return step

    return make


def _ours() -> Spiking:
    def run(drive: Tensor) -> Tensor:
        zero = torch.zeros_like(drive[0])
        return compiled.lif_sequence(_LIF, LIFState(zero, zero), drive)[0]

    return run


def _loop() -> Spiking:
    def run(drive: Tensor) -> Tensor:
        zero = torch.zeros_like(drive[0])
        return functional.lif_sequence(_LIF, LIFState(zero, zero), drive)[0]

    return run


def _snntorch() -> Spiking:
    import snntorch

    def run(drive: Tensor) -> Tensor:
        neurons = snntorch.Leaky(beta=BETA, reset_delay=False).to(drive)
        membrane, spikes = torch.zeros_like(drive[0]), []
        for u in ((1.0 - BETA) * drive).unbind(0):
            out, membrane = neurons(u, membrane)
            spikes.append(out)
        return torch.stack(spikes)

    return run


def _spikingjelly() -> Spiking:
    from spikingjelly.activation_based import functional as jelly
    from spikingjelly.activation_based import neuron, surrogate

    def run(drive: Tensor) -> Tensor:
        run_once: Tensor = neurons(drive)
        jelly.reset_net(neurons)
        return run_once

    neurons = neuron.LIFNode(
        tau=1.0 / (1.0 - BETA),
        v_reset=None,
        detach_reset=True,
        surrogate_function=surrogate.ATan(),
        step_mode="m",
    )
    if torch.cuda.is_available() and "triton" in neurons.supported_backends:
        neurons.backend = "triton"
    return run


def _norse() -> Spiking:
    import norse.torch as norse

    neurons = norse.LIF(norse.LIFParameters(tau_syn_inv=1000.0, tau_mem_inv=1000.0 * (1.0 - BETA)), dt=1e-3)

    def run(drive: Tensor) -> Tensor:
        sent: Tensor = neurons.to(drive.device)(drive)[0]
        return sent

    return run


def _sinabs() -> Spiking:
    import sinabs.activation
    import sinabs.layers

    def run(drive: Tensor) -> Tensor:
        options: dict[str, Any] = {"spike_fn": sinabs.activation.SingleSpike, "norm_input": True}
        neurons = sinabs.layers.LIF(tau_mem=TAU_MS, **options).to(drive.device)
        sent: Tensor = neurons(drive.transpose(0, 1)).transpose(0, 1)
        return sent

    return run


def _lif(package: str, spiking: Callable[[], Spiking], reset: Literal["subtract", "zero"] = "subtract") -> Subject:
    product = spike_linear if package == "spikinggamma" else nn.functional.linear
    return Subject(package, _over(spiking, product), reset, spiking)


SUBJECTS: dict[str, Subject] = {
    "matmul": Subject("", _over(lambda: lambda drive: drive, nn.functional.linear)),
    "spikinggamma": Subject("spikinggamma", _gamma),
    "lif": _lif("spikinggamma", _ours),
    "lif_loop": _lif("", _loop),
    "spikingjelly": _lif("spikingjelly", _spikingjelly),
    "snntorch": _lif("snntorch", _snntorch),
    "norse": _lif("norse", _norse, "zero"),
    "sinabs": _lif("sinabs", _sinabs),
}
