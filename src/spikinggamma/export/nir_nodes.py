"""Access to the nodes of a NIR graph, with errors that name the node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.nir_wiring import Array

__all__ = ["REMEDY", "Nodes"]

REMEDY = "Graphs written by `write_nir` are read, and read-outs of Linear and LI; see docs/nir.md."


class Nodes:
    """The nodes of a graph by name.

    Args:
        nodes: The nodes as `nir` holds them.
    """

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._nodes = nodes

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def kind(self, name: str) -> str:
        """Return the kind of a node, such as LI.

        Raises:
            SpikingGammaError: There is no node of that name.
        """
        if name not in self._nodes:
            raise SpikingGammaError(name, "no such node", "a node of that name", REMEDY)
        return type(self._nodes[name]).__name__

    def field(self, name: str, kind: str, field: str) -> Array:
        """Return an array of a node.

        Args:
            name: Name of the node.
            kind: Required kind of the node; empty for any kind with this field.
            field: Name of the array.

        Raises:
            SpikingGammaError: There is no node of that name, or it is of another kind or lacks the field.
        """
        found = self.kind(name)
        if kind not in ("", found) or not hasattr(self._nodes[name], field):
            raise SpikingGammaError(name, f"a {found}", f"a {kind}" if kind else f"a node with {field}", REMEDY)
        values = np.asarray(getattr(self._nodes[name], field))
        if values.size == 0:
            raise SpikingGammaError(name, f"no {field}", "at least one number", REMEDY)
        return values

    def require(self, name: str, found: object, wanted: object, what: str = "") -> None:
        """Raise `SpikingGammaError` for this node unless `found` equals `wanted`."""
        if found != wanted:
            raise SpikingGammaError(name, f"{what}{found}", f"{what}{wanted}", REMEDY)
