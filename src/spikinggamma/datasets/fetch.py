"""Download of one file: resumed after interruptions, verified, and renamed into place when it is complete.

Received data is kept in a hidden `.part` file beside the target, so that the next attempt, in this run or a later one, requests
only the rest. There is one connection at a time, with growing pauses between attempts.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikinggamma.datasets.progress import byte_bar
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import move_into_place, unwritable
from spikinggamma.files.locks import CACHE_REMEDY

__all__ = ["check_file", "fetch"]

_LOG = logging.getLogger(__name__)
_WAITS_S = (1.0, 4.0, 15.0)  # pauses after attempts without progress
_LONGEST_WAIT_S = 60.0
_TIMEOUT_S = (10.0, 30.0)  # for connecting, and between two pieces
_PIECE = 1 << 16  # an incomplete piece is not kept
_NAMES = {"md5": "MD5", "sha256": "SHA-256"}
_WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}
_REMEDY = "Try again later: what has arrived is kept. Or put the files under SPIKINGGAMMA_DATA."


class _Cut(Exception):
    """Raised when the transfer ended early and another attempt may help."""

    def __init__(self, reason: object, wait_s: float = 0.0) -> None:
        super().__init__(str(reason))
        self.wait_s = wait_s


def fetch(address: str, target: Path, *, checksum: str = "", progress: bool = True) -> Path:
    """Download the file at a URL to `target`; the caller holds the lock of the folder (see `taking_turns`).

    An existing target is never written to: it is verified and returned, or an error names it.

    Args:
        address: URL with HTTP or HTTPS.
        target: Path of the file in a folder that exists.
        checksum: Algorithm and hexadecimal digest as in `md5:1503...`; empty for a file that is verified otherwise.
        progress: Whether to show a progress bar on a terminal.

    Raises:
        SpikingGammaError: All attempts failed, the server refused, the file has another checksum (it is removed), the disk is
            full, or an existing target differs (it is left as it is).
    """
    if target.exists():
        if checksum:
            check_file(target, checksum)
        return target
    part = target.with_name(f".{target.name}.part")
    _LOG.info("fetching %s", address)
    resumed = _size(part) > 0
    try:
        _transfer(address, part, progress)
        if checksum and _digest(part, checksum) != checksum and resumed:
            # The first part may be from an older file of that name, so the download starts again.
            _LOG.warning("%s does not have its checksum after resuming; starting over", target.name)
            part.unlink()
            _transfer(address, part, progress)
        if checksum:
            _refuse_other(part, checksum, address)
        move_into_place(part, target)
    except OSError as error:
        raise unwritable(target, error, CACHE_REMEDY) from error
    return target


def check_file(path: Path, checksum: str) -> None:
    """Raise an error for a file that differs from its checksum.

    Args:
        path: The file.
        checksum: Algorithm and hexadecimal digest as in `md5:1503...`; the digest may be only its beginning.
    """
    found = _digest(path, checksum)
    if found != checksum:
        kind, _, digest = found.partition(":")
        got = f"{path.stat().st_size} bytes with {_NAMES[kind]} {digest}"
        remedy = "It was left as it is: move it away and fetch it again."
        raise SpikingGammaError(str(path), got, f"{_NAMES[kind]} {checksum.partition(':')[2]}", remedy)


def _digest(path: Path, like: str) -> str:
    kind, _, wanted = like.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    return f"{kind}:{found[: len(wanted)]}"


def _refuse_other(part: Path, checksum: str, address: str) -> None:
    found, size = _digest(part, checksum), _size(part)
    if found != checksum:
        part.unlink()
        got = f"{size} bytes with {found.replace(':', ' ')}"
        remedy = "It was removed. The host may have a newer file, or something on the way answered in its place."
        raise SpikingGammaError(address, got, f"a file with {checksum.replace(':', ' ')}", remedy)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _transfer(address: str, part: Path, progress: bool) -> None:
    """Download the whole file to `part`, with any number of attempts that make progress and a few that do not."""
    fruitless = 0
    with byte_bar(address.rsplit("/", 1)[-1], shown=progress) as show:
        while True:
            before = _size(part)
            try:
                _attempt(address, part, show)
                return
            except _Cut as cut:
                fruitless = 0 if _size(part) > before else fruitless + 1
                if fruitless > len(_WAITS_S):
                    got = f"no answer ({cut}) in {fruitless} attempts, {_size(part)} bytes so far"
                    raise SpikingGammaError(address, got, "the whole file", _REMEDY) from cut
                wait_s = max(cut.wait_s, _WAITS_S[max(fruitless - 1, 0)])
                _LOG.info("%s after %d bytes (%s); again in %.0f s", address, _size(part), cut, wait_s)
                time.sleep(wait_s)


def _attempt(address: str, part: Path, show: Callable[[int, int | None], None]) -> None:
    """Make one request for the rest of the file, or for all of it where the server does not support ranges."""
    import requests

    import spikinggamma

    held = _size(part)
    # Without content encoding, as ranges and checksums refer to the bytes on the server.
    headers = {"User-Agent": f"spikinggamma/{spikinggamma.__version__}", "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    try:
        with requests.get(address, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
            total = _judge(answer, address, part, held)
            if total == held and answer.status_code == 416:
                return
            if answer.status_code != 206:
                held = 0
            with part.open("ab" if held else "wb") as file:
                for piece in answer.iter_content(_PIECE):
                    file.write(piece)
                    held += len(piece)
                    show(held, total)
    except requests.RequestException as error:  # it is an OSError too, so it must be caught before errors of the disk
        raise _Cut(_innermost(error)) from error
    if total is not None and held != total:
        raise _Cut(f"the connection closed at {held} of {total} bytes")


def _judge(answer: Any, address: str, part: Path, held: int) -> int | None:
    """Check the response; return the size of the whole file if the server tells it, or raise an error."""
    status = answer.status_code
    length = answer.headers.get("Content-Length", "")
    start, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    if status == 200:
        return int(length) if length.isdigit() else None
    if status == 206:
        if start.split("-")[0] != str(held):
            part.unlink(missing_ok=True)
            raise _Cut(f"the server sent bytes {start} for those from {held}")
        return int(total) if total.isdigit() else None
    if status == 416:
        if total == str(held):
            return held
        part.unlink(missing_ok=True)
        raise _Cut(f"the server has no bytes from {held}")
    if status in _WORTH_ANOTHER_TRY:
        asked = answer.headers.get("Retry-After", "")
        raise _Cut(f"status {status}", min(float(asked), _LONGEST_WAIT_S) if asked.isdigit() else 0.0)
    raise SpikingGammaError(address, f"no answer but status {status} ({answer.reason})", "the file", _REMEDY)


def _innermost(error: BaseException) -> str:
    # The innermost exception names the cause, such as an unknown host or a refused connection.
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
