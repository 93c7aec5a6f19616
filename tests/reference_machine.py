"""A machine that runs nets one number at a time and counts what it does: the judge of costs.

Numbers live in cells, whose every reading and writing is counted, as is every reading of a weight and all arithmetic. At a
step, what arrives is added to cells; then a pass over the neurons reads each cell once, answers, and writes what the next
step begins with. Driven by events, only what arrives is heard; dense, every input is, and every neuron works out a message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from spikinggamma.cost import Work
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import CountNet, GammaLayer, GammaNet, GRUNet, PerSynapse, SurrogateNet


class Machine:
    """Counts, and arithmetic on plain numbers."""

    def __init__(self, *, dense: bool) -> None:
        self.dense = dense
        self.done = dict.fromkeys(Work.__dataclass_fields__, 0.0)
        self.synaptic = 0

    def _count(self, what: str) -> None:
        self.done[what] += 1.0

    def weight(self, value: Tensor | float) -> float:
        self._count("weight_reads")
        return float(value)

    def add(self, one: float, other: float) -> float:
        self._count("accumulates")
        return one + other

    def at_least(self, one: float, other: float) -> bool:
        self._count("accumulates")
        return one >= other

    def times(self, one: float, other: float) -> float:
        self._count("multiplies")
        return one * other

    def fused(self, total: float, one: float, other: float) -> float:
        self._count("multiply_accumulates")
        return total + one * other

    def function(self, value: float) -> float:
        self._count("functions")
        return value

    def read(self, message: float) -> float:
        self._count("state_reads")
        return message

    def write(self) -> None:
        self._count("state_writes")

    def cells(self, *shape: int) -> Cells:
        return Cells(self, shape)

    def hear(self, cells: Cells, arrived: Sequence[float], synapses: Tensor, *, graded: bool) -> None:
        """Add what arrived at each input to column 0 of `cells`, over the synapses [N, M] that are not nought."""
        if self.dense:
            for i, row in enumerate(synapses.tolist()):
                total = 0.0
                for value, weight in zip(arrived, row, strict=True):
                    if weight != 0.0:
                        self.synaptic += 1
                        total = self.fused(total, self.read(value), self.weight(weight))
                cells.put(self.add(cells.now[i][0], total), i, 0, counted=False)  # in the register of the pass to come
            return
        for j, value in _messages(arrived):
            self.read(value)
            for i, weight in enumerate(synapses[:, j].tolist()):
                if weight != 0.0:
                    self.synaptic += 1
                    before, single = cells.get(i, 0), not graded and value == 1.0
                    after = (
                        self.add(before, self.weight(weight))
                        if single
                        else self.fused(before, value, self.weight(weight))
                    )
                    cells.put(after, i, 0)


class Cells:
    """State variables [N, V]."""

    def __init__(self, machine: Machine, shape: Sequence[int]) -> None:
        self.machine = machine
        self.now = [[0.0] * shape[1] for _ in range(shape[0])]

    def get(self, i: int, v: int) -> float:
        return self.machine.read(self.now[i][v])

    def put(self, value: float, i: int, v: int, *, counted: bool = True) -> None:
        if counted:
            self.machine.write()
        self.now[i][v] = value

    def load(self, i: int) -> list[float]:
        return [self.get(i, v) for v in range(len(self.now[i]))]

    def store(self, values: Iterable[float], i: int) -> None:
        for v, value in enumerate(values):
            self.put(value, i, v)


def _messages(arrived: Sequence[float]) -> list[tuple[int, float]]:
    """A message for each height, or for however many spikes of a step."""
    return [(j, value) for j, value in enumerate(arrived) if value != 0.0]


class GammaLayerOn:
    """A layer of SpikingGamma neurons on a machine."""

    def __init__(self, machine: Machine, layer: GammaLayer, dt_ms: float, height: float, *, graded: bool) -> None:
        self.machine, self.layer, self.graded, self.dt_ms = machine, layer, graded, dt_ms
        self.alpha = layer.alpha(dt_ms).tolist()
        self.projecting = not isinstance(layer, PerSynapse)
        self.height = 1.0 if graded else height  # that weights hold
        self.bias = layer.cell_bias().tolist()
        self.buckets = machine.cells(layer.cells, layer.order)
        remembered = 0 if layer.readout else 2 if layer.code is not None and layer.code.adaptation else 1
        self.code_cells = machine.cells(layer.neurons, remembered)
        if self.projecting:
            inputs = torch.eye(math.prod(layer.in_shape), dtype=layer.bias.dtype).view(1, -1, *layer.in_shape)
            with torch.no_grad():
                self.synapses = layer.project(inputs).flatten(2)[0].T * self.height
        spread = layer.neurons // len(layer.bias)
        own = getattr(layer, "bucket_weight", None)
        self.mix = own.repeat_interleave(spread, 1).T.tolist() if own is not None else []

    def step(self, arrived: Sequence[float]) -> list[float]:
        """What is sent: heights, or numbers of spikes of one height; logits, of a read-out."""
        machine, layer = self.machine, self.layer
        if self.projecting:
            machine.hear(self.buckets, arrived, self.synapses, graded=self.graded)
        elif machine.dense:
            for j, value in enumerate(arrived):
                self.buckets.put(machine.add(self.buckets.get(j, 0), machine.read(value) * self.height), j, 0)
        else:
            for j, value in _messages(arrived):
                self.buckets.put(machine.add(self.buckets.get(j, 0), machine.read(value) * self.height), j, 0)
        signals = [machine.weight(bias) for bias in self.bias]
        if not self.projecting:
            weight = layer.weight.tolist()
            for i in range(layer.neurons):
                for k in range(layer.order):
                    for j in range(layer.cells):
                        machine.synaptic += 1
                        bucket = machine.read(self.buckets.now[j][k])
                        signals[i] = machine.fused(signals[i], bucket, machine.weight(weight[k][j][i]))
        for m in range(layer.cells):
            held = self.buckets.load(m)
            if self.projecting:
                for bucket, v in zip(held, self.mix[m], strict=True):
                    signals[m] = machine.fused(signals[m], bucket, machine.weight(v))
            moved = [
                machine.fused(held[k], 1.0 - self.alpha[k], machine.add(held[k - 1], -held[k]))
                for k in range(1, layer.order)
            ]
            self.buckets.store([machine.times(self.alpha[0], held[0]), *moved], m)
        return signals if layer.readout else [self._speak(i, x) for i, x in enumerate(signals)]

    def _speak(self, i: int, x: float) -> float:
        machine, layer, code = self.machine, self.layer, self.layer.code
        y = (x if machine.at_least(x, 0.0) else 0.0) if layer.rectify else x
        if code is None:
            (before,) = self.code_cells.load(i)
            sent = machine.fused(y, -self.alpha[0], before)
            self.code_cells.store([y], i)
        else:
            sent = self._spikes(i, y, code)
        if sent != 0.0 and not machine.dense:
            machine.write()
        return sent

    def _spikes(self, i: int, y: float, code: SigmaDelta) -> float:
        machine, adapts = self.machine, code.adaptation > 0.0
        estimate, *rise = self.code_cells.load(i)
        threshold = machine.add(code.threshold, rise[0]) if adapts else code.threshold
        behind = machine.add(y, -estimate)
        n, height = 0.0, 2.0 * threshold  # twice is a shift
        if machine.at_least(behind, threshold) or machine.dense:
            n = max(0.0, math.floor(machine.add(machine.times(behind, 1.0 / height), 0.5)))
            n = n if code.max_spikes is None else min(n, code.max_spikes)
            estimate = machine.add(estimate, machine.times(height, n))
            if adapts:
                rise = [machine.fused(rise[0], code.adaptation * threshold, n)]
        decays = [self.alpha[0], code.adaptation_decay(self.dt_ms)]
        self.code_cells.store([machine.times(d, value) for d, value in zip(decays, [estimate, *rise], strict=False)], i)
        return height * n if adapts else n


def run_gamma(machine: Machine, net: GammaNet, spikes: Tensor, dt_ms: float) -> list[list[float]]:
    """Logits at every step of one recording [T, M]."""
    layers, graded, height = [], False, net.input_gain
    for layer in net.stack:
        layers.append(GammaLayerOn(machine, layer, dt_ms, height, graded=graded))
        graded = layer.code is None or layer.code.adaptation > 0.0
        height = 1.0 if layer.code is None else 2.0 * layer.code.threshold
    logits = []
    for said in spikes.flatten(1).tolist():
        for layer_on in layers:
            said = layer_on.step(said)
        logits.append(said)
    return logits


def run_surrogate(machine: Machine, net: SurrogateNet, spikes: Tensor, dt_ms: float) -> list[list[float]]:
    """The same of a surrogate-gradient net."""
    signal = spikes.tolist()
    for index, weight in enumerate(net.weights):
        axons = net.delays[index]
        graded = axons is not None and axons.kind == "fractional"
        arriving = signal if axons is None else _delayed(signal, axons.delay_ms, dt_ms, axons.kind)
        spiking = index < len(net.spiking)
        if spiking:
            kind, variables = net.neuron, {"adaptive_lif": 3, "srm_alpha": 4}.get(net.neuron, 2)
        else:
            assert net.integrator is not None
            kind, variables = "readout", 2 if net.integrator.tau_ms > 0.0 else 1
        cells, sent = machine.cells(net.sizes[index + 1], variables), []
        own = getattr(net.spiking[index], "recurrent_weight", None) if spiking else None
        for arrived in arriving:
            if axons is not None and not machine.dense:
                for _ in _messages(arrived):
                    machine.weight(0.0)  # the share, or the delay, of that axon
            machine.hear(cells, arrived, weight.detach(), graded=graded)
            sent.append([_neuron(machine, net, kind, cells, i, dt_ms) for i in range(net.sizes[index + 1])])
            if own is not None:
                _hear_own(machine, cells, sent[-1], own)
        signal = sent
    return signal


def _hear_own(machine: Machine, cells: Cells, heard: Sequence[float], own: Tensor) -> None:
    """Spikes for the next step, which need no reading: they have not left the layer."""
    for i, row in enumerate(own.tolist()):
        for j, weight in enumerate(row):
            if machine.dense:
                machine.synaptic += 1
                cells.now[i][0] = machine.fused(cells.now[i][0], machine.read(heard[j]), machine.weight(weight))
            elif heard[j]:
                machine.synaptic += 1
                cells.put(machine.add(cells.get(i, 0), machine.weight(weight)), i, 0)


def _neuron(machine: Machine, net: SurrogateNet, kind: str, cells: Cells, i: int, dt_ms: float) -> float:
    held = cells.load(i)
    kept: Any = net.integrator if kind == "readout" else net.neurons[0].options
    tau_ms = getattr(kept, "synapse_tau_ms", 0.0)
    synapse = math.exp(-dt_ms / tau_ms) if tau_ms > 0.0 else 0.0
    if kind == "readout":
        bias = [] if net.bias is None else [machine.weight(net.bias[i].detach())]
        if len(held) == 1:
            cells.store([0.0], i)
            return held[0] + sum(bias)
        beta = math.exp(-dt_ms / kept.tau_ms)
        v = machine.fused(held[0], beta, machine.add(held[1], -held[0]))
        cells.store([machine.times(synapse, held[0]) if synapse else 0.0, v], i)
        return machine.add(v, bias[0]) if bias else v
    threshold = kept.threshold
    if kind == "srm_alpha":
        trace, value, own_trace, own = held
        membrane = machine.fused(value, -kept.refractory_scale * threshold, own)
        fires = machine.at_least(membrane, threshold)
        after = []
        for tau_ms, p, a, more in (
            (kept.tau_ms, trace, value, False), (kept.refractory_tau_ms, own_trace, own, True)
        ):  # fmt: skip
            d = math.exp(-dt_ms / tau_ms)
            if more and (fires or machine.dense):
                p = machine.add(p, float(fires))
            after += [machine.times(d, p), machine.times(d, machine.fused(a, math.e * dt_ms / tau_ms, p))]
        cells.store(after, i)
    else:
        current, membrane, *rise = held
        before = machine.fused(current, math.exp(-dt_ms / kept.tau_ms), machine.add(membrane, -current))
        bound = machine.fused(threshold, kept.adaptation, rise[0]) if rise else threshold
        fires = machine.at_least(before, bound)
        after_rise = [machine.times(math.exp(-dt_ms / kept.adaptation_tau_ms), rise[0])] if rise else []
        if fires or machine.dense:
            before = machine.add(before, -threshold * fires)
            after_rise = [machine.add(value, float(fires)) for value in after_rise]
        cells.store([machine.times(synapse, current) if synapse else 0.0, before, *after_rise], i)
    if fires and not machine.dense:
        machine.write()
    return float(fires)


def _delayed(signal: list[list[float]], delay_ms: Tensor, dt_ms: float, kind: str) -> list[list[float]]:
    def said(t: int, j: int) -> float:
        return signal[t][j] if t >= 0 else 0.0

    arriving = []
    for t in range(len(signal)):
        arrived = []
        for j, delay in enumerate((delay_ms.detach() / dt_ms).tolist()):
            n, f = math.floor(delay), delay - math.floor(delay)
            share = f if kind == "fractional" else 0.0
            arrived.append((1.0 - share) * said(t - n, j) + share * said(t - n - 1, j))
        arriving.append(arrived)
    return arriving


def run_counts(machine: Machine, net: CountNet, spikes: Tensor) -> list[float]:
    """The answer of a perceptron at the end of a recording."""
    counters = machine.cells(net.sizes[0], 1)
    for arrived in spikes.tolist():
        heard = list(enumerate(arrived)) if machine.dense else _messages(arrived)
        for j, value in heard:
            counters.put(machine.add(counters.get(j, 0), machine.read(value)), j, 0)
    mean, scale = net.get_buffer("mean"), net.get_buffer("scale")
    signal = [(row[0] - float(m)) / float(s) for row, m, s in zip(counters.now, mean, scale, strict=True)]
    for index, layer in enumerate(net.stack):
        sums = []
        for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
            total = machine.weight(bias)
            for value, weight in zip(signal, row, strict=True):
                machine.synaptic += 1
                total = machine.fused(total, machine.read(value), machine.weight(weight))
            if index < len(net.stack) - 1:
                total = total if machine.at_least(total, 0.0) else 0.0
            machine.write()
            sums.append(total)
        signal = sums
    return signal


def run_gru(machine: Machine, net: GRUNet, spikes: Tensor) -> list[list[float]]:
    """Logits of gated units at every step."""
    signal = (spikes / net.get_buffer("scale")).tolist()
    for index, layer in enumerate(net.hidden):
        size = layer.hidden_size
        (w, u, b, c) = (
            getattr(layer, f"{name}_l0").tolist() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h, said = machine.cells(size, 1), []
        for t, arrived in enumerate(signal):
            sums = [machine.weight(b[g]) + (c[g] if g < 2 * size else 0.0) for g in range(3 * size)]
            candidate = [machine.weight(c[2 * size + i]) for i in range(size)]
            sparse = index == 0 and not machine.dense
            for j, value in enumerate(arrived):
                if sparse and value == 0.0:
                    continue
                if sparse:
                    machine.read(value)
                for g in range(3 * size):
                    machine.synaptic += 1
                    if sparse:  # the sum lies in memory, and is added to
                        machine.read(sums[g]), machine.write()
                        weight = machine.weight(w[g][j])
                        single = float(spikes[t, j]) == 1.0
                        sums[g] = (
                            machine.add(sums[g], weight * value) if single else machine.fused(sums[g], weight, value)
                        )
                    else:
                        sums[g] = machine.fused(sums[g], machine.read(value), machine.weight(w[g][j]))
            for i in range(size):
                for j in range(size):
                    for gate in range(3):
                        machine.synaptic += 1
                        weight, held = machine.weight(u[gate * size + i][j]), machine.read(h.now[j][0])
                        if gate == 2:
                            candidate[i] = machine.fused(candidate[i], held, weight)
                        else:
                            sums[gate * size + i] = machine.fused(sums[gate * size + i], held, weight)
            after = []
            for i in range(size):
                r, z = (machine.function(1.0 / (1.0 + math.exp(-sums[gate * size + i]))) for gate in range(2))
                new = machine.function(math.tanh(machine.fused(sums[2 * size + i], r, candidate[i])))
                after.append(machine.fused(new, z, machine.add(h.get(i, 0), -new)))
            for i, value in enumerate(after):
                h.put(value, i, 0)
            said.append(after)
        signal = said
    logits = []
    for held in signal:
        row = []
        for weights, bias in zip(net.readout.weight.tolist(), net.readout.bias.tolist(), strict=True):
            total = machine.weight(bias)
            for value, weight in zip(held, weights, strict=True):
                machine.synaptic += 1
                total = machine.fused(total, machine.read(value), machine.weight(weight))
            machine.write()
            row.append(total)
        logits.append(row)
    return logits
