"""Recordings as events: binning into steps, batches of different length, perturbations."""

from __future__ import annotations

from spikinggamma.events import perturb
from spikinggamma.events.augment import Augment
from spikinggamma.events.batching import Batch, batches, make_batch
from spikinggamma.events.binning import bin_events, bin_recording, n_steps
from spikinggamma.events.gathering import Gathered, gather
from spikinggamma.events.recording import Recording, SensorShape
from spikinggamma.events.splits import Splits
from spikinggamma.events.timing_only import TimingOnly, channel_counts, timing_only

__all__ = [
    "Augment",
    "Batch",
    "Gathered",
    "Recording",
    "SensorShape",
    "Splits",
    "TimingOnly",
    "batches",
    "bin_events",
    "bin_recording",
    "channel_counts",
    "gather",
    "make_batch",
    "n_steps",
    "perturb",
    "timing_only",
]
