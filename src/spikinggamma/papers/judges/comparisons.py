"""Comparisons that judges share: accuracies with intervals, and what is lost from one row to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spikinggamma.papers.paper import Finding, Measured, Verdict
from spikinggamma.papers.reproduction.selection import LackingRows, Row

__all__ = ["accuracy", "clearly_above", "excess", "finding", "floor", "larger_loss_in_every_seed", "overlap", "percent"]


def finding(holds: bool, measured: Iterable[Measured], why: str) -> Finding:
    """Return the finding of a claim that holds or does not."""
    return Finding(Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED, tuple(measured), why)


def accuracy(row: Row, what: str) -> Measured:
    """Return the accuracy of a row with its interval."""
    return Measured(what, row["accuracy"], row["ci_low"], row["ci_high"])


def clearly_above(row: Row, other: Row | float) -> bool:
    """Return whether the interval of a row lies above that of another, or above a number."""
    return bool(row["ci_low"] > (other if isinstance(other, float) else other["ci_high"]))


def overlap(row: Row, other: Row) -> bool:
    """Return whether two intervals have a value in common."""
    return not clearly_above(row, other) and not clearly_above(other, row)


def floor(row: Row) -> float:
    """Return the accuracy that is reached from spike counts alone: the known bound of the task, or chance.

    Raises:
        LackingRows: The row does not say it.
    """
    bounds = [bound["accuracy"] for bound in row.get("floors", []) if "spike counts" in bound["why"]]
    if not bounds:
        raise LackingRows(f"a bound from spike counts in the row of {row.get('task')}")
    return float(max(bounds))


def excess(row: Row, chance: float) -> float:
    """Return by how much an accuracy is above chance."""
    return float(row["accuracy"]) - chance


def larger_loss_in_every_seed(first: tuple[Row, Row], second: tuple[Row, Row]) -> bool:
    """Return whether the first model loses more accuracy than the second, from first row to last, in every seed."""
    return all(one > other for one, other in zip(_losses(*first), _losses(*second), strict=True))


def percent(share: float) -> str:
    """Return a share in per cent with one decimal."""
    return f"{100.0 * share:.1f} %"


def _losses(before: Row, after: Row) -> Sequence[float]:
    return [one - other for one, other in zip(before["accuracy_by_seed"], after["accuracy_by_seed"], strict=True)]
