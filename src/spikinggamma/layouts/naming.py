"""What folders and file names say of recordings: their class, speaker and part.

Below the path, a first folder named train, validation or test (or as people write these) is the part. Then `{label}/...`: the
first folder is the class, and a second one the speaker. Files that lie in no folder are named `{label}_...`, and in
`{label}_{speaker}_{take}` the middle is the speaker. Files of many recordings say this themselves, but a name such as
`digits_train.h5` still gives the part. A pattern such as `{speaker}/{label}-{take}` says it all; other words in it are columns
that may be split by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError

__all__ = ["NamedFile", "by_size", "files_below", "named_files", "part_of"]

_PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_FIELD = re.compile(r"\{(\w+)\}")


class NamedFile(NamedTuple):
    """A file, and what its name and folders say."""

    path: Path
    source: str
    label: str = ""
    speaker: str = ""
    part: str = ""
    columns: Mapping[str, str] = {}


def files_below(path: Path) -> Iterator[Path]:
    """Yield the file itself, or every file below a folder in the order of names, hidden ones left out.

    Raises:
        SpikingGammaError: There is nothing at this path.
    """
    if not path.exists():
        raise SpikingGammaError("data.path", f"{path}, which does not exist", "a file or a folder of recordings")
    if path.is_file():
        yield path
        return
    for entry in sorted(path.iterdir(), key=lambda entry: by_size(entry.name)):
        # macOS leaves `._name` beside files that it has copied.
        if not entry.name.startswith("."):
            yield from files_below(entry)


def part_of(word: str) -> str:
    """Return train, validation or test if this is a word for it, else nothing.

    Example:
        >>> part_of("Training"), part_of("take")
        ('train', '')
    """
    return _PARTS.get(word.lower(), "")


def by_size(name: str) -> tuple[int, int, str]:
    """Return a key that sorts numbers by their value, before words.

    Example:
        >>> sorted(["10", "b", "9"], key=by_size)
        ['9', '10', 'b']
    """
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)


def named_files(top: Path, files: Sequence[Path], *, pattern: str = "", one_each: bool = True) -> list[NamedFile]:
    """Return the files with what their names say.

    Args:
        top: The path that the user gave.
        files: Files at or below it.
        pattern: Text with {label}, {speaker}, {part} or other words in braces, for names below `top` without their suffix.
        one_each: Whether each file is one recording, and so needs a class.

    Raises:
        SpikingGammaError: A name does not fit the pattern, or gives no class where one is needed.
    """
    folder = top if top.is_dir() else top.parent
    match = _matcher(pattern) if pattern else None
    named = []
    for path in files:
        below = path.relative_to(folder)
        if match is not None:
            named.append(_matched(path, below, match, pattern))
        elif one_each:
            named.append(_by_folder(path, below, alone=top.is_file()))
        else:
            named.append(NamedFile(path, below.as_posix(), part=_part_of_file(below)))
    if one_each and match is None:
        _check_labels(top, named)
    return named


def _matcher(pattern: str) -> re.Pattern[str]:
    text, place = "", 0
    seen: set[str] = set()
    for found in _FIELD.finditer(pattern):
        name = found[1]
        text += re.escape(pattern[place : found.start()])
        text += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
        seen.add(name)
        place = found.end()
    if not seen or any(name[0].isdigit() for name in seen):
        expected = "words in braces, such as {label}/{speaker}_{take}"
        raise SpikingGammaError("data.options.names", repr(pattern), expected)
    return re.compile(text + re.escape(pattern[place:]))


def _matched(path: Path, below: Path, match: re.Pattern[str], pattern: str) -> NamedFile:
    text = below.with_suffix("").as_posix()
    found = match.fullmatch(text)
    if found is None:
        raise SpikingGammaError(str(path), f"the name {text}", f"one like {pattern}, as data.options.names says")
    said = found.groupdict()
    part = said.pop("part", "")
    if part and not part_of(part):
        raise SpikingGammaError(str(path), f"part {part!r}", "train, validation or test")
    label, speaker = said.pop("label", ""), said.pop("speaker", said.pop("subject", ""))
    return NamedFile(path, below.as_posix(), label, speaker, part_of(part), said)


def _by_folder(path: Path, below: Path, *, alone: bool) -> NamedFile:
    folders = list(below.parts[:-1])
    part = part_of(folders[0]) if folders else ""
    if part:
        folders.pop(0)
    if folders:
        return NamedFile(path, below.as_posix(), folders[0], folders[1] if len(folders) > 1 else "", part)
    label, *rest = path.stem.split("_")
    if not rest:  # a name without an underscore is no class, but of a file that was named by itself
        return NamedFile(path, below.as_posix(), path.stem if alone else "", "", part)
    return NamedFile(path, below.as_posix(), label, rest[0] if len(rest) == 2 else "", part)


def _part_of_file(below: Path) -> str:
    words = [*below.parts[:-1], below.stem, below.stem.rpartition("_")[2], below.stem.rpartition("-")[2]]
    return next((part for part in map(part_of, words) if part), "")


def _check_labels(top: Path, named: Sequence[NamedFile]) -> None:
    loose = [one for one in named if len(Path(one.source).parts) == 1 + bool(one.part)]
    if loose and len(loose) < len(named):
        other = next(one for one in named if one not in loose)
        got = f"files ({loose[0].path.name} ...) beside folders of them ({other.label} ...)"
        raise SpikingGammaError(
            str(top), got, "one or the other", "Move the files into folders named as their classes."
        )
    for one in named:
        if not one.label:
            remedy = "Name it so, put every class into a folder of its own, or set data.options.names."
            raise SpikingGammaError(str(one.path), "a name without a label", "{label}_...", remedy)
