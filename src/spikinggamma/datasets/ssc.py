"""Spiking Speech Commands: published spikes of 35 spoken commands by many speakers.

75466 training, 9981 validation and 20382 test recordings, 700 channels, about a second each. Cramer, Stradmann, Schemmel, Zenke
(2020), arXiv 1910.07407, from Warden's Speech Commands, arXiv 1804.03209.

Layout: `ssc/ssc_train.h5`, `ssc/ssc_valid.h5` and `ssc/ssc_test.h5` below the data root, see
`spikinggamma.datasets.heidelberg`. Where no data root is named they are fetched into the cache, and their archives compared
with the checksums below.
"""

from __future__ import annotations

from spikinggamma.datasets.heidelberg import CITATION, URL, load_parts
from spikinggamma.datasets.registry import Info, Loading, Removal, register_dataset
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.options import Options

__all__ = ["INFO", "load"]

# MD5 of the ZIP archives in the authors' folder, as other libraries have pinned them.
_ARCHIVES = {
    "train": "md5:d102be95e7144fcc0553d1f45ba94170",
    "valid": "md5:b4eee3516a4a90dd0c71a6ac23a8ae43",
    "test": "md5:a35ff1e9cffdd02a20eb850c17c37748",
}

INFO = Info(
    name="ssc",
    title="Spiking Speech Commands",
    n_classes=35,
    class_names=tuple(str(label) for label in range(35)),  # the files name them
    n_channels=700,
    size="105829 recordings",
    licence="CC BY 4.0",
    url=URL,
    citation=CITATION,
)


@register_dataset(INFO, removal=Removal(rare=0.02, removable=20_000))
def load(options: Options, how: Loading) -> Splits:
    """Load the commands in their three published parts.

    Args:
        options: Empty: this data set has no options.
        how: Its split is `official`, the only one; share and seed are without effect, as the validation part is
            published; its root holds the folder `ssc`.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing, damaged or cannot be downloaded.
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    train, validation, test = load_parts(INFO, _ARCHIVES, how.root)
    return Splits(train, validation, test)
