"""Pages that are made from the library while the site is built: keys of a recipe, entries, and the README's table of rules.

A page asks for each by a comment in its place: `<!-- recipe keys -->`, `<!-- entries -->`, `<!-- rules -->`.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from spikinggamma.cli.entries import COMMANDS
from spikinggamma.option_words import OptionRow, option_rows
from spikinggamma.options import Section
from spikinggamma.recipes import OPTION_TABLES, Range, Recipe
from spikinggamma.recipes.option_tables import NAMED_BY
from spikinggamma.registry import REGISTRIES

README = Path(__file__).resolve().parents[2] / "README.md"


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Put each generated part where a page asks for it."""
    for name, make in PARTS.items():
        mark = f"<!-- {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown


def recipe_keys() -> str:
    """Return a table for each table of a recipe: key, default, values, meaning."""
    parts = [_titled("Above all tables", "", [row for row in option_rows(Recipe) if row.key == "name"])]
    for table, field in Recipe.model_fields.items():
        if isinstance(field.default, Section):
            kind = type(field.default)
            parts.append(_titled(f"`[{table}]`", inspect.getdoc(kind) or "", option_rows(kind)))
            if table == "search":
                parts.append(_titled("Each entry of `[search.space]`", inspect.getdoc(Range) or "", option_rows(Range)))
        elif table in OPTION_TABLES:
            section, key = NAMED_BY[table][0]
            named = f"The {field.description}. Its keys are those of the entry that `{section}.{key}` names."
            parts.append(_titled(f"`[{table}]`", f"{named} See [what a recipe can name](entries.md).", []))
        elif table == "layers":
            named = (
                f"The {field.description}. The key `layer` names one, and its other keys are the options of that entry."
            )
            parts.append(_titled("`[[layers]]`", f"{named} See [layers and neurons](entries.md#layers).", []))
    return "\n\n".join(parts)


def entries() -> str:
    """Return a section for each kind of entry, in which every entry has its summary and a table of its options."""
    parts = []
    for command, (room, kind, purpose, _) in COMMANDS.items():
        importlib.import_module(room)
        parts.append(f"## {command.capitalize()}\n\n{_prose(purpose)} (`spikinggamma {command}`).")
        for entry in REGISTRIES[kind].entries():
            rows = option_rows(entry.options)
            words = entry.summary if rows else f"{entry.summary} It has no options."
            parts.append(_titled(f"`{entry.name}`", words, rows))
    return "\n\n".join(parts)


def rules() -> str:
    """Return the README's table of learning rules, with its links as they are from the pages of the site."""
    found = re.search(r"<!-- rules -->\n(.*?)\n<!-- /rules -->", README.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise RuntimeError("the README has no table between <!-- rules --> and <!-- /rules -->")
    return found[1].replace("](docs/", "](")


PARTS: dict[str, Callable[[], str]] = {"recipe keys": recipe_keys, "entries": entries, "rules": rules}


def _titled(title: str, words: str, rows: Iterable[OptionRow]) -> str:
    table = [f"| {' | '.join(map(_cell, _columns(row)))} |" for row in rows]
    head = ["| key | default | values | meaning |", "| --- | --- | --- | --- |"] if table else []
    return "\n\n".join(filter(None, (f"### {title}", _prose(words), "\n".join([*head, *table]))))


def _columns(row: OptionRow) -> tuple[str, str, str, str]:
    kind, values = row.kind.partition(", as ")[0], row.range
    listed = kind == "a word" and values
    default = row.default if row.default == "to be given" else f"`{row.default}`" if row.default else '`""`'
    return f"`{row.key}`", default, values if listed else ", ".join(filter(None, (kind, values))), row.description


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|").replace("\n", " ")


def _prose(text: str) -> str:
    return text.replace("[[", "\\[\\[")  # which would be a link
