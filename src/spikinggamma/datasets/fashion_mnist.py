"""Fashion-MNIST: pictures of articles of clothing in the format of MNIST, encoded as spikes in the same ways.

60 000 training and 10 000 test pictures, 28 x 28 pixels of brightness 0 to 255, of ten kinds of articles. Xiao, Rasul,
Vollgraf (2017), arXiv 1708.07747. `pictures` describes the codes and the layout of the files, in the folder `fashion_mnist`.
"""

from __future__ import annotations

from spikinggamma.datasets.pictures import PIXELS, SIDE, PictureOptions, Source, described, load_pictures
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.events import Splits

__all__ = ["INFO", "load"]

_MIRROR = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}

INFO = Info(
    name="fashion_mnist",
    title="Fashion-MNIST",
    n_classes=10,
    class_names=(
        "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    n_channels=PIXELS,
    size="70000 pictures",
    licence="MIT",
    url="https://github.com/zalandoresearch/fashion-mnist",
    citation="""@article{xiao2017fashion,
  author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  title = {{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  journal = {arXiv preprint arXiv:1708.07747},
  year = {2017}
}""",
    shape=(1, SIDE, SIDE),
)  # fmt: skip


@register_dataset(INFO, options=PictureOptions, describe=lambda options: described(INFO, options))
def load(options: PictureOptions, how: Loading) -> Splits:
    """Load the articles in three parts, as `load_pictures` does.

    Example:
        >>> len(load(code="latency").test)  # doctest: +SKIP
        10000
    """
    return load_pictures(Source(INFO, _MIRROR, _CHECKSUMS), options, how)
