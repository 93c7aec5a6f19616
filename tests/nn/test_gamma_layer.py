"""Every kind of layer, in nets of each: sequence = chunks = steps; autograd's answer against the specification's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference_nets import DT_MS, NETS, gradients, prepared, relative_error
from spikinggamma import SpikingGammaError, kernels
from spikinggamma.bench.oracles import reference_net
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Conv2d, Dense, GammaLayer, GammaNet, NetActivations, NetState, PerSynapse, Timescales

every_net = pytest.mark.parametrize("kind", NETS)


def in_chunks(
    net: GammaNet, spikes: Tensor, chunk: int, start: NetState
) -> tuple[Tensor, list[NetActivations], NetState]:
    """Logits by autograd's way, tapes by the other, and the state that both end in."""
    logits, all_activations = [], []
    state, other = start, start
    for part in spikes.split(chunk):
        out, state = net(part, state, dt_ms=DT_MS)
        activations, other = net.run(part, other, DT_MS)
        logits.append(out)
        all_activations.append(activations)
    for one, two in zip(state.layers, other.layers, strict=True):
        for a, b in zip(one, two, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)
    return torch.cat(logits), all_activations, state


@every_net
@pytest.mark.parametrize("chunk", [1, 7])
def test_sequence_is_its_chunks_and_its_steps(kind: str, chunk: int) -> None:
    net, spikes = prepared(NETS[kind], steps=20)
    start = net.initial_state(spikes.shape[1], generator=torch.Generator().manual_seed(0))
    whole, (activations,), last = in_chunks(net, spikes, len(spikes), start)
    parts, all_activations, end = in_chunks(net, spikes, chunk, start)
    torch.testing.assert_close(parts, whole, rtol=1e-11, atol=1e-12)
    for index, full in enumerate(activations.layers):
        for name in ("drive", "signal", "outputs"):
            joined = torch.cat([getattr(part.layers[index], name) for part in all_activations])
            torch.testing.assert_close(joined, getattr(full, name), rtol=1e-11, atol=1e-12)
        if full.counts is not None:
            assert torch.equal(torch.cat([part.layers[index].counts for part in all_activations]), full.counts)
            assert int(full.counts.sum()) > 5, "a silent layer proves nothing"
    for one, two in zip(last.layers, end.layers, strict=True):
        for a, b in zip(one, two, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)


@every_net
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_logits_and_autograd_are_the_specifications(kind: str, backend: str) -> None:
    net, spikes = prepared(NETS[kind])
    start = net.initial_state(spikes.shape[1], generator=torch.Generator().manual_seed(0))
    wanted = reference_net(net, spikes, DT_MS, masks=start.masks)[0]
    grad = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (wanted * grad).sum().backward()
    expected = gradients(net)
    net.zero_grad()
    with kernels.use(backend):
        found, _ = net(spikes, start, dt_ms=DT_MS)
        (found * grad).sum().backward()
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-11)
    assert relative_error(gradients(net), expected) < 1e-10


@every_net
def test_what_listeners_hear_in_bucket_0_is_what_the_sender_believes(kind: str) -> None:
    net, spikes = prepared(NETS[kind])
    net.eval()
    _, state = net.run(spikes, net.initial_state(spikes.shape[1]), DT_MS)
    for sender, (layer, listener) in zip(
        state.layers, list(zip(net.stack, state.layers, strict=True))[1:], strict=False
    ):
        heard = layer.project(sender.estimate.view(1, -1, *layer.in_shape)).flatten(2)[0]
        torch.testing.assert_close(listener.buckets[0], heard, rtol=1e-11, atol=1e-12)


