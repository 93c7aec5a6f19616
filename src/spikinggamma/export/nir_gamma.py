"""A SpikingGamma net as a NIR graph, exact at one time step.

    u        weight                          Linear or Conv2d; none in a per-synapse layer
    h_0      bucket0                         LI, R = τ_0/dt: a spike adds its height
    h_k      lag1, bucket1, lag2, ...        LI, R = 1, each fed by the one before with a delay of one step (Delay)
    x        tap0, tap1, ..., signal         Scale (or Linear) of each bucket; Affine adds the bias
    ŷ        estimate                        LI of the sent messages, R = τ_0/dt: a listener's bucket 0
    -ŷ⁻      before, expected                Delay of a step, Scale by -α_0
    n        threshold1, threshold2, ...     Threshold of x - ŷ⁻ at ϑ, 3ϑ, 5ϑ, ...: their sum counts the spikes
    2ϑ n     sent                            Scale by 2ϑ, which feeds the next layer and `estimate`

No rectifier is needed: max(x, 0) - ŷ⁻ reaches (2j - 1)ϑ > 0 exactly where x - ŷ⁻ does, because ŷ⁻ is never negative.

An adaptive threshold is refused: its message 2(ϑ_0 + a(t)) n(t) is a product of two signals, which no NIR graph can represent.
docs/nir.md has the proof.
"""

from __future__ import annotations

import numpy as np
import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.nir_wiring import Wiring, numbers, seconds
from spikinggamma.export.thresholds import spike_thresholds
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import BucketWeightedLayer, Conv2d, Dense, GammaLayer, GammaNet, PerSynapse

__all__ = ["gamma_wiring"]


def gamma_wiring(net: GammaNet, dt_ms: float) -> tuple[Wiring, str]:
    """Return the nodes and edges of the net, and the name of the node that holds its logits.

    Raises:
        SpikingGammaError: NIR cannot represent a layer exactly (the message says why), or the time step is longer than the
            shortest bucket.
    """
    for index, layer in enumerate(net.stack):
        _require_exact(layer, f"layer{index}")
    shape = net.stack[0].in_shape
    wiring = Wiring(dt_ms, shape)
    gain = np.full(shape, net.input_gain, dtype=numbers(net.stack[0].bias).dtype)
    source = wiring.scale("input_gain", gain, "input")
    for index, layer in enumerate(net.stack):
        name = f"layer{index}"
        source = _write_layer(wiring, name, layer, _fitted(wiring, name, shape, layer, source))
        shape = layer.out_shape
    return wiring, source


def _require_exact(layer: GammaLayer, name: str) -> None:
    if not isinstance(layer, Dense | Conv2d | PerSynapse):
        raise SpikingGammaError(name, type(layer).__name__, "a layer of kind Dense, Conv2d or PerSynapse")
    if layer.readout:
        return
    if layer.code is None:
        expected = "a layer that spikes: NIR has no node that rectifies a signal"
        raise SpikingGammaError(name, "an analogue layer", expected, "Train with net.analogue=false.")
    if layer.code.adaptation > 0.0:
        raise SpikingGammaError(
            name,
            f"a threshold that adapts (m = {layer.code.adaptation:g})",
            "m = 0: the height of its spikes is a product of two signals, and NIR has no node for that",
            "Train with net.adaptation=0, or say that the thresholds shall stand still: without_adaptation=True "
            "(--without-adaptation). That is another net: evaluate it.",
        )
    if layer.code.max_spikes is None:
        raise SpikingGammaError(
            name,
            "no limit on the spikes of a step (max_spikes = None)",
            "a finite number: each further spike takes a Threshold node",
            "Train with net.max_spikes=N, or set a limit: max_spikes=N (--max-spikes N).",
        )


def _fitted(wiring: Wiring, name: str, shape: tuple[int, ...], layer: GammaLayer, source: str) -> str:
    """Return the name of the node that feeds a layer, after flattening its output where the layer needs it."""
    if not isinstance(layer, Conv2d) and len(shape) > 1:
        flatten = wiring.nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
        return wiring.add(f"{name}_flatten", flatten, source)
    if isinstance(layer, Conv2d) and shape != layer.in_shape:
        expected = f"the shape of its input, {layer.in_shape}: NIR has no node that folds"
        raise SpikingGammaError(name, f"input of shape {shape}", expected)
    return source


