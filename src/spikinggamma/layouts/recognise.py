"""Which layout lies at a path, and the recordings that it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS, FileLayout, Found, Layout, with_unique_sources
from spikinggamma.layouts.kept import kept_recordings
from spikinggamma.layouts.naming import files_below, named_files
from spikinggamma.registry import Entry

__all__ = ["Recognised", "find_recordings", "recognised"]


class Recognised(NamedTuple):
    """A layout, and its files at a path."""

    entry: Entry[type[Layout]]
    files: list[Path]


def recognised(path: Path | str, layout: str = "") -> Recognised:
    """Return the layout of the recordings at a path.

    Args:
        path: A file or a folder; other files in it, such as a licence, are left alone.
        layout: Name of the layout, where it is known.

    Raises:
        SpikingGammaError: There is no such path, it holds no recordings, or those of two layouts.
    """
    path = Path(path)
    files = list(files_below(path))
    entries = [LAYOUTS.find(layout, argument="data.layout")] if layout else list(LAYOUTS.entries())
    own: dict[str, list[Path]] = {}
    for file in files:
        suffix = file.suffix.lower()
        for entry in entries:
            # A layout that is named is taken at its word, whatever its files are called, where there is one only.
            if suffix in entry.target.suffixes and (layout or entry.target.recognises(file)):
                own.setdefault(entry.name, []).append(file)
                break
    if not own:
        raise SpikingGammaError("data.path", _seen(path, files), _known(entries), _remedy(files))
    if len(own) > 1:
        got = "; ".join(f"{found[0].relative_to(path)} ({name})" for name, found in own.items())
        remedy = f"Name one of them: data.layout = {next(iter(own))!r}"
        raise SpikingGammaError("data.path", f"files of {len(own)} layouts: {got}", "files of one", remedy)
    ((name, found),) = own.items()
    return Recognised(LAYOUTS[name], found)


def find_recordings(
    path: Path | str, layout: str = "", options: Mapping[str, Any] | None = None
) -> tuple[Entry[type[Layout]], list[Found]]:
    """Return the layout of the recordings at a path, and the recordings themselves, from the cache where it has them.

    Raises:
        SpikingGammaError: What `recognised` raises, an option that the layout has not, or a damaged file.
    """
    path = Path(path)
    entry, files = recognised(path, layout)
    chosen = entry.make_options(options, argument="data.options")
    one_each = issubclass(entry.target, FileLayout)
    named = named_files(path, files, pattern=chosen.names, one_each=one_each)
    reader = entry.target(chosen)
    if entry.target.cached:
        found = kept_recordings(entry.name, named, lambda: reader.read(named), key=chosen.model_dump(mode="json"))
    else:
        found = list(reader.read(named))
    if not found:
        raise SpikingGammaError("data.path", f"{path}, without a recording", "at least one")
    return entry, with_unique_sources(found)


def _seen(path: Path, files: Sequence[Path]) -> str:
    if not files:
        return f"{path}, an empty folder"
    suffixes = sorted({file.suffix.lower() or file.name for file in files})
    return f"{path}, with files that end in {', '.join(suffixes[:6])}" + (" ..." if len(suffixes) > 6 else "")


def _known(entries: Sequence[Entry[type[Layout]]]) -> str:
    return "files of a known layout: " + "; ".join(
        f"{entry.name} ({', '.join(entry.target.suffixes)})" for entry in entries
    )


def _remedy(files: Sequence[Path]) -> str:
    heads = [entry for file in files[:1] for entry in LAYOUTS.entries() if entry.target.recognises(file)]
    if heads:
        return f"{files[0].name} looks like {heads[0].name}: name that layout."
    return "`spikinggamma layouts` says what each of them is."
