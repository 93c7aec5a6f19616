"""Reading and checking of sound files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from jaxtyping import Float

from spikinggamma.errors import SpikingGammaError

__all__ = ["Sound", "read_sound"]

_LOWEST_RATE_HZ = 4000
_PIECE = 1 << 20


class Sound(NamedTuple):
    """One channel of audio."""

    samples: Float[np.ndarray, " S"]  # float64
    rate_hz: int


def read_sound(path: Path) -> Sound:
    """Read a mono sound file (WAV, FLAC or another format of libsndfile).

    Shapes:
        samples float64 [S], integers scaled to [-1, 1).

    Raises:
        SpikingGammaError: The file is missing, empty, truncated, not a sound file, stereo, silent, has a rate below 4000 Hz
            or samples that are not finite; the message names the file and the reason.

    Example:
        >>> read_sound(Path("7_jackson_3.wav")).samples.shape  # doctest: +SKIP
        (3457,)
    """
    name = str(path)
    if not path.is_file():
        raise SpikingGammaError(name, "a folder" if path.is_dir() else "no such file", "a sound file")
    if path.stat().st_size == 0:
        raise SpikingGammaError(name, "an empty file", "a sound file", "Fetch it again.")
    _check_whole(path)
    try:
        with soundfile.SoundFile(path) as file:
            channels, rate_hz, promised = file.channels, file.samplerate, file.frames
            # Read piece by piece, as a header may claim more samples than the file and memory hold.
            pieces = [file.read(_PIECE, dtype="float64", always_2d=True)]
            while len(pieces[-1]) == _PIECE:
                pieces.append(file.read(_PIECE, dtype="float64", always_2d=True))
    except soundfile.LibsndfileError as error:
        fault = f"not readable as sound ({error.error_string.removeprefix('Error : ').rstrip('.')})"
        raise SpikingGammaError(name, fault, "a WAV or FLAC file") from error
    samples = np.concatenate(pieces)
    if channels != 1:
        raise SpikingGammaError(name, f"{channels} channels", "one channel", "Mix it down to mono first.")
    if rate_hz < _LOWEST_RATE_HZ:
        raise SpikingGammaError(name, f"a rate of {rate_hz} Hz", f"at least {_LOWEST_RATE_HZ} Hz")
    if len(samples) != promised:
        raise _cut_short(name, len(samples), promised, "samples")
    if len(samples) < 2:
        raise SpikingGammaError(name, f"{len(samples)} samples", "at least 2", "Fetch it again.")
    sound = samples[:, 0]
    if not np.isfinite(sound).all():
        place = int(np.flatnonzero(~np.isfinite(sound))[0])
        raise SpikingGammaError(name, f"{sound[place]} at sample {place}", "finite samples only")
    if not sound.any():
        raise SpikingGammaError(name, "silence (every sample is 0)", "a sound", "It cannot be normalised.")
    return Sound(sound, rate_hz)


def _check_whole(path: Path) -> None:
    """Raise an error for a truncated WAV file, which libsndfile would read without an error."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return
        file.seek(12)
        while len(header := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", header)
            held = size - file.tell()
            # A streaming writer that does not know the length leaves 0xFFFFFFFF, which cannot be checked.
            if kind == b"data":
                if length > held and length != 0xFFFFFFFF:
                    raise _cut_short(str(path), held, length, "bytes of samples")
                return
            file.seek(length + length % 2, 1)
    raise SpikingGammaError(str(path), "a WAV file without samples", "a whole file", "Fetch it again.")


def _cut_short(name: str, held: int, promised: int, what: str) -> SpikingGammaError:
    got = f"a file cut short: {held} {what}, though its header promises {promised}"
    return SpikingGammaError(name, got, "a whole file", "Fetch it again.")
