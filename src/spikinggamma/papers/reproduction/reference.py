"""Authors, year, title and place of a paper, read from its BibTeX entry, so that they are written once."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

__all__ = ["Reference", "reference"]

_FIELD = re.compile(r"^\s*(\w+)\s*=\s*[{\"](.*?)[}\"],?\s*$", re.MULTILINE | re.DOTALL)
_ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "c": "\u0327", "v": "\u030c"}
_PLACES = ("journal", "booktitle", "howpublished")


class Reference(NamedTuple):
    """A paper: family names of its authors, its year and title, and where it was published."""

    authors: tuple[str, ...]
    year: str
    title: str
    where: str

    @property
    def text(self) -> str:
        """The reference in one line."""
        first = f"{self.authors[0]} et al." if len(self.authors) > 3 else ", ".join(self.authors)
        return f"{first} ({self.year}). {self.title}. {self.where}."


def reference(bibtex: str) -> Reference:
    """Return what a BibTeX entry says of a paper.

    Example:
        >>> reference(\"\"\"@article{key,
        ...   title   = {{Nets} that spike},
        ...   author  = {Boht{\\\\'e}, Sander and Otte, Sebastian},
        ...   journal = {Neural Computation},
        ...   year    = {2026}
        ... }\"\"\").text
        'Bohté, Otte (2026). Nets that spike. Neural Computation.'
    """
    fields = {key.lower(): _plain(value) for key, value in _FIELD.findall(bibtex)}
    names = re.split(r"\s+and\s+", fields.get("author", "unknown"))
    families = tuple(name.partition(",")[0] if "," in name else name.rpartition(" ")[2] for name in names)
    where = next((fields[place] for place in _PLACES if place in fields), "unpublished")
    return Reference(families, fields.get("year", "no year"), fields.get("title", "untitled"), where)


def _plain(text: str) -> str:
    """Return the text of a field without braces and commands of accents."""

    def accented(found: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", found[2] + _ACCENTS[found[1]])

    text = re.sub(r"\{?\\(['`\"^~cv])\s*\{?(\w)\}?\}?", accented, text)
    return re.sub(r"\s+", " ", re.sub(r"[{}]", "", text)).strip()
