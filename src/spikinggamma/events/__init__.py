"""Recordings as events: binning into steps, batches of recordings of different length, and perturbations."""

from __future__ import annotations

from spikinggamma.events import perturb
from spikinggamma.events.augment import Augment
from spikinggamma.events.batching import Batch, EpochBatches, batches, make_batch
from spikinggamma.events.binning import bin_events, bin_events_sparse, bin_recording, n_steps, pictures
from spikinggamma.events.gathering import Gathered, gather
from spikinggamma.events.perturbation import Perturbation, parse_perturbation, perturbed
from spikinggamma.events.perturbation_registry import PERTURBATIONS, register_perturbation
from spikinggamma.events.pooling import pool_channels, pool_pixels
from spikinggamma.events.recording import Recording, SensorShape, Splits
from spikinggamma.events.structured import from_structured, from_tonic, sensor_size, to_structured
from spikinggamma.events.timing_only import TimingOnly, channel_counts, timing_only
from spikinggamma.events.timing_only_as_published import (
    BIN_MS,
    N_BINS,
    AsPublished,
    from_bins,
    published_parts,
    timing_only_as_published,
)
from spikinggamma.registry import import_modules

__all__ = [
    "BIN_MS",
    "N_BINS",
    "PERTURBATIONS",
    "AsPublished",
    "Augment",
    "Batch",
    "EpochBatches",
    "Gathered",
    "Perturbation",
    "Recording",
    "SensorShape",
    "Splits",
    "TimingOnly",
    "batches",
    "bin_events",
    "bin_events_sparse",
    "bin_recording",
    "channel_counts",
    "from_bins",
    "from_structured",
    "from_tonic",
    "gather",
    "make_batch",
    "n_steps",
    "parse_perturbation",
    "perturb",
    "perturbed",
    "pictures",
    "pool_channels",
    "pool_pixels",
    "published_parts",
    "register_perturbation",
    "sensor_size",
    "timing_only",
    "timing_only_as_published",
    "to_structured",
]

import_modules(__name__, __path__)
