"""Intervals: Wilson's against a published table, and the bootstrap where it must agree with what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.evaluation import wilson_interval
from spikinggamma.evaluation.confidence import accuracy_interval


def test_the_interval_is_wilsons() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857, table I, method 3.
    for correct, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson_interval(correct, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(29, 29)[1] == pytest.approx(1.0)


def test_recordings_of_one_decision_get_wilsons() -> None:
    right = np.arange(60) < 45
    assert accuracy_interval(right, [1] * 60) == wilson_interval(45, 60)


def test_steps_of_one_recording_are_not_so_many_recordings() -> None:
    recordings = np.random.default_rng(3).random(80) < 0.7
    width = np.subtract(*wilson_interval(int(recordings.sum()), 80)[::-1])
    low, high = accuracy_interval(np.repeat(recordings, 50), [50] * 80)  # all steps of a recording right, or none
    assert high - low == pytest.approx(width, rel=0.15)
    assert low < recordings.mean() < high


def test_recordings_that_are_alike_leave_no_doubt() -> None:
    right = np.tile([True, True, False, True], 6)
    assert accuracy_interval(right, [4] * 6) == (0.75, 0.75)
