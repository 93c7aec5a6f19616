"""Mappings that carry a trained net of LIF neurons to another time step: the rival of SpikingGamma at its best.

A net that is run at another step as it is keeps time constants, weights and thresholds, and decays follow from the step:
the empty mapping. The others say what becomes of a step of the trained neurons, z' = A z + b u with z = (i, v):

| mapping | one step of length dt' of a net trained at dt |
| --- | --- |
| `none` | A and b, as if nothing had happened: r steps of a finer run take as long as r coarse ones |
| `exact` | A' = A^r and b' = (A' - I) (A - I)^-1 b / r with r = dt'/dt: an input held over each step, with its area kept |

`exact` is the zero-order hold of the continuous system that A and b sample: membrane, synapse and gain of the input
follow from it, thresholds stay. For r = 1 both are the trained net. Compare Karilanova, Fabre, Neftci and Özçelikkale
(2024), arXiv 2411.04760, who carry nets by such mappings without training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState
from spikinggamma.nn import AxonalDelays, Chain, Integrator, Layer, SequenceNet, SynapticDelays
from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.neurons.lif import LIF
from spikinggamma.nn.state import tensors_of

__all__ = ["MAPPINGS", "Step", "mapped_net", "step_of"]


class Step(NamedTuple):
    """One step of current i and membrane v: i' = a i + g u, v' = β v + c i + d u.

    Attributes:
        synapse: a, the decay of the current.
        leak: β, the decay of the membrane.
        coupling: c, from the current before the step.
        current_gain: g, of the input to the current.
        membrane_gain: d, of the input to the membrane.
    """

    synapse: float
    leak: float
    coupling: float
    current_gain: float
    membrane_gain: float

    @property
    def matrix(self) -> Float[np.ndarray, "2 2"]:
        """A."""
        return np.array([[self.synapse, 0.0], [self.coupling, self.leak]])

    @property
    def gains(self) -> Float[np.ndarray, " 2"]:
        """b."""
        return np.array([self.current_gain, self.membrane_gain])


def step_of(parameters: LIFParameters) -> Step:
    """Return the step of `functional.leaky_step`, whose membrane takes 1 - β of the current after the step."""
    synapse, beta = parameters.decays()
    return Step(synapse, beta, (1.0 - beta) * synapse, 1.0, 1.0 - beta)


def _unchanged(step: Step, ratio: float) -> Step:
    return step


def _held(step: Step, ratio: float) -> Step:
    """Return the step of another length of the continuous system that this step samples under a zero-order hold."""
    synapse, leak = step.synapse**ratio, step.leak**ratio
    apart = step.synapse - step.leak
    # The power of a triangular matrix: a difference quotient of x^r, or its derivative where both decays are the same.
    slope = ratio * step.leak ** (ratio - 1.0) if abs(apart) < 1e-9 else (synapse - leak) / apart
    matrix = np.array([[synapse, 0.0], [step.coupling * slope, leak]])
    one = np.eye(2)
    current_gain, membrane_gain = (matrix - one) @ np.linalg.solve(step.matrix - one, step.gains) / ratio
    return Step(synapse, leak, float(matrix[1, 0]), float(current_gain), float(membrane_gain))


MAPPINGS: dict[str, Callable[[Step, float], Step]] = {"none": _unchanged, "exact": _held}
"""A mapping's step by its name: of the trained step, and the ratio of the new length to that of the training."""


def mapped_net(net: SequenceNet, mapping: str, *, trained_ms: float, run_ms: float) -> SequenceNet:
    """Return a net that shares the weights of a trained one and does one step of `run_ms` by a mapping.

    Args:
        net: A chain of weights, LIF neurons and leaky integrators.
        mapping: A name in `MAPPINGS`, or empty for the net itself.
        trained_ms: Time step of its training.
        run_ms: Time step at which it is going to be run.

    Raises:
        SpikingGammaError: There is no such mapping, or the net has layers with a memory of another kind.
    """
    if not mapping:
        return net
    if mapping not in MAPPINGS:
        raise SpikingGammaError("mapping", repr(mapping), f"empty or one of {', '.join(MAPPINGS)}")
    if not isinstance(net, Chain):
        raise SpikingGammaError("mapping", f"{mapping} for a {type(net).__name__}", "a chain of LIF neurons")
    change, ratio = MAPPINGS[mapping], run_ms / trained_ms
    layers: list[Layer] = []
    for layer in net.layers:
        if type(layer) is LIF:
            layers.append(_MappedLIF(layer, change(step_of(layer.options.parameters(trained_ms)), ratio)))
        elif isinstance(layer, Integrator):
            parameters = layer.parameters_at(trained_ms)
            layers.append(layer if parameters is None else _MappedIntegrator(layer, change(step_of(parameters), ratio)))
        elif isinstance(layer, AxonalDelays | SynapticDelays) or tensors_of(layer.initial_state(1)):
            raise SpikingGammaError("mapping", f"{mapping} for a {type(layer).__name__}", "a chain of LIF neurons")
        else:
            layers.append(layer)
    return Chain(layers, net.in_shape).train(net.training)


class _MappedLIF(LIF):
    """LIF neurons with a step of their own, whatever the time step of the run."""

    scan = None  # type: ignore[assignment]  # the compiled sequence knows the usual step alone

    def __init__(self, neuron: LIF, step: Step) -> None:
        super(Neuron, self).__init__()
        self.out_shape, self.options = neuron.out_shape, neuron.options
        self.register_buffer("_like", neuron.get_buffer("_like"), persistent=False)
        self.mapped = step

    def step(
        self, state: LIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], LIFState]:
        """See `Neuron.step`."""
        after = _leak(self.mapped, state, drive)
        threshold = self.options.threshold
        spikes = (after.membrane >= threshold).to(drive)
        return spikes, LIFState(after.current, torch.sub(after.membrane, spikes, alpha=threshold))


class _MappedIntegrator(Integrator):
    """A leaky integrator with a step of its own."""

    def __init__(self, integrator: Integrator, step: Step) -> None:
        super().__init__(integrator.out_shape, tau_ms=integrator.tau_ms, synapse_tau_ms=integrator.synapse_tau_ms)
        self.to(integrator.get_buffer("_like"))
        self.mapped = step

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: LIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], LIFState]:
        """See `Layer.forward`."""
        membranes = []
        for drive in x.unbind(0):
            state = _leak(self.mapped, state, drive)
            membranes.append(state.membrane)
        return torch.stack(membranes), state


def _leak(step: Step, state: LIFState, drive: Float[Tensor, "B *shape"]) -> LIFState:
    """Return current and membrane after a step, before any spike."""
    current = step.synapse * state.current + step.current_gain * drive
    membrane = step.leak * state.membrane + step.coupling * state.current + step.membrane_gain * drive
    return LIFState(current, membrane)
