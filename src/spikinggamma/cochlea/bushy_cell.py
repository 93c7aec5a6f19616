"""Bushy cells, which combine many unreliable nerve fibres into one reliable spike train.

Each of the forty fibres of a place spikes with probability P in a sample and is then silent for 1 ms. All forty
converge on one leaky integrate-and-fire cell (with s spikes of the fibres in this sample and weight w per fibre):

    I <- I exp(-Δt/τ_syn) + s
    V <- V exp(-Δt/τ_m) + w Δt I          a spike at V >= 1, then V is held at 0 for 1 ms

Parameters are those of Cramer, Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407.

The fibres of a place are identical, so only the number of ready ones matters: their spikes in a sample are one binomial
draw Bin(ready, P), and the fibres that spiked are ready again 1 ms later. This is the same distribution as that of
forty separate draws. A draw inverts one uniform number of 24 bits, so its probabilities are correct to 1e-6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt64

from spikinggamma.cochlea.compiled import cells_of_probability, origins
from spikinggamma.errors import SpikingGammaError

__all__ = ["N_FIBRES", "BushyCells", "bushy_cells", "bushy_spikes", "padded"]

N_FIBRES = 40
_MOST_FIBRES = 64
_TAU_MEMBRANE_S = 1e-3
_TAU_SYNAPSE_S = 0.5e-3
_DEAD_S = 1e-3
_WEIGHT = 13_000.0
_LANES = 16  # a multiple of this number of channels fills all vector lanes of a processor


class BushyCells(NamedTuple):
    """State of the cells of some channels between two samples, as the compiled loops need it, and constants."""

    origin: UInt64[np.ndarray, " lanes"]  # start of each channel's random numbers
    state: Float[np.ndarray, "4 lanes"]  # float32: fibres ready, current, voltage, samples to be held
    resting: Float[np.ndarray, "dead lanes"]  # float32, a ring: fibres that fired at each sample of a dead time
    constants: tuple[np.float32, np.float32, np.float32]  # exp(-Δt/τ_syn), exp(-Δt/τ_m), w Δt

    def most_spikes(self, n_samples: int) -> int:
        """Return the largest possible number of spikes in `n_samples` samples."""
        dead, lanes = self.resting.shape
        return int(lanes * (n_samples // (dead + 1) + 1))


def padded(channels: Int[np.ndarray, " C"]) -> Int[np.ndarray, " lanes"]:
    """Return channels padded with -1 to full lanes."""
    return np.pad(channels, (0, -len(channels) % _LANES), constant_values=-1)


def bushy_cells(
    channels: Int[np.ndarray, " lanes"], step_s: float, *, seed: int, n_fibres: int = N_FIBRES
) -> BushyCells:
    """Return cells at rest, one for each of these channels.

    Args:
        channels: Number of each channel, padded.
        step_s: Length of a sample in seconds.
        seed: Seed of the random numbers.
        n_fibres: Number of fibres per cell.

    Raises:
        SpikingGammaError: There are more fibres than 64, or a sample is longer than the dead time.
    """
    if not 1 <= n_fibres <= _MOST_FIBRES:
        raise SpikingGammaError("n_fibres", n_fibres, f"1 to {_MOST_FIBRES}")
    # The dead time counts whole samples after the one with the spike.
    dead = round(_DEAD_S / step_s)
    if dead < 1:
        raise SpikingGammaError("step_s", step_s, f"samples no longer than the dead time of {_DEAD_S} s")
    state = np.zeros((4, len(channels)), dtype=np.float32)
    state[0] = n_fibres
    return BushyCells(
        origins(np.uint64(seed), channels),
        state,
        np.zeros((dead, len(channels)), dtype=np.float32),
        (
            np.float32(np.exp(-step_s / _TAU_SYNAPSE_S)),
            np.float32(np.exp(-step_s / _TAU_MEMBRANE_S)),
            np.float32(_WEIGHT / n_fibres * step_s),
        ),
    )


def bushy_spikes(
    probability: Float[np.ndarray, "C S"], step_s: float, *, seed: int, first_channel: int = 0, n_fibres: int = N_FIBRES
) -> Int[np.ndarray, "E 2"]:
    """Return the spikes of one bushy cell per channel.

    The random numbers of a channel depend only on `seed` and its own number, so channels can be computed in any
    grouping.

    Args:
        probability: Spike probability of a fibre per channel and sample, [C, S].
        step_s: Length of a sample in seconds.
        seed: Seed of this sound, an integer from 0 to 2**64 - 1.
        first_channel: Number of the first given channel, if only some are computed.
        n_fibres: Number of fibres per cell, at most 64; the total weight stays the same.

    Shapes:
        probability [C, S]; result int64 [E, 2] of (channel counted from 0 here, sample), ordered by channel, then time.

    Raises:
        SpikingGammaError: As `bushy_cells`.
    """
    n_channels, n_samples = probability.shape
    channels = padded(first_channel + np.arange(n_channels))
    lanes = np.zeros((n_samples, len(channels)), dtype=np.float32)
    lanes[:, :n_channels] = probability.T
    cells = bushy_cells(channels, step_s, seed=seed, n_fibres=n_fibres)
    found = np.empty(cells.most_spikes(n_samples), dtype=np.int64)
    n_found = cells_of_probability(lanes, *cells, found)
    samples, places = np.divmod(found[:n_found], len(channels))
    order = np.lexsort((samples, places))
    return np.stack([places[order], samples[order]], axis=1)
