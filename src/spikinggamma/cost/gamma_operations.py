"""The work of a layer of SpikingGamma neurons, read off the equations of `functional.spiking_gamma`."""

from __future__ import annotations

from spikinggamma.cost.operations import DENSE, LayerWork, Work, touched
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn.layers.gamma_layer import GammaLayer

__all__ = ["gamma_work", "sends_heights"]


def sends_heights(code: SigmaDelta | None) -> bool:
    """Return whether messages have a height to multiply by: 2ϑ(t) n under an adaptive threshold, or the signal itself.

    Under a fixed threshold every spike has the height 2ϑ_0, which the weights of the receiving neurons can absorb.
    """
    return code is None or code.adaptation > 0.0


def gamma_work(layer: GammaLayer, *, graded: bool) -> LayerWork:
    """Return the work of a layer; `graded` says whether arriving messages have heights to multiply by.

    Arrivals are summed in bucket 0, so it needs only a decay; h_k moves towards h_{k-1} by a difference and a product.
    Where each neuron has one v, its buckets are in registers when they are mixed, as they have just been updated. Per-synapse
    layers hold buckets for each input, whose arrivals use no weight, and need one matrix product per bucket at each step.
    """
    fan_out, cells, neurons, order = layer.fan_out(), layer.cells, layer.neurons, layer.order
    buckets = cells * Work(multiply_accumulates=order - 1.0, accumulates=order - 1.0, multiplies=1.0)
    speaking, message, remembered = (Work(), Work(), 0) if layer.readout else _speaking(layer.code, layer.rectify)
    update = buckets + touched(cells * order) + neurons * (speaking + Work(weight_reads=1.0))
    if layer.projection_learns:
        update = update + neurons * order * Work(multiply_accumulates=1.0, weight_reads=1.0)
        steady, arrival = Work(), Work()
        summed = Work(accumulates=cells)
    else:
        steady, arrival = cells * order * neurons * DENSE, Work(accumulates=1.0) + touched(1.0)
        summed = fan_out.numel() * (arrival + Work(state_reads=1.0))
    variables = cells * order + neurons * remembered
    return LayerWork(
        fan_out=fan_out,
        graded=graded,
        recurrent=0.0,
        steady=steady,
        update=update,
        arrival=arrival + Work(state_reads=1.0),
        message=message + Work(state_writes=1.0),
        synapses=float(fan_out.sum()),
        dense=summed + neurons * message,
        recording=Work(),
        variables=variables,
        memory=variables,
    )


def _speaking(code: SigmaDelta | None, rectify: bool) -> tuple[Work, Work, int]:
    """Return the work of the code at every step and for each message, and the number of its state variables per neuron."""
    gate = Work(accumulates=1.0 if rectify else 0.0)
    if code is None:  # y - α_0 y(t-1)
        return gate + Work(multiply_accumulates=1.0) + touched(1.0), Work(), 1
    # α_0 ŷ, y - ŷ⁻, and the comparison of that with ϑ; then ½ is added to it over 2ϑ, and 2ϑn to the estimate.
    silent = gate + Work(accumulates=2.0, multiplies=1.0) + touched(1.0)
    spoken = Work(accumulates=2.0, multiplies=2.0)
    if code.adaptation == 0.0:
        return silent, spoken, 1
    # The decay of a, and ϑ_0 + a; then mϑn is added to a.
    rising = Work(accumulates=1.0, multiplies=1.0) + touched(1.0)
    return silent + rising, spoken + Work(multiply_accumulates=1.0), 2
