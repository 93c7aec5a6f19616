"""Surrogate-gradient nets of every kind, and the same nets written out with the functional neurons for autograd."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from spikinggamma import functional as F
from spikinggamma.functional import DelayParameters, DelayState, LIFParameters
from spikinggamma.nn import NEURONS, Recurrent, SurrogateNet

DT_MS = 2.0
CHANNELS, CLASSES = 6, 3
SETTINGS: dict[str, Any] = {
    "tau_ms": 9.0,
    "synapse_tau_ms": 5.0,
    "adaptation": 0.3,
    "adaptation_tau_ms": 40.0,
    "refractory_tau_ms": 4.0,
    "refractory_scale": 1.5,
}
# Every kind of neuron, alone and with a recurrence around it.
KINDS: dict[str, dict[str, Any]] = {
    "lif": {"neuron": "lif"},
    "adaptive_lif": {"neuron": "adaptive_lif"},
    "recurrent_lif": {"neuron": "lif", "recurrent": True},
    "srm_alpha": {"neuron": "srm_alpha"},
}
DELAYS: dict[str, Any] = {
    "none": {},
    "fractional": {"delays": "fractional", "max_delay_ms": 9.0, "delay_input": True},
    "floored": {"delays": "floored", "max_delay_ms": 9.0, "delay_input": True},
}


def prepared(
    neuron: str = "lif",
    *,
    hidden: tuple[int, ...] = (7, 5),
    settings: dict[str, Any] = SETTINGS,
    steps: int = 24,
    batch: int = 3,
    signal_per_threshold: float = 1.0,
    **options: Any,
) -> tuple[SurrogateNet, Tensor]:
    """A calibrated net in double precision, bias away from zero, and sparse spikes for it [T, B, N]."""
    generator = torch.Generator().manual_seed(1)
    sizes = (CHANNELS, *hidden, CLASSES)
    kind = KINDS[neuron] | {"options": options_of(KINDS[neuron]["neuron"], settings)}
    net = SurrogateNet(sizes, **kind, generator=generator, **options).double()
    spikes = (torch.rand(steps, batch, CHANNELS, generator=generator) < 0.3).double()
    net.calibrate(spikes, dt_ms=DT_MS, signal_per_threshold=signal_per_threshold)
    if net.bias is not None:
        torch.nn.init.normal_(net.bias, std=0.1, generator=generator)
    return net, spikes


def options_of(neuron: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return those of the settings that this kind of neuron has."""
    return {key: value for key, value in settings.items() if key in NEURONS[neuron].options.model_fields}


class Said(NamedTuple):
    """Spikes of each hidden layer before dropout, and the logits, [T, B, N]."""

    hidden: list[Tensor]
    logits: Tensor


def by_hand(net: SurrogateNet, spikes: Tensor, masks: tuple[Tensor | None, ...] = ()) -> Said:
    """What a net says, from the functional specification of its neurons and axons."""
    said, message = [], spikes
    for index, weight in enumerate(net.weights):
        drive = torch.einsum("tbm,nm->tbn", _delayed(net, index, message), weight)
        if index == len(net.weights) - 1 and net.bias is not None:
            return Said(said, _integrated(net, drive) + net.bias)
        said.append(_spikes(net, index, drive))
        mask = masks[index] if index < len(masks) else None
        message = said[-1] if mask is None else said[-1] * mask
    return Said(said[:-1], said[-1])


def names_of_weights(net: SurrogateNet) -> list[str]:
    """The names of W of each layer."""
    named = {id(parameter): name for name, parameter in net.named_parameters()}
    return [named[id(weight)] for weight in net.weights]


def name_of_bias(net: SurrogateNet) -> str:
    """The name of the read-out's bias."""
    return next(name for name, parameter in net.named_parameters() if parameter is net.bias)


def masks_of(net: SurrogateNet, seed: int = 7) -> tuple[Tensor | None, ...]:
    """Dropout masks of the hidden layers of a batch of three."""
    masks = net.initial_state(3, generator=torch.Generator().manual_seed(seed)).masks
    return tuple(mask for layer, mask in zip(net.layers, masks, strict=True) if layer in net.hidden)


def lif_parameters(net: SurrogateNet) -> LIFParameters:
    """Of its neurons."""
    kept: Any = net.neurons[0].options
    return LIFParameters(kept.tau_ms, kept.synapse_tau_ms, kept.threshold, kept.surrogate, DT_MS)


def _delayed(net: SurrogateNet, index: int, message: Tensor) -> Tensor:
    axons = net.delays[index]
    if axons is None:
        return message
    parameters = DelayParameters(axons.delay_ms, axons.max_delay_ms, DT_MS)
    state = DelayState(message.new_zeros(parameters.remembered_steps(), *message.shape[1:]))
    delay = {"fractional": F.fractional_delay_sequence, "floored": F.floored_delay_sequence}[axons.kind]
    return delay(parameters, state, message)[0]


def _integrated(net: SurrogateNet, drive: Tensor) -> Tensor:
    assert net.integrator is not None
    tau_ms, synapse_tau_ms = net.integrator.tau_ms, net.integrator.synapse_tau_ms
    if tau_ms == 0.0:
        return drive
    zero = torch.zeros_like(drive[0])
    parameters = LIFParameters(tau_ms, synapse_tau_ms, 1.0, "arctan", DT_MS)
    return F.leaky_sequence(parameters, F.LIFState(zero, zero), drive)[0]


def _spikes(net: SurrogateNet, index: int, drive: Tensor) -> Tensor:
    zero, layer = torch.zeros_like(drive[0]), net.spiking[index]
    kept: Any = net.neurons[index].options
    if net.neuron == "srm_alpha":
        refractory = (kept.refractory_tau_ms, kept.refractory_scale)
        srm = F.SRMAlphaParameters(kept.tau_ms, *refractory, kept.threshold, kept.surrogate_width, 1.0, DT_MS)
        return F.srm_alpha_sequence(srm, F.SRMAlphaState(zero, zero, zero, zero), drive)[0]
    lif = lif_parameters(net)
    if net.neuron == "adaptive_lif":
        adaptive = F.AdaptiveLIFParameters(lif, kept.adaptation, kept.adaptation_tau_ms)
        return F.adaptive_lif_sequence(adaptive, F.AdaptiveLIFState(zero, zero, zero), drive)[0]
    if isinstance(layer, Recurrent):
        recurrent = F.RecurrentLIFParameters(lif, layer.recurrent_weight)
        return F.recurrent_lif_sequence(recurrent, F.RecurrentLIFState(zero, zero, zero), drive)[0]
    assert net.neuron == "lif"
    return F.lif_sequence(lif, F.LIFState(zero, zero), drive)[0]
