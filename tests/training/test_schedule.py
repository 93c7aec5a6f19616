"""The step size follows its closed form; seeds make independent streams and leave the caller's alone."""

from __future__ import annotations

import math

import pytest
import torch

from spikinggamma.recipes import Learning
from spikinggamma.seeds import derive_seed, random_stream
from spikinggamma.training import learning_rate


def test_cosine_starts_at_the_top_and_halves_in_the_middle() -> None:
    learning = Learning(schedule="cosine", learning_rate=0.1)
    rates = [learning_rate(learning, progress=p, epochs=10) for p in (0.0, 5.0, 10.0, 11.0)]
    assert rates == pytest.approx([0.1, 0.1 * 0.505, 0.001, 0.001])


def test_warmup_rises_linearly_and_meets_the_cosine() -> None:
    learning = Learning(schedule="warmup_cosine", learning_rate=0.1, warmup_epochs=2.0)
    rates = [learning_rate(learning, progress=p, epochs=10) for p in (0.0, 1.0, 2.0, 6.0, 10.0)]
    assert rates == pytest.approx([0.001, 0.05, 0.1, 0.1 * 0.505, 0.001])
    after = learning_rate(learning, progress=4.0, epochs=10)
    assert after == pytest.approx(0.1 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi / 4))))


def test_linear_falls_in_a_straight_line() -> None:
    learning = Learning(schedule="linear", learning_rate=0.1)
    rates = [learning_rate(learning, progress=p, epochs=10) for p in (0.0, 2.5, 5.0, 10.0, 11.0)]
    assert rates == pytest.approx([0.1, 0.1 * 0.7525, 0.1 * 0.505, 0.001, 0.001])


def test_constant_is_constant() -> None:
    learning = Learning(schedule="constant", learning_rate=0.1)
    assert {learning_rate(learning, progress=p, epochs=10) for p in (0.0, 5.0, 10.0)} == {0.1}


def test_seeds_depend_on_everything_and_streams_do_not_leak() -> None:
    seeds = {derive_seed(seed, what, epoch) for seed in (0, 1) for what in ("a", "b") for epoch in (0, 1, 2)}
    assert len(seeds) == 12
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    inside = torch.rand(2, generator=random_stream(0, "dropout", 1))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(torch.rand(2, generator=random_stream(0, "dropout", 1)), inside)
