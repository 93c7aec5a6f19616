"""Spiking Heidelberg Digits: published spikes of spoken digits in English and German, by twelve speakers.

8156 training and 2264 test recordings in the current release, 20 classes, 700 channels, about a second each; two of the
speakers are in the test part only. Cramer, Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407.

Layout: `shd/shd_train.h5` and `shd/shd_test.h5` below the data root, see `spikinggamma.datasets.heidelberg`. Where no data root
is named they are fetched into the cache, and their archives compared with the checksums below.
"""

from __future__ import annotations

from spikinggamma.datasets.heidelberg import CITATION, URL, load_parts
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.options import Options

__all__ = ["INFO", "load"]

_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")

# MD5 of the ZIP archives in the authors' folder, as other libraries have pinned them since the second release.
_ARCHIVES = {"train": "md5:f3252aeb598ac776c1b526422d90eecb", "test": "md5:1503a5064faa34311c398fb0a1ed0a6f"}

INFO = Info(
    name="shd",
    title="Spiking Heidelberg Digits",
    n_classes=20,
    class_names=_ENGLISH + _GERMAN,
    n_channels=700,
    size="10420 recordings",
    licence="CC BY 4.0",
    url=URL,
    citation=CITATION,
)


@register_dataset(INFO)
def load(options: Options, how: Loading) -> Splits:
    """Load the digits in three parts.

    Args:
        options: Empty: this data set has no options.
        how: Its split is `official`, the only one; of the training part a share is held out, the same for every digit
            and speaker; its root holds the folder `shd`.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing, damaged or cannot be downloaded.

    Example:
        >>> len(load().test)  # doctest: +SKIP
        2264
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    rest, test = load_parts(INFO, _ARCHIVES, how.root)
    train, validation = hold_out(rest, how.validation_fraction, seed=how.seed)
    return Splits(train, validation, test)
