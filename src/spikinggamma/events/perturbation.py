"""Perturbations by name, which test what timing a trained net relies on.

They are the entries of `PERTURBATIONS`, written NAME=LEVEL, as `jitter=5ms` or `deletion=0.2`, or NAME alone where there is no
level, as `reversal`; `spikinggamma perturbations` lists them.

Every recording has its own random stream, so that its spikes depend on the seed and on its index in the data set, not on
batches.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import gather
from spikinggamma.events.perturbation_registry import PERTURBATIONS
from spikinggamma.events.recording import Recording

__all__ = ["Perturbation", "parse_perturbation", "perturbation_words", "perturbed"]

_SALT = 0x9E7


class Perturbation(NamedTuple):
    """A perturbation with its level, in ms or as a share, if it has one."""

    name: str
    level: float = 0.0

    def __str__(self) -> str:
        return PERTURBATIONS[self.name].target.text(self.name, self.level)


def parse_perturbation(text: str, *, argument: str = "perturb") -> Perturbation:
    """Parse a perturbation from text; `argument` is its name in error messages.

    Raises:
        SpikingGammaError: The perturbation is unknown, or its level is missing or out of range.

    Example:
        >>> parse_perturbation("jitter=5ms")
        Perturbation(name='jitter', level=5.0)
    """
    name, equals, value = text.strip().partition("=")
    if name not in PERTURBATIONS:
        near = difflib.get_close_matches(name, PERTURBATIONS.names(), n=1)
        remedy = f"Did you mean `{near[0]}`?" if near else ""
        raise SpikingGammaError(argument, repr(text), perturbation_words(PERTURBATIONS.names()), remedy)
    kind = PERTURBATIONS[name].target
    if not kind.unit and not equals:
        return Perturbation(name)
    number = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ms)?", value.replace(" ", "")) if kind.unit else None
    if number is not None and (kind.unit == "ms" or number[2] is None) and float(number[1]) <= kind.most:
        return Perturbation(name, float(number[1]))
    range_ = (
        f"Levels go from 0 to {kind.most:g}{' ms' if kind.unit == 'ms' else ''}." if kind.unit else "It has no level."
    )
    raise SpikingGammaError(argument, repr(text), perturbation_words([name]), range_)


def perturbation_words(names: Sequence[str]) -> str:
    """Return the perturbations of these names as they are written, with a level each."""
    kinds = {name: PERTURBATIONS[name].target for name in names}
    written = [kind.text(name, kind.example) for name, kind in kinds.items()]
    return " or ".join([", ".join(written[:-1]), written[-1]] if len(written) > 1 else written)


def perturbed(
    recordings: Sequence[Recording], perturbations: Sequence[Perturbation], *, seed: int = 0
) -> list[Recording]:
    """Return the recordings with all perturbations applied, one after the other.

    Args:
        recordings: The recordings.
        perturbations: The perturbations, in this order.
        seed: Seed of the random numbers.

    Raises:
        SpikingGammaError: The seed is negative, or a perturbation moves time in recordings with labels by step.
    """
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")
    if not perturbations:
        return list(recordings)
    wrong = [one.name for one in perturbations if PERTURBATIONS[one.name].target.moves_time]
    if wrong and any(recording.step_us for recording in recordings):
        fit = [entry.name for entry in PERTURBATIONS.entries() if not entry.target.moves_time]
        expected = f"one of {', '.join(fit)}, as every step of these recordings has a label of its own"
        raise SpikingGammaError("perturb", wrong[0], expected)
    return [_one(recording, perturbations, [seed, _SALT, index]) for index, recording in enumerate(recordings)]


def _one(recording: Recording, perturbations: Sequence[Perturbation], seed: list[int]) -> Recording:
    rng = np.random.default_rng(seed)
    events = gather([recording])
    for name, level in perturbations:
        events = PERTURBATIONS[name].target(events, level, rng)
    order = np.argsort(events.times_us, kind="stable")
    return replace(
        recording,
        times_us=events.times_us[order],
        channels=events.channels[order],
        duration_us=int(events.durations_us[0]),
    )
