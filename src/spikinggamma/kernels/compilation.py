"""Compilation of functions for the processor, with a cache on disk that is valid until any of their sources changes.

numba's own cache checks only the file of the compiled function, so it misses changes of functions that it calls in
other files. Here its stamp also covers the sources of all modules of the package that the file imports, directly or
indirectly.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.machinery import ModuleSpec
from typing import Any

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache

__all__ = ["compilations", "compiled", "sources_of", "stamp"]

_compiled: list[str] = []


def compiled(function: Callable[..., None]) -> Any:
    """Return a kernel in machine code, with one version for each element type, cached on disk; it releases the GIL.

    A product and a sum may be fused into one rounding, and the sign of zero is not defined; no other order of
    operations changes. Functions that it calls must be decorated with `numba.njit(nogil=True)`, in the same file or in
    another one of the package.
    """
    result: Any = njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})(function)
    cache: Any = _Cache
    result._cache = cache(function)  # as numba's own `enable_caching` does
    return result


def compilations() -> int:
    """Return how many machine versions this process has compiled, rather than loaded from the disk."""
    return len(_compiled)


@lru_cache(maxsize=64)
def sources_of(module: str) -> dict[str, str]:
    """Return the sources, by name, of a module and of all modules of its package that it imports, also indirectly.

    Example:
        >>> sorted(sources_of("spikinggamma.kernels.delay_cpu"))
        ['spikinggamma.kernels.compilation', 'spikinggamma.kernels.delay_cpu']
    """
    package, found, waiting = module.partition(".")[0], {}, [module]
    while waiting:
        name = waiting.pop()
        spec = _spec(name)
        # A module that is not a Python file, as in a frozen program, does not change by itself.
        source = getattr(spec.loader, "get_source", lambda _: None)(name) if spec is not None else None
        if name in found or source is None:
            continue
        found[name] = source
        waiting += [other for other in _imported(source) if other.partition(".")[0] == package]
    return found


def stamp(module: str) -> str:
    """Return a hash of `sources_of` a module."""
    text = "\0".join(part for item in sorted(sources_of(module).items()) for part in item)
    return hashlib.sha256(text.encode()).hexdigest()


def _spec(name: str) -> ModuleSpec | None:
    if name in sys.modules:
        return sys.modules[name].__spec__
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:  # not a module, but a name in one
        return None


def _imported(source: str) -> Iterator[str]:
    """Yield the names of modules that a source imports, and of names imported from them, which may be modules too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _stamped(base: Any) -> Any:
    """Return a numba cache locator whose stamp, which decides whether the cache is valid, covers all sources."""

    class Stamped(base):  # type: ignore[misc]
        @classmethod
        def from_function(cls, function: Callable[..., None], file: str) -> Any:
            found = super().from_function(function, file)
            if found is not None:  # else this locator cannot store the function
                found.module = function.__module__
            return found

        def get_source_stamp(self) -> Any:
            return super().get_source_stamp(), stamp(self.module)

    return Stamped


class _Implementation(CompileResultCacheImpl):
    _locator_classes: Any = tuple(map(_stamped, CompileResultCacheImpl._locator_classes))


class _Cache(FunctionCache):
    _impl_class = _Implementation

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a new version on disk."""
        _compiled.append(str(sig))
        super().save_overload(sig, data)
