"""A perceptron on counts: whatever the order of spikes, the same answer, and other counts another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import CountNet


def net(**options: float) -> CountNet:
    return CountNet((5, 16, 8, 3), generator=torch.Generator().manual_seed(0), **options).double()


def spikes(steps: int = 20, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.poisson(torch.full((steps, batch, 5), 0.4, dtype=torch.float64), generator=generator)


@settings(max_examples=25, derandomize=True)
@given(seed=st.integers(0, 2**31 - 1))
def test_no_order_in_time_changes_the_answer_at_the_end(seed: int) -> None:
    made, said = net(), spikes()
    made.calibrate(said, dt_ms=1.0)
    generator = torch.Generator().manual_seed(seed)
    # Each channel of each recording has its spikes moved by itself.
    order = torch.rand(said.shape, generator=generator).argsort(0)
    moved = said.gather(0, order)
    assert torch.equal(made(moved, dt_ms=1.0)[0][-1], made(said, dt_ms=1.0)[0][-1])


@settings(max_examples=25, derandomize=True)
@given(channel=st.integers(0, 4), time=st.integers(0, 19))
def test_one_more_spike_is_seen_from_then_on_and_not_before(channel: int, time: int) -> None:
    made, said = net(), spikes()
    more = said.clone()
    more[time, 0, channel] += 1.0
    before, after = made(said, dt_ms=1.0)[0], made(more, dt_ms=1.0)[0]
    assert torch.equal(after[:time], before[:time])
    assert torch.equal(after[:, 1:], before[:, 1:])
    assert bool((after[time:, 0] != before[time:, 0]).any(1).all())


def test_it_is_a_perceptron_of_the_counts_so_far() -> None:
    made, said = net(), spikes()
    made.calibrate(said, dt_ms=1.0)
    counts = said.sum(0)
    scale = torch.maximum(counts.var(0, correction=0).sqrt(), counts.mean(0).clamp_min(1.0).sqrt())
    logits = made(said, dt_ms=1.0)[0]
    for t in (0, 7, 19):
        signal = (said[: t + 1].sum(0) - counts.mean(0)) / scale
        for layer in made.hidden:
            signal = (signal @ layer.weight.T + layer.bias).clamp_min(0.0)
        torch.testing.assert_close(logits[t], signal @ made.stack[-1].weight.T + made.stack[-1].bias)
    # Counts know no time step.
    assert torch.equal(made(said, dt_ms=7.0)[0], logits)


def test_chunks_equal_the_whole() -> None:
    made, said = net(dropout=0.4), spikes()
    start = made.initial_state(3, generator=torch.Generator().manual_seed(0))
    whole, end = made(said, start, dt_ms=1.0)
    for chunk in (1, 7):
        state, parts = start, []
        for part in said.split(chunk):
            logits, state = made(part, state, dt_ms=1.0)
            parts.append(logits)
        torch.testing.assert_close(torch.cat(parts), whole)
        assert torch.equal(state.counts, end.counts)


def test_calibration_looks_at_the_recordings_and_not_at_their_padding() -> None:
    said, lengths = spikes(), torch.tensor([20, 12, 5])
    valid = (torch.arange(20).unsqueeze(1) < lengths).unsqueeze(2)
    clean, padded = net(), net()
    clean.calibrate(said * valid, dt_ms=1.0)
    padded.calibrate(torch.where(valid, said, 9.0), dt_ms=1.0, lengths=lengths)
    for name in ("mean", "scale"):
        assert torch.equal(clean.get_buffer(name), padded.get_buffer(name))
    assert float(clean.get_buffer("scale").min()) >= 1.0
    assert clean.calibrate(said * 0.0, dt_ms=1.0) == [1.0, 1.0, 1.0]
    assert bool(clean(said, dt_ms=1.0)[0].isfinite().all())


def test_dropout_is_of_training_alone_and_units_do_not_spike() -> None:
    made = net(dropout=0.4)
    assert [mask is not None for mask in made.initial_state(3).masks] == [True, True]
    assert made.initial_state(3, dropout=False).masks == (None, None)
    assert made.eval().initial_state(3).masks == (None, None)
    activations, _ = made.run(spikes(), made.initial_state(3), 1.0)
    assert all(layer.counts is None for layer in activations.layers)
    assert [layer.neurons for layer in made.hidden] == [16, 8]


def test_initial_weights_are_the_generators_and_of_he_size() -> None:
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    one, other = (CountNet((400, 300, 2), generator=generator) for generator in generators)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert float(one.stack[0].weight.detach().std()) == pytest.approx((2.0 / 400) ** 0.5, rel=0.02)


def test_bad_input_is_named() -> None:
    made, said = net(), spikes()
    for wrong in (said[..., :4], said[:0]):
        with pytest.raises(SpikingGammaError, match=r"^`spikes`.*\[T, B, 5\]"):
            made(wrong, made.initial_state(3), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"^`spikes`.*float32"):
        made(said.float(), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"^`state`"):
        made(said, made.initial_state(4), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"^`sizes`"):
        CountNet((5,))
    with pytest.raises(SpikingGammaError, match=r"^`dropout`"):
        CountNet((5, 2), dropout=-0.1)
