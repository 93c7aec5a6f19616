"""Choice of recordings from the training part: those for validation, or only some of each speaker and class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from spikinggamma.errors import SpikingGammaError

__all__ = ["Labelled", "first_of_each", "hold_out"]


@runtime_checkable
class Labelled(Protocol):
    """What is held out by label and speaker: a recording, with events or before it has some."""

    @property
    def label(self) -> Any:
        """Its class, by number or name."""

    @property
    def speaker(self) -> str:
        """Its speaker."""

    @property
    def source(self) -> str:
        """Where it comes from, which puts recordings in order."""


AnyLabelled = TypeVar("AnyLabelled", bound=Labelled)


def hold_out(
    recordings: list[AnyLabelled], fraction: float, *, seed: int
) -> tuple[list[AnyLabelled], list[AnyLabelled]]:
    """Split recordings in two, with every pair of label and speaker in the same proportion (to within one recording).

    Args:
        recordings: All recordings; their order only affects the order of the result.
        fraction: Share of the second part, from 0 to below 1.
        seed: Seed of the choice.

    Returns:
        The larger part and the part held out, in the given order.
    """
    if not 0.0 <= fraction < 1.0:
        raise SpikingGammaError("validation_fraction", fraction, "from 0 to below 1")
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")
    strata: dict[tuple[Any, str], list[int]] = defaultdict(list)
    for index, recording in sorted(enumerate(recordings), key=lambda pair: pair[1].source):
        strata[recording.label, recording.speaker].append(index)
    rng = np.random.default_rng([seed, 0x5EED])
    groups = [strata[key] for key in sorted(strata)]
    held: set[int] = set()
    seen = 0
    # Rounding errors are carried over the strata in random order, so the total is exact and no class is favoured.
    for place in rng.permutation(len(groups)):
        group = groups[place]
        seen += len(group)
        wanted = round(seen * fraction) - len(held)
        held.update(rng.permutation(group)[:wanted].tolist())
    kept = [recording for index, recording in enumerate(recordings) if index not in held]
    return kept, [recording for index, recording in enumerate(recordings) if index in held]


def first_of_each(recordings: Sequence[AnyLabelled], limit: int) -> list[AnyLabelled]:
    """Return the first `limit` recordings of each pair of label and speaker, by their sources, in the given order."""
    seen: Counter[tuple[Any, str]] = Counter()
    kept: set[str] = set()
    for recording in sorted(recordings, key=lambda recording: recording.source):
        seen[recording.label, recording.speaker] += 1
        if seen[recording.label, recording.speaker] <= limit:
            kept.add(recording.source)
    return [recording for recording in recordings if recording.source in kept]
