"""Construction of NIR graphs for all kinds of nets: the package `nir`, named nodes, and times in seconds.

The metadata of a graph describe in words how it is to be run: NIR's nodes are equations in continuous time, and the net equals
their discretisation at one time step under one rule.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spikinggamma.optional import require

__all__ = ["DISCRETISATION", "Array", "Wiring", "digits", "leak", "milliseconds", "nir_package", "numbers", "seconds"]

Array = NDArray[Any]

DISCRETISATION = (
    "Steps of length dt; all states and all that is on its way start at zero. In a step every node is evaluated once, "
    "after the nodes that it hears; what several edges bring is summed. LI takes one Euler step with the input of this "
    "step and is read after it: v(t) = v(t-dt) + dt/tau (v_leak - v(t-dt) + R I(t)). Delay gives its input as it was "
    "delay/dt whole steps ago, so a delay of at least dt may be read before its input is known: every loop holds one. "
    "Threshold is 1 where its input exceeds the threshold in the number type of the weights, else 0. Input is the number "
    "of events of each channel in the step."
)


def nir_package() -> Any:
    """Return the reference package `nir`.

    Raises:
        SpikingGammaError: The package is not installed.
    """
    require("nir", "nir", "NIR's reference implementation")
    return importlib.import_module("nir")


def seconds(time_ms: float) -> float:
    """Convert milliseconds to seconds, the unit of NIR."""
    return time_ms / 1000.0


def milliseconds(time_s: float) -> float:
    """Invert `seconds`: of the times that become `time_s`, return one with few digits if there is one.

    Example:
        >>> milliseconds(0.0051), 0.0051 * 1000
        (5.1, 5.1000000000000005)
    """
    short = digits(time_s * 1000.0)
    return short if seconds(short) == time_s else time_s * 1000.0


def digits(value: float) -> float:
    """Round to twelve significant digits, which removes the rounding errors of a formula.

    Example:
        >>> digits(0.07 * 100)
        7.0
    """
    return float(f"{value:.12g}")


def numbers(values: Tensor) -> Array:
    """Return a tensor's values as an array of the same dtype."""
    result: Array = values.detach().cpu().numpy()
    return np.ascontiguousarray(result)


def leak(decay: float, dt_ms: float) -> float:
    """Return the time constant dt / (1 - decay) in seconds, at which one Euler step leaves the share `decay`."""
    return seconds(dt_ms) / (1.0 - decay)


class Wiring:
    """Builder of a graph, in which each node is added with its input nodes.

    Args:
        dt_ms: Time step for which the graph is exact.
        in_shape: Shape of the input at one step.

    Example:
        >>> wiring = Wiring(2.0, (3,))
        >>> wiring.scale("twice", np.full(3, 2.0), "input")
        'twice'
        >>> wiring.edges
        [('input', 'twice')]
    """

    def __init__(self, dt_ms: float, in_shape: Sequence[int]) -> None:
        self.nir = nir_package()
        self.dt_ms = dt_ms
        self.nodes: dict[str, Any] = {"input": self.nir.Input(input_type={"input": np.array(in_shape)})}
        self.edges: list[tuple[str, str]] = []

    def add(self, name: str, node: Any, *inputs: str) -> str:
        """Add a node of any kind with edges from the nodes `inputs`; return its name."""
        self.nodes[name] = node
        self.connect(name, *inputs)
        return name

    def connect(self, name: str, *inputs: str) -> None:
        """Add edges into a node, which may be added later."""
        self.edges += [(source, name) for source in inputs]

    def linear(self, name: str, weight: Array, *inputs: str) -> str:
        """Add a Linear node, W x."""
        return self.add(name, self.nir.Linear(weight=weight), *inputs)

    def shift(self, name: str, bias: Array, *inputs: str) -> str:
        """Add a node that sums its inputs and a bias."""
        weight = np.eye(len(bias), dtype=bias.dtype)
        return self.add(name, self.nir.Affine(weight=weight, bias=bias), *inputs)

    def scale(self, name: str, factors: Array, *inputs: str) -> str:
        """Add a Scale node, which multiplies each element by its factor."""
        return self.add(name, self.nir.Scale(scale=factors), *inputs)

    def threshold(self, name: str, thresholds: Array, *inputs: str) -> str:
        """Add a Threshold node, which is 1 above the threshold and else 0."""
        return self.add(name, self.nir.Threshold(threshold=thresholds), *inputs)

    def integrator(self, name: str, tau_s: float, gain: float, shape: Sequence[int], *inputs: str) -> str:
        """Add a leaky integrator to which an input of 1 adds `gain` in one step: R = gain τ / dt."""
        tau = np.full(tuple(shape), tau_s)
        r = tau * (gain / seconds(self.dt_ms))
        return self.add(name, self.nir.LI(tau=tau, r=r, v_leak=np.zeros_like(tau)), *inputs)

    def delay(self, name: str, steps: Array, *inputs: str) -> str:
        """Add a Delay node of whole steps."""
        return self.add(name, self.nir.Delay(delay=steps.astype(np.float64) * seconds(self.dt_ms)), *inputs)

    def lag(self, name: str, shape: Sequence[int], *inputs: str) -> str:
        """Add a Delay node of one step."""
        return self.delay(name, np.ones(tuple(shape)), *inputs)

    def graph(self, shape: Sequence[int], last: str, **metadata: str | float) -> Any:
        """Return the complete graph, with the output from the node `last` and metadata that describe how to run it."""
        self.add("output", self.nir.Output(output_type={"output": np.array(shape)}), last)
        about = {"dt": seconds(self.dt_ms), "unit_of_time": "s", "discretisation": DISCRETISATION, **metadata}
        return self.nir.NIRGraph(self.nodes, self.edges, metadata=about)
