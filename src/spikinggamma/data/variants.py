"""*whole*, *part* and *norm* of speech for training: the same channels, so that one net's size fits all three.

`data normalise` writes the variants as files, channels renumbered. Here a channel keeps its number, and those that *norm* and
*part* drop are silent. The published rule and its options are those of `spikinggamma.events.timing_only`; statistics come from
the training part, the choice of spikes from `data.seed`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits, pool_channels, timing_only

__all__ = ["variant_of"]


def variant_of(splits: Splits, variant: str, *, n_channels: int, seed: int) -> Splits:
    """The recordings of one variant, in three parts.

    Args:
        splits: Recordings with one label each.
        variant: "whole", "part" or "norm".
        n_channels: Neighbours are summed down to this many before; 0: as recorded.
        seed: Of the choice of spikes and recordings.

    Raises:
        SpikingGammaError: Labels by step, or no channel with a spike in every recording.
    """
    if any(recording.step_labels is not None for part in splits for recording in part):
        raise SpikingGammaError("data.variant", repr(variant), '"", as these recordings are labelled by step')
    if n_channels:
        splits = Splits(*([pool_channels(recording, n_channels) for recording in part] for part in splits))
    if variant == "whole":
        return splits
    found = timing_only(splits, seed=seed)
    chosen: Splits = getattr(found, variant)
    return Splits(*([_numbered(recording, found.channels, splits.train[0]) for recording in part] for part in chosen))


def _numbered(recording: Recording, channels: Int[np.ndarray, " M"], before: Recording) -> Recording:
    """The recording with its channels numbered, and on a camera placed, as `before`."""
    return replace(recording, channels=channels[recording.channels], n_channels=before.n_channels, shape=before.shape)
