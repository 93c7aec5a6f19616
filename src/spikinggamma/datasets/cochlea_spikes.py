"""Sounds with names through the cochlea: what every data set of sounds does alike."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from spikinggamma.cochlea import VERSION, Cochlea, convert
from spikinggamma.datasets.audio import Sound, read_sound
from spikinggamma.datasets.spike_maps import Spikes

__all__ = ["cochlea_key", "hear", "hear_file", "own_seed"]


def own_seed(seed: int, name: str) -> int:
    """A seed for everything that has a name, so neither order nor the number of threads matters.

    Example:
        >>> own_seed(0, "a") == own_seed(0, "a") != own_seed(0, "b")
        True
    """
    return int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(), "little")


def hear(sound: Sound, name: str, cochlea: Cochlea, seed: int) -> Spikes:
    """The spikes of a sound; they depend on the cochlea, the seed and the name only."""
    return Spikes(*convert(sound.samples, sound.rate_hz, cochlea, seed=own_seed(seed, name)))


def hear_file(name: str, *, folder: Path, cochlea: Cochlea, cochlea_seed: int) -> Spikes:
    """The spikes of the file of this name in a folder.

    Raises:
        SpikingGammaError: What `read_sound` raises.
    """
    return hear(read_sound(folder / name), name, cochlea, cochlea_seed)


def cochlea_key(cochlea: Cochlea, seed: int) -> dict[str, object]:
    """What spikes owe to the cochlea, for the key of a cache."""
    return asdict(cochlea) | {"c0": float(cochlea.c0), "seed": seed, "version": VERSION}
