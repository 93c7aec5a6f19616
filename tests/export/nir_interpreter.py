"""A NIR graph run by its own words: node equations and the discretisation in the graph's metadata, in numpy.

Nothing of spikinggamma is imported: whoever reads a file of ours has only these.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from graphlib import TopologicalSorter
from typing import Any

import nir
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Node = Callable[[np.ndarray], np.ndarray]


def simulate(graph: nir.NIRGraph, inputs: np.ndarray, keep: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """`output` and the nodes named in `keep` at every step, [T, B, ...] for inputs [T, B, ...], computed in their type."""
    dt = float(graph.metadata["dt"])
    heard: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        heard[target].append(source)
    delays = {name: Delay(node, dt) for name, node in graph.nodes.items() if isinstance(node, nir.Delay)}
    early = {name for name, delay in delays.items() if delay.steps.min() >= 1}
    order = TopologicalSorter({name: [] if name in early else heard[name] for name in graph.nodes}).static_order()
    order = list(order)
    run = {name: made(node, dt, inputs.dtype) for name, node in graph.nodes.items() if name not in delays}
    names = {"output", *keep}
    kept: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for frame in inputs:
        values: dict[str, np.ndarray] = {}
        for name in order:
            if name in early:
                values[name] = delays[name].read(frame)
                continue
            total = frame if isinstance(graph.nodes[name], nir.Input) else sum_of(values[one] for one in heard[name])
            values[name] = delays[name].pass_on(total) if name in delays else run[name](total)
        for name in early:
            delays[name].push(sum_of(values[one] for one in heard[name]))
        for name in names:
            kept[name].append(values[name])
    return {name: np.stack(frames) for name, frames in kept.items()}


def sum_of(parts: Iterable[np.ndarray]) -> np.ndarray:
    first, *rest = parts
    for part in rest:
        first = first + part
    return first


class Delay:
    """y(t) = x(t - delay), zero before the beginning."""

    def __init__(self, node: nir.Delay, dt: float) -> None:
        exact = np.asarray(node.delay) / dt
        self.steps = np.rint(exact).astype(int)
        assert np.allclose(exact, self.steps, atol=1e-6), "a delay of part of a step"
        self.past: deque[np.ndarray] = deque(maxlen=int(self.steps.max()) + 1)  # the newest first

    def push(self, value: np.ndarray) -> None:
        self.past.appendleft(value)

    def read(self, like: np.ndarray, newest: int = 1) -> np.ndarray:
        """What arrives; the newest of the past is so many steps old."""
        out = np.zeros((like.shape[0], *self.steps.shape), like.dtype)
        for age, value in enumerate(self.past, start=newest):
            np.copyto(out, value, where=self.steps == age)
        return out

    def pass_on(self, value: np.ndarray) -> np.ndarray:
        self.push(value)
        return self.read(value, newest=0)


class Leaky:
    """tau dv/dt = v_leak - v + R I."""

    def __init__(self, node: nir.LI, dt: float, dtype: np.dtype) -> None:
        share = dt / np.asarray(node.tau, np.float64)
        self.decay = (1.0 - share).astype(dtype)
        self.gain = (share * node.r).astype(dtype)
        self.rest = (share * node.v_leak).astype(dtype)
        self.v: Any = np.zeros((), dtype)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.v = self.decay * self.v + (self.gain * x + self.rest)
        return self.v


def convolution(node: nir.Conv2d, dtype: np.dtype) -> Node:
    weight, bias = node.weight.astype(dtype), node.bias.astype(dtype)
    (across, down), (left, top) = np.broadcast_to(node.stride, 2), np.broadcast_to(node.padding, 2)

    def apply(x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (0, 0), (left, left), (top, top)))
        windows = sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::across, ::down]
        return np.einsum("bchwij,ocij->bohw", windows, weight) + bias[:, None, None]

    return apply


def made(node: nir.NIRNode, dt: float, dtype: np.dtype) -> Node:
    """What a node does in a step."""
    if isinstance(node, nir.Input | nir.Output):
        return lambda x: x
    if isinstance(node, nir.Linear):
        matrix = node.weight.astype(dtype)
        return lambda x: x @ matrix.T
    if isinstance(node, nir.Affine):
        matrix, bias = node.weight.astype(dtype), node.bias.astype(dtype)
        # A diagonal of ones changes nothing: the sum alone is as exact, and quicker.
        eye = np.array_equal(matrix, np.eye(len(matrix)))
        return (lambda x: x + bias) if eye else (lambda x: x @ matrix.T + bias)
    if isinstance(node, nir.Scale):
        factors = node.scale.astype(dtype)
        return lambda x: factors * x
    if isinstance(node, nir.Threshold):
        threshold = node.threshold.astype(dtype)
        return lambda x: (x > threshold).astype(dtype)
    if isinstance(node, nir.Flatten):
        return lambda x: x.reshape(len(x), -1)
    if isinstance(node, nir.Conv2d):
        return convolution(node, dtype)
    if isinstance(node, nir.LI):
        return Leaky(node, dt, dtype)
    raise AssertionError(f"no equation for {type(node).__name__}")
