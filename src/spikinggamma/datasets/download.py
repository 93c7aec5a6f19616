"""Files of a data set: found in the data root or fetched once, and always compared with their checksums.

A file that is there but differs is named and left as it is; nothing is ever overwritten. Archives that a host packs on
demand have no checksum that lasts, so what counts is that of every file inside.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from spikinggamma.datasets.cache import cache_root
from spikinggamma.errors import SpikingGammaError

__all__ = ["check_files", "data_root", "ensure_files"]

_LOG = logging.getLogger(__name__)


def data_root(root: Path | str | None) -> Path | None:
    """The folder of all data sets: the one given, or else the environment's `SPIKINGGAMMA_DATA`; None where neither is."""
    named = root or os.environ.get("SPIKINGGAMMA_DATA")
    return Path(named).expanduser() if named else None


def ensure_files(
    dataset: str, inside: str, checksums: dict[str, str], *, archive: str, root: Path | str | None = None
) -> Path:
    """The folder of a data set's files, checked.

    Args:
        dataset: Name, a folder below the root.
        inside: Folder of the files below that, and below the archive's own folder.
        checksums: File name to a prefix of its SHA-256.
        archive: Address of a tar archive with the files, fetched where no root is named and nothing was fetched before.
        root: Data root; the environment's `SPIKINGGAMMA_DATA` where left out.

    Raises:
        SpikingGammaError: A file is missing or differs, or the archive cannot be fetched.
    """
    named = data_root(root)
    if named is not None:
        folder = named / dataset / inside
        if not folder.is_dir():
            remedy = "Point SPIKINGGAMMA_DATA at a data root that holds it, or unset it to download."
            raise SpikingGammaError(str(folder), "no such folder", f"the files of {dataset}", remedy)
    else:
        folder = cache_root() / dataset / inside
        if not folder.is_dir():
            _fetch(archive, inside, checksums, folder)
    check_files(folder, checksums)
    return folder


def check_files(folder: Path, checksums: dict[str, str]) -> None:
    """Raise on the first file of a list that is missing or differs from its checksum."""
    missing = [name for name in checksums if not (folder / name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more of {len(checksums)} files" if len(missing) > 1 else ""
        raise SpikingGammaError(str(folder / missing[0]), f"no such file{more}", "the published files")
    for name, wanted in checksums.items():
        path = folder / name
        found = hashlib.sha256(path.read_bytes()).hexdigest()[: len(wanted)]
        if found != wanted:
            got = f"{path.stat().st_size} bytes with SHA-256 {found}"
            remedy = "It was left as it is: move it away and fetch it again."
            raise SpikingGammaError(str(path), got, f"SHA-256 {wanted}", remedy)


def _fetch(archive: str, inside: str, checksums: dict[str, str], folder: Path) -> None:
    import pooch

    _LOG.info("fetching %s", archive)
    pooch.get_logger().setLevel(logging.WARNING)  # else it asks users to pin a checksum that the host does not keep
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as temporary:
        try:
            packed = pooch.retrieve(archive, known_hash=None, fname="archive.tar", path=temporary)
        except (OSError, ValueError) as error:
            remedy = "Try again later, or put the files under SPIKINGGAMMA_DATA."
            raise SpikingGammaError(archive, f"no answer ({error})", "an archive", remedy) from error
        unpacked = Path(temporary) / inside
        unpacked.mkdir()
        _unpack(Path(packed), inside, checksums, unpacked)
        check_files(unpacked, checksums)
        os.replace(unpacked, folder)


def _unpack(packed: Path, inside: str, checksums: dict[str, str], target: Path) -> None:
    """Copy out the files that are asked for and nothing else, whatever paths the archive names."""
    try:
        with tarfile.open(packed) as tar:
            for member in tar:
                parts = Path(member.name).parts
                wanted = member.isfile() and parts[-2:-1] == (inside,) and parts[-1] in checksums
                if wanted and (source := tar.extractfile(member)) is not None:
                    with (target / parts[-1]).open("wb") as file:
                        shutil.copyfileobj(source, file)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SpikingGammaError(str(packed), f"not readable as an archive ({error})", "a whole tar archive") from error
