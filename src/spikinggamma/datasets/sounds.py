"""Conversion of a user's own sound files, or of a folder of them, to spikes by the cochlea model.

Where a folder has subfolders of sounds, each of them is a class with the name of the subfolder. Otherwise files are named
`{label}_...`, and the text before the first underscore is the class; in `{label}_{speaker}_{take}`, as in the Free Spoken Digit
Dataset, the middle part is the speaker. Classes are numbered in the order of their names, and numbers by their value.

A recording's spikes depend on the cochlea, the seed and its own file name, and not on other files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets.cochlea_spikes import hear_file
from spikinggamma.datasets.heidelberg import HeidelbergFile
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording

__all__ = ["SUFFIXES", "read_sounds"]

SUFFIXES = (".wav", ".flac")
_AT_ONCE = 32


def read_sounds(
    path: Path | str, cochlea: Cochlea | None = None, *, seed: int = 0, progress: bool = True
) -> HeidelbergFile:
    """Convert a sound file, or all sound files in a folder; return their spikes and the names of their classes.

    Args:
        path: A WAV or FLAC file, or a folder of them.
        cochlea: Parameters; the defaults of the published tool if not given.
        seed: Seed of the random release of spikes.
        progress: Whether to show a progress bar on a terminal.

    Raises:
        SpikingGammaError: A file is not a sound, its name gives no label, or the folder has no sounds; the message names it.

    Example:
        >>> read_sounds("recordings").class_names[:3]  # doctest: +SKIP
        ('0', '1', '2')
    """
    path = Path(path)
    labelled = _labelled(path)
    names = tuple(sorted({label for _, label, _ in labelled}, key=_by_size))
    cochlea = cochlea or Cochlea()
    trains: list[Spikes] = []
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress_bar("sound to spikes", len(labelled), shown=progress) as advance,
    ):
        try:
            for first in range(0, len(labelled), _AT_ONCE):
                files = [file for file, _, _ in labelled[first : first + _AT_ONCE]]
                trains += pool.map(lambda file: _spikes(file, cochlea, seed), files)
                advance(len(files))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    top = path if path.is_dir() else path.parent
    recordings = [
        Recording(
            train.times_us,
            train.channels,
            cochlea.n_channels,
            train.duration_us,
            names.index(label),
            speaker=speaker,
            source=file.relative_to(top).as_posix(),
        )
        for train, (file, label, speaker) in zip(trains, labelled, strict=True)
    ]
    return HeidelbergFile(recordings, names)


def _labelled(path: Path) -> list[tuple[Path, str, str]]:
    """Return every sound file with its label and speaker."""
    if not path.exists():
        raise SpikingGammaError(str(path), "no such file or folder", "a sound file, or a folder of them")
    if path.is_file():
        label, speaker = _from_name(path)
        return [(path, label or path.stem, speaker)]
    here = _sounds_in(path)
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    below = [(file, folder.name, "") for folder in folders for file in _sounds_in(folder)]
    if here and below:
        got = f"sound files ({here[0].name} ...) beside folders of them ({below[0][1]} ...)"
        raise SpikingGammaError(
            str(path), got, "one or the other", "Move the files into folders named as their classes."
        )
    if below:
        return below
    if not here:
        raise SpikingGammaError(str(path), "no sound file in it or in its folders", f"files {' or '.join(SUFFIXES)}")
    named = [(file, *_from_name(file)) for file in here]
    for file, label, _ in named:
        if not label:
            remedy = "Name it so, or put every class into a folder of its own."
            raise SpikingGammaError(str(file), "a name without a label", "{label}_...", remedy)
    return named


def _sounds_in(folder: Path) -> Sequence[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_file() and entry.suffix.lower() in SUFFIXES and not entry.name.startswith(".")
    )


def _from_name(file: Path) -> tuple[str, str]:
    label, *rest = file.stem.split("_")
    return (label, rest[0] if len(rest) == 2 else "") if rest else ("", "")


def _by_size(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)


def _spikes(file: Path, cochlea: Cochlea, seed: int) -> Spikes:
    return hear_file(file.name, folder=file.parent, cochlea=cochlea, cochlea_seed=seed)
