"""Functions that all generators share: balanced labels, three independent parts, and recordings from flat events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.tasks.registry import Parts

__all__ = ["balanced_labels", "check_draw", "recordings_of", "three_parts"]


def check_draw(n_samples: int, seed: int) -> None:
    """Raise an error for an empty draw, or for a seed that numpy does not accept."""
    if n_samples < 1:
        raise SpikingGammaError("n_samples", n_samples, "at least 1")
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")


def balanced_labels(rng: np.random.Generator, n_samples: int, n_classes: int) -> Int[np.ndarray, " S"]:
    """Return labels with every class equally often, to within one, in random order."""
    return rng.permutation(np.arange(n_samples) % n_classes)


def three_parts(make: Callable[..., list[Recording]], options: Parts, seed: int, salt: int) -> Splits:
    """Generate three independent parts by a task's `make`, as large as the options say.

    Args:
        make: Takes `n_samples`, `seed` and the options that are none of `Parts`.
        options: Options of the task.
        seed: Seed of all random numbers.
        salt: Keeps the seeds of one task from those of another.

    Raises:
        SpikingGammaError: A negative seed.
    """
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")
    seeds = np.random.SeedSequence([seed, salt]).generate_state(3, np.uint64)
    sizes = (options.n_train, options.n_validation, options.n_test)
    own = {key: value for key, value in options if key not in Parts.model_fields}
    return Splits(*(make(n_samples=n, seed=int(part), **own) for n, part in zip(sizes, seeds, strict=True)))


def recordings_of(
    samples: Int[np.ndarray, " E"],
    times_ms: Int[np.ndarray, " E"],
    channels: Int[np.ndarray, " E"],
    *,
    labels: Int[np.ndarray, " S"],
    n_channels: int,
    duration_ms: int,
    source: str,
) -> list[Recording]:
    """Return one recording for each label, made of the events of its sample, given in any order at whole milliseconds."""
    order = np.argsort(samples * duration_ms + times_ms, kind="stable")
    times_us, channels = times_ms[order] * 1000, channels[order].astype(np.int32)
    ends = np.cumsum(np.bincount(samples, minlength=len(labels)))
    return [
        Recording(
            times_us[start:end], channels[start:end], n_channels, duration_ms * 1000, int(label), source=f"{source}/{i}"
        )
        for i, (start, end, label) in enumerate(zip([0, *ends[:-1]], ends, labels, strict=True))
    ]
