"""MNIST: handwritten digits, encoded as spikes by latency or pixel by pixel.

60 000 training and 10 000 test pictures, 28 x 28 pixels of brightness 0 to 255. LeCun, Bottou, Bengio, Haffner (1998),
doi 10.1109/5.726791.

`pictures` describes the codes and the layout of the files, in the folder `mnist`.
"""

from __future__ import annotations

from collections.abc import Mapping

from spikinggamma.datasets.pictures import (
    CODES,
    PIXELS,
    SIDE,
    PictureOptions,
    Source,
    described,
    load_pictures,
    pixel_order,
)
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.events import Splits

__all__ = ["CODES", "INFO", "describe", "load", "pixel_order"]

_MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

INFO = Info(
    name="mnist",
    title="MNIST",
    n_classes=10,
    class_names=tuple("0123456789"),
    n_channels=PIXELS,
    size="70000 pictures",
    licence="CC BY-SA 3.0",
    url="http://yann.lecun.com/exdb/mnist/",
    citation="""@article{lecun1998gradient,
  author = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  title = {Gradient-Based Learning Applied to Document Recognition},
  journal = {Proceedings of the IEEE},
  volume = {86},
  number = {11},
  pages = {2278--2324},
  year = {1998},
  doi = {10.1109/5.726791}
}""",
    shape=(1, SIDE, SIDE),
)


@register_dataset(INFO, options=PictureOptions, describe=lambda options: described(INFO, options))
def load(options: PictureOptions, how: Loading) -> Splits:
    """Load the digits in three parts, as `load_pictures` does.

    Example:
        >>> len(load(code="sequential").test)  # doctest: +SKIP
        10000
    """
    checksums = {name: f"sha256:{digest}" for name, digest in _CHECKSUMS.items()}
    return load_pictures(Source(INFO, _MIRROR, checksums), options, how)


def describe(options: Mapping[str, object]) -> Info:
    """Return the `Info` for these options of `load`, as each code has its own channels and shape.

    Example:
        >>> describe({"code": "sequential", "levels": 4}).n_channels
        8
    """
    return load.describe(options)
