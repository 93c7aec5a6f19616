"""The variants *whole*, *part* and *norm* of recorded data for training, with the same number of channels in all three.

`data normalise` writes the variants as files with renumbered channels. Here a channel keeps its number, and channels that
*norm* and *part* drop are silent. The procedure is that of `spikinggamma.events.timing_only` with statistics of the training
part; `data.seed` determines the choice of spikes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits, pool_channels, timing_only

__all__ = ["variant_of"]


def variant_of(splits: Splits, variant: str, *, n_channels: int, seed: int) -> Splits:
    """Return the recordings of one variant, in three parts.

    Args:
        splits: Recordings with one label each.
        variant: "whole", "part" or "norm".
        n_channels: Neighbouring channels are first summed to this number; 0 keeps all.
        seed: Seed of the choice of spikes and recordings.

    Raises:
        SpikingGammaError: Recordings have labels by step, or no channel has a spike in every recording.
    """
    if any(recording.label < 0 for part in splits for recording in part):
        raise SpikingGammaError("data.variant", repr(variant), '"", as these recordings have no single class')
    if n_channels:
        splits = Splits(*([pool_channels(recording, n_channels) for recording in part] for part in splits))
    if variant == "whole":
        return splits
    found = timing_only(splits, seed=seed)
    chosen: Splits = getattr(found, variant)
    return Splits(*([_numbered(recording, found.channels, splits.train[0]) for recording in part] for part in chosen))


def _numbered(recording: Recording, channels: Int[np.ndarray, " M"], before: Recording) -> Recording:
    """Return the recording with the channel numbers and the camera shape of `before`."""
    return replace(recording, channels=channels[recording.channels], n_channels=before.n_channels, shape=before.shape)
