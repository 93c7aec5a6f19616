"""Write a net of leaky integrate-and-fire neurons as a NIR graph that is exact at one time step.

    i        current                 LI whose Euler step decays by e^{-dt/τ_s}
    v⁻       membrane                LI, by β, R = 1, fed by `current` and `reset`
    s        threshold               Threshold at ϑ
    s(t-1)   past                    Delay of a step
    reset    reset                   Scale by -βϑ/(1-β), which the membrane's Euler step turns into -βϑ s(t-1)
    a        rise, barrier           adaptive: LI of `past`, by ρ; Scale by -β_a into the threshold
    R        recurrent               recurrent: Linear of `past` into `current`
    SRM      trace, trace_past, response and refractory_trace, refractory, barrier: two filters of two LI each
    delays   axon..., near, far      Delay by whole steps; Scale divides a fraction of a step between two steps

NIR's own LIF resets to a value, while these neurons reset by subtraction, so they are built of LI and Threshold. Exponential
decays become time constants dt/(1 - e^{-dt/τ}), which approach τ for fine steps.
"""

from __future__ import annotations

import math

import numpy as np
from torch import nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.nir_wiring import Array, Wiring, leak, numbers
from spikinggamma.nn import AxonalDelays, Neuron, Recurrent, SurrogateNet
from spikinggamma.nn.neurons.adaptive_lif import AdaptiveLIFOptions
from spikinggamma.nn.neurons.lif import LIFOptions
from spikinggamma.nn.neurons.srm_alpha import SRMAlphaOptions

__all__ = ["surrogate_wiring"]


def surrogate_wiring(net: SurrogateNet, dt_ms: float) -> tuple[Wiring, str]:
    """Return the nodes and edges of the net, and the name of the node that holds its logits or output spikes.

    Raises:
        SpikingGammaError: The time step is bad, or the neurons are of another kind.
    """
    if not (dt_ms > 0.0 and math.isfinite(dt_ms)):
        raise SpikingGammaError("dt_ms", dt_ms, "a positive, finite number")
    wiring = Wiring(dt_ms, net.sizes[:1])
    source = "input"
    for index, weight in enumerate(net.weights):
        name = f"layer{index}"
        source = _write_axons(wiring, name, net.delays[index], source)
        drive = wiring.linear(f"{name}_weight", numbers(weight), source)
        if index < len(net.spiking):
            source = _write_neurons(wiring, name, net.spiking[index], drive, numbers(weight).dtype)
        else:
            source = _write_integrator(wiring, name, net, drive)
    return wiring, source


def _write_axons(wiring: Wiring, name: str, axons: AxonalDelays | None, source: str) -> str:
    if axons is None:
        return source
    parameters = axons.parameters_at(wiring.dt_ms)._replace(delay_ms=axons.delay_ms.detach())
    whole = parameters.whole_steps()
    near = wiring.delay(f"{name}_near", numbers(whole), source)
    if axons.kind == "floored":
        return near
    far = wiring.delay(f"{name}_far", numbers(whole + 1.0), source)
    later = numbers(parameters.delay_ms / parameters.dt_ms - whole)
    shares = [wiring.scale(f"{name}_near_share", 1.0 - later, near), wiring.scale(f"{name}_far_share", later, far)]
    return wiring.scale(f"{name}_arrived", np.ones_like(later), *shares)


