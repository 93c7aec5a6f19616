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

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.nir_wiring import Array, Wiring, leak, numbers
from spikinggamma.functional import DelayParameters
from spikinggamma.nn import AxonalDelays, NeuronSettings, Population, SurrogateNet

__all__ = ["surrogate_wiring"]


def surrogate_wiring(net: SurrogateNet, dt_ms: float) -> tuple[Wiring, str]:
    """Return the nodes and edges of the net, and the name of the node that holds its logits or output spikes.

    Raises:
        SpikingGammaError: The time step is bad, or the neurons are of another kind.
    """
    net.settings.lif(dt_ms).validate()
    wiring = Wiring(dt_ms, net.sizes[:1])
    source = "input"
    for index, weight in enumerate(net.weights):
        name = f"layer{index}"
        source = _write_axons(wiring, name, net.delays[index], source)
        drive = wiring.linear(f"{name}_weight", numbers(weight), source)
        if index < len(net.spiking):
            source = _write_population(wiring, name, net.neuron, net.spiking[index], drive, numbers(weight).dtype)
        else:
            source = _write_integrator(wiring, name, net, drive)
    return wiring, source


def _write_axons(wiring: Wiring, name: str, axons: AxonalDelays, source: str) -> str:
    if axons.delay_ms is None:
        return source
    parameters = DelayParameters(axons.delay_ms.detach(), axons.max_delay_ms, wiring.dt_ms).validate()
    whole = parameters.whole_steps()
    near = wiring.delay(f"{name}_near", numbers(whole), source)
    if axons.kind == "floored":
        return near
    far = wiring.delay(f"{name}_far", numbers(whole + 1.0), source)
    later = numbers(parameters.delay_ms / parameters.dt_ms - whole)
    shares = [wiring.scale(f"{name}_near_share", 1.0 - later, near), wiring.scale(f"{name}_far_share", later, far)]
    return wiring.scale(f"{name}_arrived", np.ones_like(later), *shares)


def _write_population(wiring: Wiring, name: str, kind: str, population: Population, drive: str, dtype: np.dtype) -> str:
    settings, shape, dt_ms = population.settings, (population.neurons,), wiring.dt_ms
    # A neuron spikes when it reaches ϑ, while a Threshold node must exceed it.
    below = np.nextafter(dtype.type(settings.threshold), dtype.type(0.0))
    spikes = f"{name}_threshold"
    past = wiring.lag(f"{name}_past", shape, spikes)
    if kind == "srm_alpha":
        sources = [*_write_alpha_filters(wiring, name, settings, shape, drive, past, dtype)]
    else:
        beta = settings.lif(dt_ms).decays()[1]
        reset = wiring.scale(f"{name}_reset", _filled(shape, -beta * settings.threshold / (1.0 - beta), dtype), past)
        current = _write_current(wiring, name, settings, shape, drive)
        sources = [wiring.integrator(f"{name}_membrane", leak(beta, dt_ms), 1.0 - beta, shape, current, reset)]
        if kind == "recurrent_lif":
            recurrent = numbers(population.get_parameter("recurrent_weight"))
            wiring.connect(current, wiring.linear(f"{name}_recurrent", recurrent, past))
        elif kind == "adaptive_lif":
            rho = math.exp(-dt_ms / settings.adaptation_tau_ms)
            rise = wiring.integrator(f"{name}_rise", leak(rho, dt_ms), 1.0, shape, past)
            sources.append(wiring.scale(f"{name}_barrier", _filled(shape, -settings.adaptation, dtype), rise))
        elif kind != "lif":
            raise SpikingGammaError(name, f"neurons of kind {kind!r}", "lif, adaptive_lif, recurrent_lif or srm_alpha")
    return wiring.threshold(spikes, np.full(shape, below), *sources)


def _write_current(wiring: Wiring, name: str, settings: NeuronSettings, shape: tuple[int, ...], drive: str) -> str:
    synapse = settings.lif(wiring.dt_ms).decays()[0]
    return wiring.integrator(f"{name}_current", leak(synapse, wiring.dt_ms), 1.0, shape, drive)


def _write_alpha_filters(
    wiring: Wiring, name: str, settings: NeuronSettings, shape: tuple[int, ...], drive: str, past: str, dtype: np.dtype
) -> tuple[str, str]:
    """Add the filters of the drive and of refractoriness; the latter receives spikes one step late, as it should."""
    dt_ms = wiring.dt_ms
    decay, slow = (math.exp(-dt_ms / tau) for tau in (settings.tau_ms, settings.refractory_tau_ms))
    trace = wiring.integrator(f"{name}_trace", leak(decay, dt_ms), 1.0, shape, drive)
    lag = wiring.lag(f"{name}_trace_past", shape, trace)
    gain = decay * math.e * dt_ms / settings.tau_ms
    response = wiring.integrator(f"{name}_response", leak(decay, dt_ms), gain, shape, lag)
    trace = wiring.integrator(f"{name}_refractory_trace", leak(slow, dt_ms), 1.0, shape, past)
    gain = slow * math.e * dt_ms / settings.refractory_tau_ms
    refractory = wiring.integrator(f"{name}_refractory", leak(slow, dt_ms), gain, shape, trace)
    depth = _filled(shape, -settings.refractory_scale * settings.threshold, dtype)
    return response, wiring.scale(f"{name}_barrier", depth, refractory)


def _write_integrator(wiring: Wiring, name: str, net: SurrogateNet, drive: str) -> str:
    source, shape = drive, (net.classes,)
    if net.readout_tau_ms > 0.0:
        beta = math.exp(-wiring.dt_ms / net.readout_tau_ms)
        source = _write_current(wiring, name, net.settings, shape, drive)
        source = wiring.integrator(f"{name}_membrane", leak(beta, wiring.dt_ms), 1.0 - beta, shape, source)
    assert net.bias is not None
    return wiring.shift(f"{name}_signal", numbers(net.bias), source)


def _filled(shape: tuple[int, ...], value: float, dtype: np.dtype) -> Array:
    return np.full(shape, value, dtype)
