"""Speech Commands, version 0.02: 35 English words by many speakers, converted to spikes by the cochlea model.

105 829 recordings of at most a second, 16 kHz mono, CC BY 4.0. Warden (2018), "Speech Commands: A Dataset for
Limited-Vocabulary Speech Recognition", arXiv 1804.03209.

Layout: `speech_commands/{word}/{speaker}_nohash_{take}.wav`, with `validation_list.txt` and `testing_list.txt` beside the
words: a line for each file of these parts, and all others are for training. No speaker is in two parts. Folders that begin
with `_`, such as `_background_noise_`, hold no words and are left out.

A recording in which every sample is 0 gives a recording without spikes and no error, as the published data has some.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from pydantic import Field

from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets.cache import Spikes, cache_root, cached_spikes
from spikinggamma.datasets.cochlea_spikes import CochleaOptions, cochlea_key, hear_file
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.heidelberg import CITATION as HEIDELBERG
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits

__all__ = ["INFO", "WORDS", "load"]

WORDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four", "go", "happy"),
    *("house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right", "seven", "sheila", "six", "stop"),
    *("three", "tree", "two", "up", "visual", "wow", "yes", "zero"),
)
_LISTS = ("validation_list.txt", "testing_list.txt")
_MARK = "_nohash_"
_ARCHIVE = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
_REMEDY = f"Unpack {_ARCHIVE} (2.4 GB) into `speech_commands` below the folder that SPIKINGGAMMA_DATA names."

INFO = Info(
    name="speech_commands",
    title="Speech Commands v0.02",
    n_classes=len(WORDS),
    class_names=WORDS,
    n_channels=700,
    size="105829 recordings",
    licence="CC BY 4.0",
    url=_ARCHIVE,
    citation="""@article{warden2018speech,
  author = {Warden, Pete},
  title = {Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition},
  journal = {arXiv preprint arXiv:1804.03209},
  year = {2018}
}""",
)


class SpeechCommandsOptions(CochleaOptions):
    """Options of the conversion of sounds to spikes, and of how many are used."""

    limit: int = Field(default=0, ge=0, description="largest number of recordings of a word in a part; 0: all")


def describe(options: SpeechCommandsOptions) -> Info:
    """Return the `Info` for these options of `load`."""
    return INFO._replace(n_channels=options.n_channels)


@register_dataset(INFO, options=SpeechCommandsOptions, describe=describe, behind=(HEIDELBERG,))
def load(options: SpeechCommandsOptions, how: Loading) -> Splits:
    """Load the words as spikes in their three published parts; they are converted on first use and cached.

    The cache identifies a file by its name, size and modification time.

    Args:
        options: How sounds become spikes, and how many of them.
        how: Its split is `official`, the only one; share and seed are without effect, as the validation part is
            published; its root holds the folder `speech_commands`.

    Raises:
        SpikingGammaError: The split is unknown, there are no recordings, a folder is not a word, a list or a listed file is
            missing, or a sound is damaged.

    Example:
        >>> splits = load(limit=20)  # doctest: +SKIP
        >>> len(splits.train)  # doctest: +SKIP
        700
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    cochlea, cochlea_seed = options.cochlea(), options.cochlea_seed
    folder = (data_root(how.root) or cache_root()) / INFO.name
    parts = [_first_of_each_word(part, options.limit) for part in _parts(folder)]
    names = sorted(name for part in parts for name in part)
    stats = {name: (folder / name).stat() for name in names}
    states = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()]
    key: dict[str, object] = {
        "files": hashlib.sha256(repr(states).encode()).hexdigest(),
        "cochlea": cochlea_key(cochlea, cochlea_seed),
    }
    with progress_bar("speech_commands: sound to spikes", len(names), shown=how.progress) as advance:
        make = partial(_spikes, folder=folder, cochlea=cochlea, cochlea_seed=cochlea_seed)
        found = cached_spikes(INFO.name, names, make, key=key, on_done=advance)
    by_name = dict(zip(names, found, strict=True))
    train, validation, test = ([_recording(name, by_name[name], options.n_channels) for name in part] for part in parts)
    return Splits(train, validation, test)


def _parts(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the names (`word/file`) of the training, validation and test recordings, in order."""
    if not folder.is_dir():
        raise SpikingGammaError(str(folder), "no such folder", "the recordings of Speech Commands", _REMEDY)
    words = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
    for word in words:
        if word not in WORDS:
            expected = f"one of the {len(WORDS)} words, {WORDS[0]} to {WORDS[-1]}"
            raise SpikingGammaError(str(folder / word), "a folder that is no word", expected, "Move it away.")
    names = sorted(f"{word}/{path.name}" for word in words for path in (folder / word).glob("*.wav"))
    for name in names:
        if _MARK not in name:
            raise SpikingGammaError(str(folder / name), "a name without a speaker", f"speaker{_MARK}take.wav")
    if not names:
        raise SpikingGammaError(str(folder), "no `.wav` file in the folders of the words", "recordings", _REMEDY)
    validation, test = (_listed(folder / name, set(names)) for name in _LISTS)
    both = sorted(validation & test)
    if both:
        raise SpikingGammaError(str(folder / _LISTS[1]), f"{both[0]}, which is in {_LISTS[0]} too", "different files")
    train = [name for name in names if name not in validation and name not in test]
    if not train:
        raise SpikingGammaError(str(folder), "every recording is on a list", "some for training", _REMEDY)
    return train, sorted(validation), sorted(test)


def _listed(path: Path, there: set[str]) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a list of recordings", _REMEDY) from error
    listed = {line.strip(): number for number, line in enumerate(lines, 1) if line.strip()}
    for name, number in listed.items():
        if name not in there:
            remedy = "Fetch the file, or take the line out for a smaller part."
            raise SpikingGammaError(str(path), f"{name!r} in line {number}, which is not there", "a recording", remedy)
    if not listed:
        raise SpikingGammaError(str(path), "an empty list", "a line for each recording", _REMEDY)
    return set(listed)


def _first_of_each_word(names: list[str], limit: int) -> list[str]:
    seen: Counter[str] = Counter()
    kept = []
    for name in names:
        word = name.partition("/")[0]
        seen[word] += 1
        if limit == 0 or seen[word] <= limit:
            kept.append(name)
    return kept


def _spikes(name: str, *, folder: Path, cochlea: Cochlea, cochlea_seed: int) -> Spikes:
    try:
        return hear_file(name, folder=folder, cochlea=cochlea, cochlea_seed=cochlea_seed)
    except SpikingGammaError as error:
        if not str(error.got).startswith("silence"):
            raise
        described = soundfile.info(folder / name)
        duration_us = round(described.frames / described.samplerate * 1e6)
        return Spikes(np.empty(0, np.int64), np.empty(0, np.int32), duration_us)


def _recording(name: str, spikes: Spikes, n_channels: int) -> Recording:
    word, _, file = name.partition("/")
    speaker = file.partition(_MARK)[0]
    times_us, channels, duration_us = spikes
    return Recording(times_us, channels, n_channels, duration_us, WORDS.index(word), speaker=speaker, source=name)
