"""The variants *whole*, *part* and *norm* of recorded data for training, with the same number of channels in all three.

`data normalise` writes the variants as files with renumbered channels. Here a channel keeps its number, and channels that
*norm* and *part* drop are silent. The procedure is that of `spikinggamma.events.timing_only` with statistics of the training
part, or the published one, `spikinggamma.events.timing_only_as_published`; `data.seed` determines the choice of spikes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from spikinggamma.datasets import PUBLISHED_REMOVAL, Removal
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import (
    AsPublished,
    Recording,
    Splits,
    TimingOnly,
    pool_channels,
    timing_only,
    timing_only_as_published,
)

__all__ = ["variant_of"]


def variant_of(
    splits: Splits, variant: str, *, n_channels: int, seed: int, removal: Removal = PUBLISHED_REMOVAL
) -> Splits:
    """Return the recordings of one variant, in three parts.

    Args:
        splits: Recordings with one label each.
        variant: "whole", "part" or "norm"; "whole_as_published" and so on by the published procedure, in which training and
            validation part are one file and the test part is another, both in random order, and speakers are mixed.
        n_channels: Neighbouring channels are first summed to this number; 0 keeps all.
        seed: Seed of the choice of spikes and recordings.
        removal: How many recordings the published procedure may remove.

    Raises:
        SpikingGammaError: Recordings have labels by step, or no channel has a spike in every recording.
    """
    if any(recording.label < 0 for part in splits for recording in part):
        raise SpikingGammaError("data.variant", repr(variant), '"", as these recordings have no single class')
    if n_channels:
        splits = Splits(*([pool_channels(recording, n_channels) for recording in part] for part in splits))
    name, is_published, _ = variant.partition("_as_published")
    if is_published:
        rng = np.random.default_rng([seed, 0xF1])
        files = [[*splits.train, *splits.validation], splits.test]
        shuffled = [[file[index] for index in rng.permutation(len(file))] for file in files]
        found: TimingOnly | AsPublished = timing_only_as_published(shuffled, seed=seed, **removal._asdict())
    elif name == "whole":
        return splits
    else:
        found = timing_only(splits, seed=seed)
    chosen: Splits = getattr(found, name)
    if name == "whole":
        return chosen
    return Splits(*([_numbered(recording, found.channels, splits.train[0]) for recording in part] for part in chosen))


def _numbered(recording: Recording, channels: Int[np.ndarray, " M"], before: Recording) -> Recording:
    """Return the recording with the channel numbers and the camera shape of `before`."""
    return replace(recording, channels=channels[recording.channels], n_channels=before.n_channels, shape=before.shape)
