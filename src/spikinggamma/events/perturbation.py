"""Perturbations by name, which test what timing a trained net relies on.

| text | effect on every recording, see `spikinggamma.events.perturb` |
| --- | --- |
| `jitter=5ms` | every spike moves by its own normal deviate of 5 ms |
| `channel_jitter=5ms` | all spikes of a channel move together |
| `deletion=0.2` | every spike is deleted with probability 0.2 |
| `replacement=0.5` | every spike is moved to a random time with probability 0.5; counts stay |
| `reversal` | time is reversed between the first and the last spike |

Every recording has its own random stream, so that its spikes depend on the seed and on its index in the data set, not on
batches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import perturb
from spikinggamma.events.gathering import Gathered, gather
from spikinggamma.events.recording import Recording

__all__ = ["Perturbation", "parse_perturbation", "perturbed"]

_Change = Callable[[Gathered, float, np.random.Generator], Gathered]
_IN_MS: dict[str, _Change] = {"jitter": perturb.jitter_spikes, "channel_jitter": perturb.jitter_channels}
_SHARES: dict[str, _Change] = {"deletion": perturb.delete, "replacement": perturb.replace}
_EXPECTED = "jitter=5ms, channel_jitter=5ms, deletion=0.2, replacement=0.5 or reversal"
_MOST_MS = 60_000.0
_SALT = 0x9E7
# These move time, so that the labels of steps would no longer fit.
_UNLABELLED = ("channel_jitter", "reversal")


class Perturbation(NamedTuple):
    """A perturbation with its level, in ms or as a share, if it has one."""

    name: str
    level: float = 0.0

    def __str__(self) -> str:
        if self.name in _IN_MS:
            return f"{self.name}={self.level:g}ms"
        return f"{self.name}={self.level:g}" if self.name in _SHARES else self.name


def parse_perturbation(text: str, *, argument: str = "perturb") -> Perturbation:
    """Parse a perturbation from text; `argument` is its name in error messages.

    Raises:
        SpikingGammaError: The perturbation is unknown, or its level is missing or out of range.

    Example:
        >>> parse_perturbation("jitter=5ms")
        Perturbation(name='jitter', level=5.0)
    """
    name, equals, value = text.strip().partition("=")
    if name == "reversal" and not equals:
        return Perturbation(name)
    number = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ms)?", value.replace(" ", ""))
    if number is not None and name in _IN_MS and float(number[1]) <= _MOST_MS:
        return Perturbation(name, float(number[1]))
    if number is not None and name in _SHARES and number[2] is None and float(number[1]) <= 1.0:
        return Perturbation(name, float(number[1]))
    raise SpikingGammaError(argument, repr(text), _EXPECTED, f"Times go up to {_MOST_MS:g} ms, shares from 0 to 1.")


def perturbed(
    recordings: Sequence[Recording], perturbations: Sequence[Perturbation], *, seed: int = 0
) -> list[Recording]:
    """Return the recordings with all perturbations applied, one after the other.

    Raises:
        SpikingGammaError: The seed is negative, or a perturbation moves time in recordings with labels by step.
    """
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")
    if not perturbations:
        return list(recordings)
    wrong = [one.name for one in perturbations if one.name in _UNLABELLED]
    if wrong and any(recording.step_labels is not None for recording in recordings):
        expected = "jitter, deletion or replacement, as every step of these recordings has a label of its own"
        raise SpikingGammaError("perturb", wrong[0], expected)
    return [_one(recording, perturbations, [seed, _SALT, index]) for index, recording in enumerate(recordings)]


def _one(recording: Recording, perturbations: Sequence[Perturbation], seed: list[int]) -> Recording:
    rng = np.random.default_rng(seed)
    events = gather([recording])
    for name, level in perturbations:
        change = _IN_MS.get(name) or _SHARES.get(name)
        events = perturb.reverse(events) if change is None else change(events, level, rng)
    order = np.argsort(events.times_us, kind="stable")
    return replace(
        recording,
        times_us=events.times_us[order],
        channels=events.channels[order],
        duration_us=int(events.durations_us[0]),
    )
