"""Geometric augmentation of a camera's recordings: shift, rotation and zoom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import Gathered
from spikinggamma.events.perturb import keep

__all__ = ["Move", "move_pixels"]


class Move(NamedTuple):
    """Upper limits of the random movement: shift in pixels, rotation in degrees, and zoom as a share."""

    pixel_shift: float
    rotation_deg: float
    zoom: float


def move_pixels(events: Gathered, most: Move, rng: np.random.Generator) -> Gathered:
    """Move each recording by its own random shift, rotation and zoom within `most`; times and polarities are kept.

    Positions are rounded to whole pixels; events that leave the sensor are lost.

    Args:
        events: Events of recordings of one camera.
        most: Upper limits of the movement.
        rng: Random generator.

    Raises:
        SpikingGammaError: The recordings are not all from one camera.
    """
    if not events.shape:
        raise SpikingGammaError("recordings", "channels in a list", "recordings of one camera, whose pixels can move")
    polarity, y, x = np.unravel_index(events.channels, events.shape)
    _, height, width = events.shape
    count = len(events.durations_us)
    shift_y, shift_x = rng.uniform(-most.pixel_shift, most.pixel_shift, size=(2, count))
    angle = np.deg2rad(rng.uniform(-most.rotation_deg, most.rotation_deg, size=count))
    factor = rng.uniform(1.0 - most.zoom, 1.0 + most.zoom, size=count)
    cosine, sine = (factor * np.cos(angle))[events.samples], (factor * np.sin(angle))[events.samples]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    from_y, from_x = y - middle_y, x - middle_x
    new_y = np.rint(cosine * from_y + sine * from_x + middle_y + shift_y[events.samples]).astype(np.int64)
    new_x = np.rint(cosine * from_x - sine * from_y + middle_x + shift_x[events.samples]).astype(np.int64)
    inside = (new_y >= 0) & (new_y < height) & (new_x >= 0) & (new_x < width)
    channels = ((polarity * height + new_y) * width + new_x).astype(np.int32)
    return keep(events._replace(channels=np.where(inside, channels, 0).astype(np.int32)), inside)
