"""Files of data sets: found in the data root or downloaded once, and always verified by their checksums.

An existing file with another checksum is an error and is left as it is; nothing is ever overwritten. Archives that a host packs
on demand have no stable checksum, so each file inside is verified.
"""

from __future__ import annotations

import logging
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.fetch import check_file, fetch
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import replacing, unwritable
from spikinggamma.files.locks import CACHE_REMEDY, taking_turns

__all__ = ["check_files", "data_root", "ensure_files", "ensure_unpacked", "ensure_unzipped"]


_LOG = logging.getLogger(__name__)


def data_root(root: Path | str | None) -> Path | None:
    """Return the folder of all data sets: the given one, or the environment's `SPIKINGGAMMA_DATA`; None without either."""
    named = root or os.environ.get("SPIKINGGAMMA_DATA")
    return Path(named).expanduser() if named else None


def ensure_files(
    dataset: str, inside: str, checksums: dict[str, str], *, archive: str, root: Path | str | None = None
) -> Path:
    """Return the folder of a data set's files after verifying them; download them where no root is given.

    Args:
        dataset: Name, a folder below the root.
        inside: Folder of the files below that, and below the archive's own folder.
        checksums: File name to a prefix of its SHA-256.
        archive: URL of a tar archive with the files, downloaded if no root is given and the files are not in the cache.
        root: Data root; the environment's `SPIKINGGAMMA_DATA` if not given.

    Raises:
        SpikingGammaError: A file is missing or differs, or the archive cannot be downloaded.
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
            with taking_turns(folder.parent):
                if not folder.is_dir():

                    def wanted(path: Path) -> bool:
                        return path.parts[-2:-1] == (inside,) and path.name in checksums

                    _fetch_tar(archive, wanted, lambda found: check_files(found, checksums), folder)
    check_files(folder, checksums)
    return folder


def ensure_unzipped(dataset: str, archives: Mapping[str, tuple[str, str]], root: Path | str | None) -> list[Path]:
    """Return the paths of files that a host offers as single ZIP archives; download and unpack them where needed.

    Args:
        dataset: Name, a folder below the root.
        archives: File name to the URL of a ZIP archive that holds it, and that archive's checksum (`md5:1503...`);
            downloaded if no root is given and the file is missing.
        root: Data root; the environment's `SPIKINGGAMMA_DATA` if not given.

    Raises:
        SpikingGammaError: A file is missing from a given root, or an archive cannot be downloaded or unpacked.
    """
    named = data_root(root)
    folder = (named or cache_root()) / dataset
    paths = [folder / name for name in archives]
    missing = [path for path in paths if not path.is_file()]
    if missing and named is not None:
        address = archives[missing[0].name][0]
        remedy = f"Download {address} and unpack it there, or unset SPIKINGGAMMA_DATA to have that done."
        raise SpikingGammaError(str(missing[0]), "no such file", f"a part of {dataset}", remedy)
    if missing:
        with taking_turns(folder):
            for path in missing:
                if not path.is_file():
                    address, checksum = archives[path.name]
                    packed = fetch(address, folder / f"{path.name}.zip", checksum=checksum)
                    _unzip(packed, path)
                    packed.unlink()
    return paths


def ensure_unpacked(
    dataset: str, inside: str, archive: str, *, wanted: Callable[[Path], bool], count: int, root: Path | str | None
) -> Path:
    """Return the folder of a data set whose files have no known checksums; download them where no root is given.

    The log says that there is no checksum to compare; their number is checked, and what reads them must check each.

    Args:
        dataset: Name, a folder below the root.
        inside: Folder below that for downloaded files.
        archive: URL of a tar archive, downloaded if no root is given and the files are not in the cache.
        wanted: Function that tells by a file's path in the archive whether it is kept.
        count: Number of wanted files that the archive must at least hold.
        root: Data root; the environment's `SPIKINGGAMMA_DATA` if not given.

    Raises:
        SpikingGammaError: The archive cannot be downloaded or unpacked, or holds too few files.
    """
    named = data_root(root)
    if named is not None:
        return named / dataset
    folder = cache_root() / dataset / inside
    if not folder.is_dir():
        with taking_turns(folder.parent):
            if not folder.is_dir():
                _LOG.warning("the checksum of %s is not known: its files are counted and read, not compared", archive)

                def check(unpacked: Path) -> None:
                    found = len(list(unpacked.iterdir()))
                    if found < count:
                        raise SpikingGammaError(archive, f"{found} files of {dataset}", f"at least {count}")

                _fetch_tar(archive, wanted, check, folder)
    return folder.parent


def check_files(folder: Path, checksums: dict[str, str]) -> None:
    """Raise an error for the first file that is missing or differs from its checksum."""
    missing = [name for name in checksums if not (folder / name).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more of {len(checksums)} files" if len(missing) > 1 else ""
        raise SpikingGammaError(str(folder / missing[0]), f"no such file{more}", "the published files")
    for name, wanted in checksums.items():
        check_file(folder / name, f"sha256:{wanted}")


def _fetch_tar(archive: str, wanted: Callable[[Path], bool], check: Callable[[Path], None], folder: Path) -> None:
    packed = fetch(archive, folder.with_name(archive.rsplit("/", 1)[-1]))
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as temporary:
            unpacked = Path(temporary) / folder.name
            unpacked.mkdir()
            _unpack(packed, wanted, unpacked)
            check(unpacked)
            os.replace(unpacked, folder)
    except OSError as error:
        raise unwritable(folder, error, CACHE_REMEDY) from error
    finally:  # a good archive is no longer needed, and a bad one would be mistaken for complete
        packed.unlink(missing_ok=True)


def _unpack(packed: Path, wanted: Callable[[Path], bool], target: Path) -> None:
    """Extract only the wanted files, whatever other paths the archive contains."""
    try:
        with tarfile.open(packed) as tar:
            for member in tar:
                path = Path(member.name)
                if member.isfile() and wanted(path) and (source := tar.extractfile(member)) is not None:
                    with (target / path.name).open("wb") as file:
                        shutil.copyfileobj(source, file)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _no_archive(packed, error) from error
    except OSError as error:
        if error.errno is not None:  # errors of the disk have a number, those of a damaged archive have none
            raise
        raise _no_archive(packed, error) from error


def _unzip(packed: Path, target: Path) -> None:
    with replacing(target, remedy=CACHE_REMEDY) as temporary:
        try:
            with zipfile.ZipFile(packed) as archive, archive.open(target.name) as source, temporary.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
            raise _no_archive(packed, error) from error


def _no_archive(packed: Path, error: Exception) -> SpikingGammaError:
    return SpikingGammaError(str(packed), f"not readable as an archive ({error})", "a whole archive")