@every_net
def test_maps_and_their_adjoints_are_adjoint(kind: str) -> None:
    """What the learning rules see of a layer: <a, P s> = <Pᵀ a, s>, and so for the memory and the mix."""
    net, spikes = prepared(NETS[kind], steps=9)
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    with torch.no_grad():
        for layer in net.stack:
            alpha, steps, batch = layer.alpha(DT_MS), 9, spikes.shape[1]
            inputs, buckets = normal(steps, batch, *layer.in_shape), normal(layer.order, batch, layer.cells)
            drive, delta = layer.project(inputs).flatten(2), normal(steps, batch, layer.neurons)
            grad = normal(*drive.shape)
            torch.testing.assert_close((grad * drive).sum(), (layer.project_adjoint(grad) * inputs).sum())
            state = layer.initial_state(batch)._replace(buckets=buckets)
            signal = layer.scan(drive, state, alpha, DT_MS)[0]
            r, carried = layer.signal_adjoint(delta, alpha)
            weighted = (delta * (signal - layer.cell_bias())).sum()
            torch.testing.assert_close(weighted, (r * drive).sum() + (carried * buckets).sum())
            traces, _ = kernels.filter_forward(drive, alpha, buckets)
            torch.testing.assert_close(weighted, (layer.mix_adjoint(delta) * traces).sum())
            torch.testing.assert_close(layer.mix_adjoint_sum(delta), layer.mix_adjoint(delta).sum(2))


def kinds(code: SigmaDelta | None = None) -> list[GammaLayer]:
    timescales = Timescales((4.0, 8.0))
    spoken = code or SigmaDelta()
    return [
        Dense((2, 3, 4), 5, timescales, code=spoken),
        PerSynapse((2, 3, 4), 5, timescales, code=spoken),
        Conv2d((2, 3, 4), 5, 2, timescales, code=spoken),
    ]


@pytest.mark.parametrize("layer", kinds(), ids=lambda layer: type(layer).__name__)
def test_bad_input_is_named(layer: GammaLayer) -> None:
    good, state = torch.ones(6, 2, 2, 3, 4), layer.initial_state(2)
    layer(good, state, 2.0)
    for call in (layer, layer.run):
        with pytest.raises(SpikingGammaError, match=r"`spikes`: got \[6, 2, 3, 4\]; expected \[T, B, 2, 3, 4\]"):
            call(good[:, :, 0], state, 2.0)
        with pytest.raises(SpikingGammaError, match=r"`spikes`: got \[0, 2, 2, 3, 4\].*at least one step"):
            call(good[:0], state, 2.0)
        with pytest.raises(SpikingGammaError, match=r"`spikes`.*at least one step and one sample"):
            call(good[:, :0], layer.initial_state(0), 2.0)
        with pytest.raises(SpikingGammaError, match=r"`spikes`: got torch.float64; expected torch.float32"):
            call(good.double(), state, 2.0)
        with pytest.raises(SpikingGammaError, match=r"`state`.*for this batch. .*start a new recording"):
            call(good, layer.initial_state(3), 2.0)
        with pytest.raises(SpikingGammaError, match=r"`dt_ms`: got 5.0; expected at most 4 ms.*bucket 0"):
            call(good, state, 5.0)


@pytest.mark.parametrize("kind", ["dense", "per_synapse", "convolutional"])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_value_that_is_no_number_reaches_the_logits(kind: str, backend: str) -> None:
    """Nothing on the way may turn it into silence: the loss is where it is found."""
    net, spikes = prepared(NETS[kind])
    with torch.no_grad():
        next(iter(net.stack[0].parameters())).view(-1)[0] = float("nan")
    with kernels.use(backend):
        logits, _ = net(torch.ones_like(spikes), dt_ms=DT_MS)
    assert bool(logits.isnan().any())


def test_a_gradient_is_added_to_what_is_there() -> None:
    net, spikes = prepared(NETS["convolutional"])
    delta = torch.ones(len(spikes), spikes.shape[1], net.stack[0].neurons, dtype=torch.float64)
    net.stack[0].accumulate_bias(delta)
    once = net.stack[0].bias.grad.clone()
    net.stack[0].accumulate_bias(delta)
    torch.testing.assert_close(net.stack[0].bias.grad, 2.0 * once)
    net.stack[0].bias.requires_grad_(False)
    net.stack[0].accumulate_bias(delta)
    torch.testing.assert_close(net.stack[0].bias.grad, 2.0 * once)
