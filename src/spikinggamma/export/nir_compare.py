"""Comparison of two NIR graphs: every node, every number and every edge."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

__all__ = ["first_difference"]

# Relative tolerance of times, which are converted to seconds; weights must be equal.
_ROUNDING = {"tau": 1e-9, "r": 1e-9, "delay": 1e-9}


def first_difference(found: Any, wanted: Any) -> tuple[str, str, str] | None:
    """Return the first node in which `found` differs from `wanted`, with both values; None if they are equal."""
    for name in sorted(found.nodes.keys() | wanted.nodes.keys()):
        if name not in wanted.nodes:
            return name, f"a {_kind(found.nodes[name])}", "no such node"
        if name not in found.nodes:
            return name, "no such node", f"a {_kind(wanted.nodes[name])}"
        difference = _node_difference(found.nodes[name], wanted.nodes[name])
        if difference is not None:
            return name, *difference
    edges, others = set(found.edges), set(wanted.edges)
    for source, target in sorted(edges ^ others):
        has = (source, target) in edges
        words = f"an edge from {source!r}"
        return target, words if has else f"no edge from {source!r}", "no such edge" if has else words
    return None


def _node_difference(found: Any, wanted: Any) -> tuple[str, str] | None:
    if _kind(found) != _kind(wanted):
        return f"a {_kind(found)}", f"a {_kind(wanted)}"
    for field in dataclasses.fields(wanted):
        if field.name == "metadata":
            continue
        mine, other = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(other, dict):
            mine, other = next(iter(mine.values())), next(iter(other.values()))
        mine, other = np.asarray(mine), np.asarray(other)
        if mine.shape != other.shape:
            return f"{field.name} of shape {list(mine.shape)}", f"shape {list(other.shape)}"
        if not np.allclose(mine, other, rtol=_ROUNDING.get(field.name, 0.0), atol=0.0):
            at = np.unravel_index(np.argmax(mine != other), mine.shape)
            return f"{field.name} {mine[at]:g} at {[int(place) for place in at]}", f"{other[at]:g}"
    return None


def _kind(node: Any) -> str:
    return type(node).__name__
