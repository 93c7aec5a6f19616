"""HD through our cochlea: the Heidelberg Digits, spoken in English and German, as spikes of this library's cochlea.

These are the 10,420 recordings behind the Spiking Heidelberg Digits (SHD), 48 kHz, 12 speakers, 20 classes: Cramer,
Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407. The cochlea is this library's own, with ramps of 30 ms: results
stand beside those on SHD, but are not results on SHD.

Below the data root, in `hd`, are either

- converted files, `hd_train.h5` and `hd_test.h5`, in the layout of SHD (see `spikinggamma.datasets.heidelberg`) with
  each recording's file name in `extra/sources` or `extra/source`; `spikinggamma data convert hd OUT` writes them. It
  does not matter which recording is in which file. A file that does not say how it was made is taken to be made with
  the default options;
- or the sounds, `lang-{english|german}_speaker-{00..11}_trial-{n}_digit-{d}.flac`, in any folder; they are converted on
  first use and cached. Where no data root is named, the published archive is downloaded; its checksum is not known.

| split | test | validation |
| --- | --- | --- |
| `unseen` | speakers 4 and 5, all 1840 recordings | a share of the other speakers' recordings |
| `strict` | the same | speakers 8 and 9, or others: `strict:A/B` |
| `mixed` | the same and 5 % of the others', as many as published | a share of those left |
| `official` | the published list, `test_filenames.txt` beside the recordings | a share of `train_filenames.txt` |

A share is drawn in the same proportion of every speaker and digit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from glob import glob
from pathlib import Path

from pydantic import Field

from spikinggamma.datasets.audio import read_sound
from spikinggamma.datasets.cache import Spikes, cache_root, cached_spikes
from spikinggamma.datasets.cochlea_spikes import CochleaOptions, cochlea_key, hear
from spikinggamma.datasets.download import data_root, ensure_unpacked
from spikinggamma.datasets.heidelberg import CITATION, HOST, URL, load_files, made_with
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.registry import Floor, Info, Loading, register_dataset
from spikinggamma.datasets.shd import INFO as SHD
from spikinggamma.datasets.splits import first_of_each, hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options

__all__ = ["INFO", "SPLITS", "load"]

_LOG = logging.getLogger(__name__)
_ARCHIVE = f"{HOST}/hd_audio.tar.gz"
_NAME = re.compile(r"lang-(english|german)_speaker-(\d+)_trial-\d+_digit-(\d)\.flac")
_FORM = "lang-{english|german}_speaker-{00..11}_trial-{n}_digit-{d}.flac"
_LISTS = {"train": "train_filenames.txt", "test": "test_filenames.txt"}
_COUNT = 10_420
_SPEAKERS = tuple(str(number) for number in range(12))
_TESTED, _VALIDATED = ("4", "5"), ("8", "9")
_MIXED_SHARE = 0.05
# Of logistic regression on the spikes of the bundled recipe.
_FLOORS = (
    Floor(0.536, "logistic regression on spike counts alone", "python benchmarks/hd_floors.py", "unseen"),
    Floor(0.759, "logistic regression on coarse time bins", "python benchmarks/hd_floors.py", "unseen"),
)
SPLITS = ("unseen", "strict", "mixed", "official")

INFO = Info(
    name="hd",
    title="HD through our cochlea (Heidelberg Digits)",
    n_classes=20,
    class_names=SHD.class_names,
    n_channels=700,
    size=f"{_COUNT} recordings",
    licence="CC BY 4.0",
    url=URL,
    citation=CITATION,
)


class HeidelbergDigitsOptions(CochleaOptions):
    """Options of the conversion of sounds to spikes, and of how many are learnt from."""

    ramp_ms: float | None = Field(
        default=30.0,
        ge=0.0,
        description="rise and fall of the window over each sound [ms]; none: they meet in the middle",
    )
    limit: int = Field(
        default=0,
        ge=0,
        description="largest number of recordings of each speaker and digit for training and validation; 0: all",
    )


def describe(options: HeidelbergDigitsOptions) -> Info:
    """Return the `Info` for these options of `load`."""
    return INFO._replace(n_channels=options.n_channels)


@register_dataset(INFO, options=HeidelbergDigitsOptions, describe=describe, floors=_FLOORS, reads_converted=True)
def load(options: HeidelbergDigitsOptions, how: Loading) -> Splits:
    """Load the digits as spikes in three parts, from converted files or from the sounds.

    Args:
        options: Options of the conversion.
        how: Its split is one of `SPLITS`, or `strict:A/B` to validate on speakers A and B; its root holds the folder
            `hd`.

    Raises:
        SpikingGammaError: The split is unknown, a list is missing, a file is damaged or was made with other options, or
            there are no recordings.

    Example:
        >>> [len(part) for part in load(split="unseen")]  # doctest: +SKIP
        [7722, 858, 1840]
    """
    validated = _validated_speakers(how.split)
    folder = (data_root(how.root) or cache_root()) / INFO.name
    converted = _converted(folder, options)
    read = load_files(describe(options), converted) if converted else [_heard(options, how)]
    recordings = [one for part in read for one in part]
    _check(recordings, folder)
    if how.split == "official":
        rest, test = _listed(folder, recordings)
    else:
        test = [one for one in recordings if one.speaker in _TESTED]
        rest = [one for one in recordings if one.speaker not in _TESTED]
    if how.split == "mixed":  # whatever the seed, so that all are tested on the same recordings
        rest, known = hold_out(rest, _MIXED_SHARE, seed=0)
        test = test + known
    rest = first_of_each(rest, options.limit) if options.limit else rest
    if validated:
        train = [one for one in rest if one.speaker not in validated]
        return Splits(train, [one for one in rest if one.speaker in validated], test)
    train, validation = hold_out(rest, how.validation_fraction, seed=how.seed)
    return Splits(train, validation, test)


def _validated_speakers(split: str) -> tuple[str, ...]:
    """Return the speakers that are held out for validation, none for most splits."""
    kind, colon, names = split.partition(":")
    if kind == "strict":
        chosen = tuple(names.split("/")) if colon else _VALIDATED
        if set(chosen) <= set(_SPEAKERS) - set(_TESTED):
            return chosen
    elif split in SPLITS:
        return ()
    others = "'strict:A/B' with two speakers of 0 to 11 but 4 and 5"
    raise SpikingGammaError("split", repr(split), f"one of {', '.join(map(repr, SPLITS))}, or {others}")


def _converted(folder: Path, options: HeidelbergDigitsOptions) -> list[Path]:
    """Return the converted files; none if there are no such files, or if sounds are there for these other options."""
    found = [path for part in Splits._fields if (path := folder / f"{INFO.name}_{part}.h5").is_file()]
    missing = [path for part in _LISTS if (path := folder / f"{INFO.name}_{part}.h5") not in found]
    if found and missing:
        remedy = "Convert the sounds again: spikinggamma data convert hd."
        raise SpikingGammaError(str(missing[0]), f"no such file beside {found[0].name}", "both files", remedy)
    for path in found:
        said = _options_of(path)
        differing = [name for name in CochleaOptions.model_fields if getattr(options, name) != getattr(said, name)]
        if differing:
            if _sounds(folder):
                return []
            got = ", ".join(f"{name} = {getattr(said, name)}" for name in differing)
            expected = ", ".join(f"{name} = {getattr(options, name)}" for name in differing)
            remedy = "Put the sounds beside the file, or ask for the options that it was made with."
            raise SpikingGammaError(str(path), f"spikes with {got}", expected, remedy)
    return found


def _options_of(path: Path) -> HeidelbergDigitsOptions:
    """Return the options with which a converted file was made; the default ones where it does not say."""
    text = made_with(path)
    try:
        return check_options(HeidelbergDigitsOptions, json.loads(text)["options"] if text else {}, name=INFO.name)
    except (ValueError, KeyError, TypeError) as error:
        got, expected = f"{text!r} ({error})", "options that this version knows"
        raise SpikingGammaError(f"made_with of {path}", got, expected, "Convert it again.") from error


def _sounds(folder: Path) -> dict[str, Path]:
    """Return the paths of all sounds by name, in the order of names."""
    found = [folder / place for place in glob("**/lang-*.flac", root_dir=folder, recursive=True)]
    return {path.name: path for path in sorted(found, key=lambda path: path.name)}


def _heard(options: HeidelbergDigitsOptions, how: Loading) -> list[Recording]:
    """Return the recordings of the sounds, converted where the cache does not have them."""
    folder = ensure_unpacked(INFO.name, "audio", _ARCHIVE, wanted=_is_wanted, count=_COUNT, root=how.root)
    sounds = _sounds(folder)
    if not sounds:
        remedy = f"Unpack {_ARCHIVE} there, or unset SPIKINGGAMMA_DATA to have that done."
        raise SpikingGammaError(str(folder), "neither `hd_train.h5` nor sounds", "the Heidelberg Digits", remedy)
    cochlea, seed = options.cochlea(), options.cochlea_seed
    states = [(name, (stat := path.stat()).st_size, stat.st_mtime_ns) for name, path in sounds.items()]
    key: dict[str, object] = {
        "files": hashlib.sha256(repr(states).encode()).hexdigest(),
        "cochlea": cochlea_key(cochlea, seed),
    }

    def make(name: str) -> Spikes:
        return hear(read_sound(sounds[name]), name, cochlea, seed)

    with progress_bar("hd: sound to spikes", len(sounds), shown=how.progress) as advance:
        found = cached_spikes(INFO.name, list(sounds), make, key=key, on_done=advance)
    return [_recording(path, spikes, options.n_channels) for path, spikes in zip(sounds.values(), found, strict=True)]


def _is_wanted(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None or path.name in _LISTS.values()


def _recording(path: Path, spikes: Spikes, n_channels: int) -> Recording:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise SpikingGammaError(str(path), "a name of another form", _FORM, "Rename it or move it away.")
    language, speaker, digit = named.groups()
    label = int(digit) + (10 if language == "german" else 0)
    times_us, channels, duration_us = spikes
    return Recording(times_us, channels, n_channels, duration_us, label, str(int(speaker)), path.name)


def _check(recordings: list[Recording], folder: Path) -> None:
    strange = next((one for one in recordings if one.speaker not in _SPEAKERS), None)
    if strange is not None:
        raise SpikingGammaError(f"speaker of {strange.source}", repr(strange.speaker), "a number from 0 to 11")
    if len(recordings) != _COUNT:
        _LOG.warning("%s holds %d of the %d recordings: results are not comparable", folder, len(recordings), _COUNT)


def _listed(folder: Path, recordings: list[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Return the recordings of the published training and test lists."""
    by_name = {one.source: one for one in recordings}
    parts = []
    for name in _LISTS.values():
        paths = sorted(folder.rglob(name))
        if not paths:
            remedy = f"It is in {_ARCHIVE}. The splits 'unseen', 'strict' and 'mixed' need no lists."
            raise SpikingGammaError(str(folder), f"no `{name}`", "the published list, for split 'official'", remedy)
        lines = [Path(line.strip()).name for line in paths[0].read_text(encoding="utf-8").splitlines() if line.strip()]
        for number, line in enumerate(lines, 1):
            if line not in by_name:
                raise SpikingGammaError(str(paths[0]), f"{line!r}, name {number}, which is not there", "a recording")
        parts.append([by_name[line] for line in lines])
    train, test = parts
    if both := {one.source for one in train} & {one.source for one in test}:
        raise SpikingGammaError(str(folder), f"{min(both)} on both lists", "lists without a common recording")
    return train, test
