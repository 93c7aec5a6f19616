"""Sounds with names through the cochlea: what every data set of sounds does alike."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from pydantic import Field

from spikinggamma.cochlea import VERSION, Cochlea, convert
from spikinggamma.datasets.audio import Sound, read_sound
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.options import Options

__all__ = ["CochleaOptions", "cochlea_key", "hear", "hear_file", "own_seed"]


class CochleaOptions(Options):
    """Options of the conversion of sounds to spikes."""

    n_channels: int = Field(default=700, ge=1, le=10_000, description="number of places along the cochlea")
    c0: float = Field(
        default=1e9, gt=1e4, description="stiffness of the cochlea's base; the published values are 1e9 and 1e8"
    )
    ramp_ms: float | None = Field(
        default=None,
        ge=0.0,
        description="rise and fall of the window over each sound [ms]; none: they meet in the middle, the published tool's "
        "default (published spikes were very probably made with 30 ms)",
    )
    pre_emphasis_hz: float | None = Field(
        default=None,
        gt=0.0,
        lt=24_000.0,
        description="corner frequency of the high-pass filter before the cochlea [Hz]; none: as in the published tool",
    )
    cochlea_seed: int = Field(
        default=0, ge=0, description="seed of the release of spikes; a recording depends on this and its own name only"
    )

    def cochlea(self) -> Cochlea:
        """Return the cochlea with these parameters."""
        return Cochlea(self.n_channels, self.c0, self.ramp_ms, self.pre_emphasis_hz)


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
