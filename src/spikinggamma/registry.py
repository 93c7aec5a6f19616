"""Entries by name: each neuron, rule, loss, layer, data set and so on registers itself where it is written.

    NEURONS: Registry[type[Neuron]] = Registry("neuron")

    @NEURONS.register("lif", options=LIFOptions, citations=(SUPER_SPIKE,))
    class LIF(Neuron):
        \"\"\"Leaky integrate and fire.\"\"\"

Recipes, help, citations, reports, lists and error messages are made from these entries; no name is written in a second list.
Packages that are installed may add entries of their own: an entry point of the group `spikinggamma` names a module, which
is imported when a registry is first asked, and registers what it holds. A recipe names entries, never code.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from spikinggamma.errors import SpikingGammaError
from spikinggamma.option_words import check_options
from spikinggamma.options import Options

__all__ = ["GROUP", "REGISTRIES", "Entry", "Registry", "import_modules"]

GROUP = "spikinggamma"
T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One thing that a recipe can name.

    Attributes:
        name: What recipes call it.
        target: The class or function itself.
        options: What can be chosen of it.
        summary: One line of words for people.
        title: A word or two for tables and figures.
        citations: BibTeX entries of its sources.
        module: Where it was registered.
    """

    name: str
    target: T
    options: type[Options]
    summary: str
    title: str
    citations: tuple[str, ...]
    module: str

    def make_options(self, values: Mapping[str, Any] | Options | None = None, *, argument: str = "") -> Any:
        """Return the options with these values.

        Args:
            values: By key; options of the right class are returned as they are.
            argument: What an error calls the table that the values came from; empty where keys stand alone.

        Raises:
            SpikingGammaError: An unknown key, a wrong type, or a value out of range.
        """
        if isinstance(values, self.options):
            return values
        return check_options(self.options, dict(values or {}), name=self.name, argument=argument)


class Registry(Generic[T]):
    """All entries of one kind.

    Args:
        kind: The kind in the singular, such as "neuron": what errors call it.
        plural: The kind in the plural, where an s is not enough.

    Example:
        >>> shapes: Registry[type] = Registry("shape of the example")
        >>> @shapes.register("round")
        ... class Round:
        ...     \"\"\"Has no corners.\"\"\"
        >>> shapes["round"].summary
        'Has no corners.'
        >>> _ = REGISTRIES.pop("shape of the example")
    """

    def __init__(self, kind: str, plural: str = "") -> None:
        self.kind = kind
        self.plural = plural or f"{kind}s"
        self._entries: dict[str, Entry[T]] = {}
        REGISTRIES[kind] = self

    def register(
        self,
        name: str,
        *,
        options: type[Options] = Options,
        summary: str = "",
        title: str = "",
        citations: Iterable[str] = (),
    ) -> Callable[[T], T]:
        """Return a decorator that adds the decorated class or function under `name`.

        Args:
            name: What recipes call it.
            options: What can be chosen of it.
            summary: One line of words; the first line of the docstring if not given.
            title: A word or two for tables; the name if not given.
            citations: BibTeX entries of its sources.

        Raises:
            SpikingGammaError: The name is taken by something of another module.
        """

        def add(target: T) -> T:
            module = getattr(target, "__module__", "")
            there = self._entries.get(name)
            if there is not None and (there.module, _name_of(there.target)) != (module, _name_of(target)):
                found = f"{name!r}, which {there.module} has registered already"
                raise SpikingGammaError(self.kind, found, "a name of its own for each entry")
            words = summary or (inspect.getdoc(target) or "").partition("\n")[0]
            self._entries[name] = Entry(
                name, target, options, words, title or name.replace("_", " "), tuple(citations), module
            )
            return target

        return add

    def find(self, name: str, *, argument: str = "") -> Entry[T]:
        """Return the entry of that name.

        Args:
            name: Of the entry.
            argument: What an error calls the key that holds the name; the kind if not given.

        Raises:
            SpikingGammaError: There is none; the nearest name is given.
        """
        if name not in self._entries:
            _discover()
        if name in self._entries:
            return self._entries[name]
        near = difflib.get_close_matches(str(name), self._entries, n=1)
        remedy = f"Did you mean `{near[0]}`?" if near else ""
        raise SpikingGammaError(argument or self.kind, repr(name), f"one of {', '.join(self.names())}", remedy)

    def __getitem__(self, name: str) -> Entry[T]:
        return self.find(name)

    def __contains__(self, name: object) -> bool:
        _discover()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order of the alphabet."""
        _discover()
        return tuple(sorted(self._entries))

    def entries(self) -> tuple[Entry[T], ...]:
        """Return all entries, in the order of their names."""
        return tuple(self._entries[name] for name in self.names())

    def name_of(self, target: T) -> str:
        """Return the name under which `target` is registered, or "" if it is not."""
        return next((name for name, entry in self._entries.items() if entry.target is target), "")


REGISTRIES: dict[str, Registry[Any]] = {}
_discovery = {"done": False}


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what they hold is registered: a new file needs no second entry."""
    for found in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{found.name}")


def _name_of(target: object) -> str:
    return str(getattr(target, "__qualname__", ""))


def _discover() -> None:
    """Import what installed packages add, once.

    Raises:
        SpikingGammaError: One of them cannot be imported; it is named.
    """
    if _discovery["done"]:
        return
    _discovery["done"] = True  # before they are imported: what they import asks registries too
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            _discovery["done"] = False
            where = f"{point.value} of {point.dist.name if point.dist else 'an installed package'}"
            found = f"{where}, which fails with {type(error).__name__}: {error}"
            remedy = "Mend or remove that package: it says that it adds entries."
            raise SpikingGammaError("entry point", found, "a module that can be imported", remedy) from error