def _write_neurons(wiring: Wiring, name: str, layer: nn.Module, drive: str, dtype: np.dtype) -> str:
    neuron = layer.neuron if isinstance(layer, Recurrent) else layer
    if not isinstance(neuron, Neuron):
        raise SpikingGammaError(name, type(layer).__name__, "neurons with a surrogate gradient")
    options, shape, dt_ms = neuron.options, neuron.out_shape, wiring.dt_ms
    if not isinstance(options, LIFOptions | SRMAlphaOptions):
        raise SpikingGammaError(name, f"neurons of kind {type(neuron).__name__}", "lif, adaptive_lif or srm_alpha")
    # What reaches ϑ spikes, and a Threshold node wants it exceeded.
    below = np.nextafter(dtype.type(options.threshold), dtype.type(0.0))
    spikes = f"{name}_threshold"
    past = wiring.lag(f"{name}_past", shape, spikes)
    if isinstance(options, SRMAlphaOptions):
        source = [*_write_alpha_filters(wiring, name, options, shape, drive, past, dtype)]
        first = f"{name}_trace"
    else:
        beta = options.parameters(dt_ms).decays()[1]
        reset = wiring.scale(f"{name}_reset", _filled(shape, -beta * options.threshold / (1.0 - beta), dtype), past)
        first = _write_current(wiring, name, options.synapse_tau_ms, shape, drive)
        source = [wiring.integrator(f"{name}_membrane", leak(beta, dt_ms), 1.0 - beta, shape, first, reset)]
        if isinstance(options, AdaptiveLIFOptions):
            rho = math.exp(-dt_ms / options.adaptation_tau_ms)
            rise = wiring.integrator(f"{name}_rise", leak(rho, dt_ms), 1.0, shape, past)
            source.append(wiring.scale(f"{name}_barrier", _filled(shape, -options.adaptation, dtype), rise))
    if isinstance(layer, Recurrent):
        wiring.connect(first, wiring.linear(f"{name}_recurrent", numbers(layer.recurrent_weight), past))
    return wiring.threshold(spikes, np.full(shape, below), *source)


def _write_current(wiring: Wiring, name: str, tau_ms: float, shape: tuple[int, ...], drive: str) -> str:
    synapse = math.exp(-wiring.dt_ms / tau_ms) if tau_ms > 0.0 else 0.0
    return wiring.integrator(f"{name}_current", leak(synapse, wiring.dt_ms), 1.0, shape, drive)


def _write_alpha_filters(
    wiring: Wiring, name: str, options: SRMAlphaOptions, shape: tuple[int, ...], drive: str, past: str, dtype: np.dtype
) -> tuple[str, str]:
    """Add the filters of the drive and of refractoriness; the latter receives spikes one step late, as it should."""
    dt_ms = wiring.dt_ms
    decay, slow = (math.exp(-dt_ms / tau) for tau in (options.tau_ms, options.refractory_tau_ms))
    trace = wiring.integrator(f"{name}_trace", leak(decay, dt_ms), 1.0, shape, drive)
    lag = wiring.lag(f"{name}_trace_past", shape, trace)
    gain = decay * math.e * dt_ms / options.tau_ms
    response = wiring.integrator(f"{name}_response", leak(decay, dt_ms), gain, shape, lag)
    trace = wiring.integrator(f"{name}_refractory_trace", leak(slow, dt_ms), 1.0, shape, past)
    gain = slow * math.e * dt_ms / options.refractory_tau_ms
    refractory = wiring.integrator(f"{name}_refractory", leak(slow, dt_ms), gain, shape, trace)
    depth = _filled(shape, -options.refractory_scale * options.threshold, dtype)
    return response, wiring.scale(f"{name}_barrier", depth, refractory)


def _write_integrator(wiring: Wiring, name: str, net: SurrogateNet, drive: str) -> str:
    source, shape, integrator = drive, (net.classes,), net.integrator
    if integrator is not None and integrator.tau_ms > 0.0:
        beta = math.exp(-wiring.dt_ms / integrator.tau_ms)
        source = _write_current(wiring, name, integrator.synapse_tau_ms, shape, drive)
        source = wiring.integrator(f"{name}_membrane", leak(beta, wiring.dt_ms), 1.0 - beta, shape, source)
    assert net.bias is not None
    return wiring.shift(f"{name}_signal", numbers(net.bias), source)


def _filled(shape: tuple[int, ...], value: float, dtype: np.dtype) -> Array:
    return np.full(shape, value, dtype)
