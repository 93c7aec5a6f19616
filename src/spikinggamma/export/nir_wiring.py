"""What both kinds of nets need to be written as a NIR graph: its package, nodes under names, and time in seconds.

How a graph is to be run is said in words, once, and travels in its metadata: NIR's nodes are equations in continuous time, and
the net is exactly what these equations become at one time step under one rule.
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
    """The reference package `nir`.

    Raises:
        SpikingGammaError: It is not installed.
    """
    require("nir", "nir", "NIR's reference implementation")
    return importlib.import_module("nir")


def seconds(time_ms: float) -> float:
    """Milliseconds in NIR's unit."""
    return time_ms / 1000.0


def milliseconds(time_s: float) -> float:
    """The reverse: of the times that become `time_s`, one with few digits if there is one.

    Example:
        >>> milliseconds(0.0051), 0.0051 * 1000
        (5.1, 5.1000000000000005)
    """
    short = digits(time_s * 1000.0)
    return short if seconds(short) == time_s else time_s * 1000.0


def digits(value: float) -> float:
    """To twelve significant digits: undoes what rounding did on the way through a formula.

    Example:
        >>> digits(0.07 * 100)
        7.0
    """
    return float(f"{value:.12g}")


def numbers(values: Tensor) -> Array:
    """A tensor's values, in its own type."""
    result: Array = values.detach().cpu().numpy()
    return np.ascontiguousarray(result)


def leak(decay: float, dt_ms: float) -> float:
    """The time constant in seconds at which one Euler step leaves the share `decay`: dt / (1 - decay)."""
    return seconds(dt_ms) / (1.0 - decay)


class Wiring:
    """A graph as it grows: each node is added with those that it hears.

    Args:
        dt_ms: Time step for which the graph is exact.
        in_shape: Of the input at one step.

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

    def add(self, name: str, node: Any, *heard: str) -> str:
        """Any node; its name is returned."""
        self.nodes[name] = node
        self.hear(name, *heard)
        return name

    def hear(self, name: str, *heard: str) -> None:
        """Edges into a node that is there, or will be."""
        self.edges += [(source, name) for source in heard]

    def linear(self, name: str, weight: Array, *heard: str) -> str:
        """W x."""
        return self.add(name, self.nir.Linear(weight=weight), *heard)

    def shift(self, name: str, bias: Array, *heard: str) -> str:
        """The sum of what is heard, and a bias."""
        weight = np.eye(len(bias), dtype=bias.dtype)
        return self.add(name, self.nir.Affine(weight=weight, bias=bias), *heard)

    def scale(self, name: str, factors: Array, *heard: str) -> str:
        """Each element by its factor."""
        return self.add(name, self.nir.Scale(scale=factors), *heard)

    def threshold(self, name: str, thresholds: Array, *heard: str) -> str:
        """1 above, else 0."""
        return self.add(name, self.nir.Threshold(threshold=thresholds), *heard)

    def integrator(self, name: str, tau_s: float, gain: float, shape: Sequence[int], *heard: str) -> str:
        """A leaky integrator to which an input of 1 adds `gain` in one step: R = gain τ / dt."""
        tau = np.full(tuple(shape), tau_s)
        r = tau * (gain / seconds(self.dt_ms))
        return self.add(name, self.nir.LI(tau=tau, r=r, v_leak=np.zeros_like(tau)), *heard)

    def delay(self, name: str, steps: Array, *heard: str) -> str:
        """Whole steps."""
        return self.add(name, self.nir.Delay(delay=steps.astype(np.float64) * seconds(self.dt_ms)), *heard)

    def lag(self, name: str, shape: Sequence[int], *heard: str) -> str:
        """One step."""
        return self.delay(name, np.ones(tuple(shape)), *heard)

    def graph(self, shape: Sequence[int], heard: str, **metadata: str | float) -> Any:
        """The whole, ending in `heard`, with the words on how to run it."""
        self.add("output", self.nir.Output(output_type={"output": np.array(shape)}), heard)
        about = {"dt": seconds(self.dt_ms), "unit_of_time": "s", "discretisation": DISCRETISATION, **metadata}
        return self.nir.NIRGraph(self.nodes, self.edges, metadata=about)