def _write_layer(wiring: Wiring, name: str, layer: GammaLayer, source: str) -> str:
    layer.alpha(wiring.dt_ms)  # raises for a step that is too long
    order = layer.order
    drive = _write_weight(wiring, name, layer, source)
    cells = layer.out_shape if isinstance(layer, BucketWeightedLayer) else (layer.cells,)
    # A time constant may be below the step by a rounding error; such a bucket keeps nothing.
    tau_s = [seconds(max(float(tau), wiring.dt_ms)) for tau in layer.timescales.tau_ms().detach().double()]
    buckets = [wiring.integrator(f"{name}_bucket0", tau_s[0], 1.0, cells, drive)]
    for k in range(1, order):
        lag = wiring.lag(f"{name}_lag{k}", cells, buckets[-1])
        buckets.append(wiring.integrator(f"{name}_bucket{k}", tau_s[k], seconds(wiring.dt_ms) / tau_s[k], cells, lag))
    signal = _write_signal(wiring, name, layer, buckets)
    return signal if layer.code is None else _write_code(wiring, name, layer, layer.code, tau_s[0], signal)


def _write_weight(wiring: Wiring, name: str, layer: GammaLayer, source: str) -> str:
    if isinstance(layer, Dense):
        return wiring.linear(f"{name}_weight", numbers(layer.weight), source)
    if not isinstance(layer, Conv2d):
        return source
    weight = numbers(layer.weight)
    node = wiring.nir.Conv2d(
        input_shape=layer.in_shape[1:],
        weight=weight,
        stride=(layer.stride, layer.stride),
        padding=(layer.padding, layer.padding),
        dilation=(1, 1),
        groups=1,
        bias=np.zeros(len(weight), weight.dtype),
    )
    return wiring.add(f"{name}_weight", node, source)


def _write_signal(wiring: Wiring, name: str, layer: GammaLayer, buckets: list[str]) -> str:
    bias = numbers(layer.bias)
    if isinstance(layer, BucketWeightedLayer):
        weights = numbers(layer.per_cell(layer.bucket_weight)).reshape(-1, *layer.out_shape)
        taps = [wiring.scale(f"{name}_tap{k}", weights[k], bucket) for k, bucket in enumerate(buckets)]
    else:
        matrices = numbers(layer.weight.transpose(1, 2))
        taps = [wiring.linear(f"{name}_tap{k}", matrices[k], bucket) for k, bucket in enumerate(buckets)]
    if not isinstance(layer, Conv2d):
        return wiring.shift(f"{name}_signal", bias, *taps)
    node = wiring.nir.Conv2d(
        input_shape=layer.out_shape[1:],
        weight=np.eye(len(bias), dtype=bias.dtype)[:, :, None, None],
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        bias=bias,
    )
    return wiring.add(f"{name}_signal", node, *taps)


def _write_code(wiring: Wiring, name: str, layer: GammaLayer, code: SigmaDelta, tau_s: float, signal: str) -> str:
    shape = layer.out_shape
    alpha_0 = numbers(layer.alpha(wiring.dt_ms))[0]
    estimate, sent = f"{name}_estimate", f"{name}_sent"
    before = wiring.lag(f"{name}_before", shape, estimate)
    expected = wiring.scale(f"{name}_expected", np.full(shape, -alpha_0), before)
    levels = numbers(spike_thresholds(code, layer.bias.dtype))
    for j, level in enumerate(levels, start=1):
        source = wiring.threshold(f"{name}_threshold{j}", np.full(shape, level), signal, expected)
        wiring.connect(sent, source)
    height = 2.0 * torch.tensor(code.threshold, dtype=layer.bias.dtype)
    wiring.scale(sent, np.full(shape, numbers(height)))
    wiring.integrator(estimate, tau_s, 1.0, shape, sent)
    return sent
