"""Free Spoken Digit Dataset: English digits by six speakers, converted to spikes by the cochlea model.

3000 recordings (10 digits, 6 speakers, 50 takes), 8 kHz mono, 0.14 to 2.28 s, CC BY-SA 4.0. Zohar Jackson and others,
https://github.com/Jakobovski/free-spoken-digit-dataset, version 1.0.10.

Splits: `official` tests on takes 0 to 4 of every speaker and digit (300) and leaves 2700 for training;
`speaker:NAME` tests on all takes of one speaker (500), who is not in the training part. Validation is taken from the training
part.

Every file is verified by its checksum before use; a file that differs is an error and is left as it is.
"""

from __future__ import annotations

import hashlib
from functools import partial
from importlib import resources

from spikinggamma.datasets import download
from spikinggamma.datasets.cache import Spikes, cached_spikes
from spikinggamma.datasets.cochlea_spikes import CochleaOptions, cochlea_key, hear_file
from spikinggamma.datasets.heidelberg import CITATION as HEIDELBERG
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.registry import Floor, Info, Loading, register_dataset
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits

__all__ = ["INFO", "SPEAKERS", "load"]

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
_TEST_TAKES = 5
_ARCHIVE = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz"

INFO = Info(
    name="fsdd",
    title="Free Spoken Digit Dataset",
    n_classes=10,
    class_names=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    n_channels=700,
    size="3000 recordings",
    licence="CC BY-SA 4.0",
    url="https://github.com/Jakobovski/free-spoken-digit-dataset",
    citation="""@software{jackson2018fsdd,
  author = {Jackson, Zohar and Souza, C\\'esar and Flaks, Jason and Pan, Yuxin and Nicolas, Hereman and Thite, Adhish},
  title = {Jakobovski/free-spoken-digit-dataset: v1.0.8},
  year = {2018},
  doi = {10.5281/zenodo.1342401}
}""",
)


# Accuracies of logistic regression on the spikes of the cochlea: for the published tool's defaults, then the bundled recipe's.
_COUNTS, _BINS = "logistic regression on spike counts alone", "logistic regression on coarse time bins"
_COMMAND = "python benchmarks/fsdd_floors.py"
_RAMPED = {"ramp_ms": 20.0, "pre_emphasis_hz": 50.0}
_FLOORS = (
    Floor(0.590, _COUNTS, _COMMAND),
    Floor(0.697, _BINS, _COMMAND),
    Floor(0.790, _COUNTS, _COMMAND, options=_RAMPED),
    Floor(0.870, _BINS, _COMMAND, options=_RAMPED),
)


def describe(options: CochleaOptions) -> Info:
    """Return the `Info` for these options of `load`."""
    return INFO._replace(n_channels=options.n_channels)


@register_dataset(INFO, options=CochleaOptions, describe=describe, floors=_FLOORS, behind=(HEIDELBERG,))
def load(options: CochleaOptions, how: Loading) -> Splits:
    """Load the digits as spikes in three parts; they are converted on first use and cached.

    Args:
        options: Options of the conversion.
        how: Its split is `official`; `speaker:NAME` to test on one of `SPEAKERS`; or `speaker:NAME/OTHER` to validate
            on another, so that what is chosen on validation recordings is chosen for voices that are new. A share is
            held out, the same for every digit and speaker; none of it where a speaker is. Its root holds
            `fsdd/recordings`.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing, damaged or differs from the published one.

    Example:
        >>> splits = load(split="speaker:theo")  # doctest: +SKIP
        >>> len(splits.train), len(splits.validation), len(splits.test)  # doctest: +SKIP
        (2250, 250, 500)
    """
    speaker, validated = _held_out_speakers(how.split)
    cochlea, cochlea_seed = options.cochlea(), options.cochlea_seed
    checksums = _checksums()
    folder = download.ensure_files("fsdd", "recordings", checksums, archive=_ARCHIVE, root=how.root)
    key: dict[str, object] = {
        "files": hashlib.sha256(repr(sorted(checksums.items())).encode()).hexdigest(),
        "cochlea": cochlea_key(cochlea, cochlea_seed),
    }
    with progress_bar("fsdd: sound to spikes", len(checksums), shown=how.progress) as advance:
        make = partial(hear_file, folder=folder, cochlea=cochlea, cochlea_seed=cochlea_seed)
        found = cached_spikes("fsdd", list(checksums), make, key=key, on_done=advance)
    recordings = [_recording(name, spikes, options.n_channels) for name, spikes in zip(checksums, found, strict=True)]
    if speaker is None:
        test = [r for r in recordings if _take(r.source) < _TEST_TAKES]
        rest = [r for r in recordings if _take(r.source) >= _TEST_TAKES]
    else:
        test = [r for r in recordings if r.speaker == speaker]
        rest = [r for r in recordings if r.speaker != speaker]
    if validated is not None:
        train = [r for r in rest if r.speaker != validated]
        return Splits(train, [r for r in rest if r.speaker == validated], test)
    train, validation = hold_out(rest, how.validation_fraction, seed=how.seed)
    return Splits(train, validation, test)


def _held_out_speakers(split: str) -> tuple[str | None, str | None]:
    """Return the speakers that are held out for the test and for validation."""
    if split == "official":
        return None, None
    kind, _, names = split.partition(":")
    tested, slash, validated = names.partition("/")
    known = tested in SPEAKERS and (not slash or (validated in SPEAKERS and validated != tested))
    if kind != "speaker" or not known:
        expected = "'official', 'speaker:NAME' or 'speaker:NAME/OTHER' with two of " + ", ".join(SPEAKERS)
        raise SpikingGammaError("split", repr(split), expected)
    return tested, validated or None


def _checksums() -> dict[str, str]:
    """Return the first half of the SHA-256 of all 3000 files by name, in the order of names."""
    lines = resources.files("spikinggamma.datasets").joinpath("fsdd.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split(" ") for line in lines)}


def _take(name: str) -> int:
    return int(name.removesuffix(".wav").rsplit("_", 1)[1])


def _recording(name: str, spikes: Spikes, n_channels: int) -> Recording:
    digit, speaker, _ = name.split("_")
    return Recording(
        spikes.times_us, spikes.channels, n_channels, spikes.duration_us, label=int(digit), speaker=speaker, source=name
    )
