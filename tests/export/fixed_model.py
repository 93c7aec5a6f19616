"""The integer programs again, in numpy and step by step: what their every line must be, to the bit.

No neuron sleeps here, and nothing is shared with the C but the scales of `spikinggamma.export.fixed_point`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikinggamma.events import Recording, bin_recording
from spikinggamma.export.fixed_point import WIDTHS, leak, scaled, state_shift
from spikinggamma.export.program_net import ProgramLayer, ProgramNet

Whole = npt.NDArray[np.int64]
MOST = 2**31 - 1


def saturated(values: Whole) -> Whole:
    return np.clip(values, -MOST, MOST)


def nearest(values: Whole, shift: int) -> Whole:
    """values / 2^shift, half away from zero."""
    half = (1 << shift) // 2
    return np.sign(values) * ((np.abs(values) + half) // (1 << shift))


def upwards(values: Whole, shift: int) -> Whole:
    """values / 2^shift, away from zero."""
    return np.sign(values) * -(-np.abs(values) // (1 << shift))


class FixedLayer:
    def __init__(self, layer: ProgramLayer, number: str, shift: int) -> None:
        widths = WIDTHS[number]
        self.code = layer.code
        self.weight = scaled("weights", layer.weight, widths.weight)
        self.bucket_weight = scaled("bucket weights", layer.bucket_weight, widths.bucket_weight)
        self.bias = saturated(np.rint(layer.bias * 2.0**shift).astype(np.int64))
        self.leaks = [leak(float(take), widths.leak) for take in layer.take]
        self.buckets = np.zeros((layer.order, layer.neurons), np.int64)
        self.estimate, self.rise = np.zeros((2, layer.neurons), np.int64)
        if layer.code is not None:
            self.threshold = round(layer.code.threshold * 2.0**shift)
            self.adaptation = scaled("adaptation", layer.code.adaptation, widths.bucket_weight)
            self.fading = leak(1.0 - layer.fade, widths.leak)

    def signal(self, order: list[int], heights: dict[int, int]) -> Whole:
        drive = np.zeros_like(self.bias)
        for sender in order:
            drive = saturated(drive + nearest(self.weight.values[:, sender] * heights[sender], self.weight.shift))
        before = self.buckets.copy()
        for k, (share, shift) in enumerate(self.leaks):
            towards = before[k - 1] if k else 0
            self.buckets[k] = before[k] + upwards(share * (towards - before[k]), shift)
        self.buckets[0] = saturated(self.buckets[0] + drive)
        mix = (self.bucket_weight.values * self.buckets).sum(0)
        return saturated(self.bias + nearest(mix, self.bucket_weight.shift))

    def encode(self, signal: Whole) -> tuple[Whole, Whole]:
        assert self.code is not None
        share, shift = self.leaks[0]
        before = self.estimate - upwards(share * self.estimate, shift)
        threshold = self.threshold + self.rise
        missing = np.maximum(signal, 0) - before
        count = np.where(missing >= threshold, (missing + threshold) // (2 * threshold), 0)
        count = np.minimum(count, self.code.max_spikes or MOST)
        height = saturated(2 * threshold * count)
        self.estimate = saturated(before + height)
        rise = saturated(self.rise + nearest(threshold * count * self.adaptation.value, self.adaptation.shift))
        self.rise = rise - upwards(self.fading[0] * rise, self.fading[1])
        return count, height


def expected_lines(net: ProgramNet, number: str, recording: Recording) -> Iterator[str]:
    """Everything that a program compiled with -DTRACE -DNO_SLEEP prints of a recording without -c."""
    shift = state_shift(net)
    layers = [FixedLayer(layer, number, shift) for layer in net.layers]
    counts = bin_recording(recording, dt_ms=net.dt_ms, n_channels=net.layers[0].inputs).numpy().astype(np.int64)
    gain = scaled("input_gain", net.input_gain * 2.0**shift, 38)
    gathered = np.zeros(net.layers[-1].neurons, np.int64)
    decision = 0
    for step, row in enumerate(counts):
        heights = {int(i): int(saturated(nearest(gain.value * row[i], gain.shift))) for i in np.flatnonzero(row)}
        order = arrivals(recording, net, step)
        time_us = step * net.step_ns // 1000
        for index, layer in enumerate(layers, start=1):
            signal = layer.signal(order, heights)
            if layer.code is None:
                for neuron, value in enumerate(signal):
                    yield f"signal {time_us} {index} {neuron} {value}"
                gathered = gathered + signal if net.loss in ("sum", "running") else signal
                break
            count, height = layer.encode(signal)
            order = [int(i) for i in np.flatnonzero(count)]
            heights = {i: int(height[i]) for i in order}
            for neuron, value in enumerate(signal):
                yield f"signal {time_us} {index} {neuron} {value}"
                if count[neuron]:
                    yield f"spike {time_us} {index} {neuron} {count[neuron]}"
        if net.loss == "each_step":
            decision = int(gathered.argmax())
            yield f"step {time_us} {decision}"
    decision = decision if net.loss == "each_step" else int(gathered.argmax())
    steps = len(counts) if net.loss in ("sum", "running") else 1
    yield " ".join([f"class {decision} {len(counts)}", *(decimal(int(total), steps, shift) for total in gathered)])


def arrivals(recording: Recording, net: ProgramNet, step: int) -> list[int]:
    """Inputs with events in a step, in the order of their first: sums that saturate depend on it."""
    here = recording.times_us * 1000 // net.step_ns == step
    return list(dict.fromkeys(sorted_events(recording, here, net.fold)))


def sorted_events(recording: Recording, here: npt.NDArray[np.bool_], fold: int) -> list[int]:
    events = sorted(zip(recording.times_us[here].tolist(), recording.channels[here].tolist(), strict=True))
    return [channel // fold for _, channel in events]


def decimal(total: int, steps: int, shift: int) -> str:
    """total / steps in units of 2^-shift, to six decimals."""
    size = (abs(total) + steps // 2) // steps
    millionths = ((size % 2**shift) * 10**6 + 2**shift // 2) >> shift
    whole = (size >> shift) + millionths // 10**6
    return f"{'-' if total < 0 else ''}{whole}.{millionths % 10**6:06d}"
