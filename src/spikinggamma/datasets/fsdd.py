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
from pathlib import Path

from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets import download
from spikinggamma.datasets.cache import Spikes, cached_spikes
from spikinggamma.datasets.cochlea_spikes import cochlea_key, hear_file
from spikinggamma.datasets.info import Info
from spikinggamma.datasets.progress import progress_bar
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


def load(
    *,
    split: str = "official",
    validation_fraction: float = 0.1,
    seed: int = 0,
    n_channels: int = 700,
    c0: float = 1e9,
    ramp_ms: float | None = None,
    pre_emphasis_hz: float | None = None,
    cochlea_seed: int = 0,
    root: Path | str | None = None,
    progress: bool = True,
) -> Splits:
    """Load the digits as spikes in three parts; they are converted on first use and cached.

    Args:
        split: `official`; `speaker:NAME` to test on one of `SPEAKERS`; or `speaker:NAME/OTHER` to validate on another, so that
            choices by validation are made for unseen voices.
            validation_fraction: Share of the training part held out, the same for every digit and speaker; unused where a
            speaker is held out.
            seed: Seed of the choice of validation recordings.
            n_channels: Number of places along the cochlea.
        c0: Stiffness of the cochlea's base.
        ramp_ms: Rise and fall of the window over each sound; None lets them meet in the middle.
        pre_emphasis_hz: Corner frequency of the high-pass filter before the cochlea; None for no filter, as published.
        cochlea_seed: Seed of the random release of spikes; a recording's spikes depend on it and its own name only.
        root: Data root, which holds `fsdd/recordings`; by default the environment's `SPIKINGGAMMA_DATA`, or else a
            download.
        progress: Whether to show a progress bar on a terminal.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing, damaged or differs from the published one.

    Example:
        >>> splits = load(split="speaker:theo")  # doctest: +SKIP
        >>> len(splits.train), len(splits.validation), len(splits.test)  # doctest: +SKIP
        (2250, 250, 500)
    """
    speaker, validated = _held_out_speakers(split)
    cochlea = Cochlea(n_channels, c0, ramp_ms, pre_emphasis_hz)
    checksums = _checksums()
    folder = download.ensure_files("fsdd", "recordings", checksums, archive=_ARCHIVE, root=root)
    key: dict[str, object] = {
        "files": hashlib.sha256(repr(sorted(checksums.items())).encode()).hexdigest(),
        "cochlea": cochlea_key(cochlea, cochlea_seed),
    }
    with progress_bar("fsdd: sound to spikes", len(checksums), shown=progress) as advance:
        make = partial(hear_file, folder=folder, cochlea=cochlea, cochlea_seed=cochlea_seed)
        found = cached_spikes("fsdd", list(checksums), make, key=key, on_done=advance)
    recordings = [_recording(name, spikes, n_channels) for name, spikes in zip(checksums, found, strict=True)]
    if speaker is None:
        test = [r for r in recordings if _take(r.source) < _TEST_TAKES]
        rest = [r for r in recordings if _take(r.source) >= _TEST_TAKES]
    else:
        test = [r for r in recordings if r.speaker == speaker]
        rest = [r for r in recordings if r.speaker != speaker]
    if validated is not None:
        train = [r for r in rest if r.speaker != validated]
        return Splits(train, [r for r in rest if r.speaker == validated], test)
    train, validation = hold_out(rest, validation_fraction, seed=seed)
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
