"""Orders and averages against values worked out by hand."""

from __future__ import annotations

import numpy as np

from spikinggamma.report.activity.neuron_order import centre_of_mass, order_by_peak, smooth


def test_neurons_are_ordered_by_their_peak_and_silent_ones_come_last() -> None:
    rates = np.zeros((50, 4))
    rates[40, 0] = rates[10, 2] = rates[25, 3] = 1.0
    assert order_by_peak(rates, 20.0).tolist() == [2, 3, 0, 1]


def test_smoothing_leaves_a_constant_alone_even_at_the_edges() -> None:
    np.testing.assert_allclose(smooth(np.full((30, 2), 3.0), 2.0), 3.0)


def test_smoothing_averages_over_twenty_milliseconds() -> None:
    rates = np.zeros((100, 1))
    rates[50] = 1.0
    np.testing.assert_allclose(smooth(rates, 2.0).max(), 0.1)


def test_smoothing_keeps_the_length_of_a_recording_shorter_than_its_window() -> None:
    assert smooth(np.ones((3, 2)), 1.0).shape == (3, 2)


def test_the_centre_of_mass_weighs_by_size_and_falls_back_to_the_plain_mean() -> None:
    weights = np.array([[1.0, 0.0, -1.0], [1.0, 0.0, -3.0]])
    np.testing.assert_allclose(centre_of_mass(weights, np.array([0.0, 8.0])), [4.0, 4.0, 6.0])
