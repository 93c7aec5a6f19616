"""Coincidence task: which two of three groups of neurons are active at the same time?

60 neurons in 3 groups of 20. Time is cut into windows of 200 ms, in each of which a fair coin makes a group busy or quiet.
Two groups share that state, the third has the opposite one:

    class 0: groups 1, 2 v 3      class 1: groups 1, 3 v 2      class 2: groups 2, 3 v 1

In each window a group sends k spikes, each of another neuron, at even times from 50 to 149 ms of the window; k is Poisson
distributed about μ, cut off at 20:

    μ_busy = 12 (1 - λ) + 5 λ,   μ_quiet = 2 (1 - λ) + 5 λ

The difficulty is the overlap of the two distributions of k, `overlap` = Σ_k min(P_busy, P_quiet). It is 0.037 at λ = 0,
which is used for any smaller overlap, and 1 at λ = 1, where the classes are identical.

`coincidence_bounds` says what the classes have in common, where they differ, and what observers can reach.

Source: "Beyond Rate Coding" (arXiv 2507.16043).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import Field

from spikinggamma.bibliography import BEYOND_RATE
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options
from spikinggamma.options import Options
from spikinggamma.tasks.coincidence_bounds import GROUP, ceiling, counts_bound, floor, mixing, spike_probabilities
from spikinggamma.tasks.drawing import balanced_labels, check_draw, recordings_of, three_parts
from spikinggamma.tasks.registry import Bound, Description, Parts, part_size, register_task

__all__ = [
    "CoincidenceOptions",
    "CoincidenceParts",
    "ceiling",
    "counts_bound",
    "describe",
    "floor",
    "make",
    "mixing",
    "spike_probabilities",
    "splits",
]

_SALT = 0xC01
_WINDOW_MS, _FIRST_MS, _SPAN_MS = 200, 50, 100
# For each class, whether each group is in the opposite of the first group's state.
_OPPOSITE = np.array([[0, 0, 1], [0, 1, 0], [0, 1, 1]], dtype=bool)


class CoincidenceOptions(Options):
    """Options of the recordings of this task."""

    overlap: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="overlap of the two distributions of spikes per window (the paper's λ'); 0: as small as it gets",
    )
    n_windows: int = Field(default=20, ge=1, description="windows of 200 ms; the paper's 4 s have 20")


class CoincidenceParts(CoincidenceOptions, Parts):
    """Options of the recordings, and the sizes of the parts, which are the paper's 60, 15 and 25 % of 1500."""

    n_train: int = part_size(900, "training")
    n_validation: int = part_size(225, "validation")
    n_test: int = part_size(375, "test")


def make(*, n_samples: int, seed: int, **given: Any) -> list[Recording]:
    """Generate recordings with every class equally often (to within one), in random order; all times are whole milliseconds.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        **given: Options of `CoincidenceOptions`.

    Raises:
        SpikingGammaError: The overlap is out of range, or there is no sample or no window.

    Example:
        >>> one = make(n_samples=1, seed=0, overlap=0.5)[0]
        >>> one.n_channels, one.duration_us
        (60, 4000000)
    """
    check_draw(n_samples, seed)
    options = check_options(CoincidenceOptions, given, name="coincidence")
    n_windows = options.n_windows
    busy, quiet = spike_probabilities(options.overlap)
    rng = np.random.default_rng([seed, _SALT])
    labels = balanced_labels(rng, n_samples, 3)
    states = rng.integers(0, 2, size=(n_samples, n_windows, 1)).astype(bool) ^ _OPPOSITE[labels][:, None]
    draws = rng.random(states.shape)
    counts = np.where(states, np.searchsorted(_steps(busy), draws), np.searchsorted(_steps(quiet), draws))
    # The k neurons with the lowest of 20 random numbers are k different ones, any as likely as others.
    ranks = rng.random((*counts.shape, GROUP), dtype=np.float32).argsort(axis=-1)
    active = np.arange(GROUP) < counts[..., None]
    samples, windows, groups, _ = np.nonzero(active)
    times_ms = windows * _WINDOW_MS + _FIRST_MS + rng.integers(0, _SPAN_MS, size=len(windows))
    return recordings_of(
        samples,
        times_ms,
        groups * GROUP + ranks[active],
        labels=labels,
        n_channels=3 * GROUP,
        duration_ms=n_windows * _WINDOW_MS,
        source=f"coincidence {seed}",
    )


def describe(**given: Any) -> Description:
    """Describe the task with these options of `CoincidenceOptions`."""
    options = check_options(CoincidenceOptions, given, name="coincidence")
    overlap, n_windows = options.overlap, options.n_windows
    return Description(
        "Coincidence",
        3 * GROUP,
        ("groups 1 and 2", "groups 1 and 3", "groups 2 and 3"),
        (
            Bound(1 / 3, "chance, and all that one group or the number of all spikes can tell"),
            Bound(floor(overlap, n_windows), "the best guess from the spike counts of the three groups"),
        ),
        Bound(ceiling(overlap, n_windows), "the best guess from the spikes of every group in every window"),
    )


@register_task(
    "coincidence",
    options=CoincidenceParts,
    describe=describe,
    summary="Which two of three groups of neurons are busy at the same time?",
    citations=(BEYOND_RATE,),
)
def splits(*, seed: int, **given: Any) -> Splits:
    """Generate three independent parts by `make`, with these options of `CoincidenceParts`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, check_options(CoincidenceParts, given, name="coincidence"), seed, _SALT)


def _steps(probabilities: Float[np.ndarray, " 21"]) -> Float[np.ndarray, " 20"]:
    """Return the distribution function without its last value, 1, which rounding could put below a draw."""
    return np.cumsum(probabilities)[:-1]
