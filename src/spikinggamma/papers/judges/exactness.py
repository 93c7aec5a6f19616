"""Judges of rows of `bench gradient` and `bench memory`: exact gradients, and memory that does not grow."""

from __future__ import annotations

from typing import Literal

from spikinggamma.papers.judges.comparisons import finding
from spikinggamma.papers.paper import Finding, Judge, Measured
from spikinggamma.papers.reproduction.selection import LackingRows, Rows

__all__ = ["agrees_with_bptt", "autograd_and_differences", "constant_memory"]

_COSINE = 0.999999
_HOLDING = ("through_time", "lif_bptt")  # rules that hold a recording, shown beside


def agrees_with_bptt(rule: str, key: Literal["cosine", "cosine_hidden"]) -> Judge:
    """Return the judge of "the gradient of this rule is that of backpropagation through time".

    Args:
        rule: The rule.
        key: Which cosine: of all parameters, or without the read-out, whose gradient is exact in every rule.
    """

    def judge(rows: Rows) -> Finding:
        found = [row[key] for row in rows.some(bench="gradient", rule=rule, oracle="through_time")]
        found = [cosine for cosine in found if cosine is not None]
        if not found:
            raise LackingRows(f"rows of bench gradient of {rule} with a {key}")
        shown = (Measured(f"lowest cosine of {len(found)} comparisons", min(found), unit=""),)
        return finding(min(found) >= _COSINE, shown, f"The rule `{rule}` beside backpropagation through time.")

    return judge


def autograd_and_differences(rows: Rows) -> Finding:
    """Judge "the error is propagated directly": the gradient is that of autograd and of finite differences."""
    shown, held = [], True
    for oracle in ("autograd", "finite differences"):
        found = rows.some(bench="gradient", rule="through_time", oracle=oracle)
        worst = max(row["relative_error"] for row in found)
        shown.append(Measured(f"largest error beside {oracle}, {len(found)} comparisons", worst, unit=""))
        held = held and all(row["holds"] for row in found)
    why = "No spike is differentiated: decoding is taken as faithful, and the rest is linear or a ReLU."
    return finding(held, shown, why)


def constant_memory(*rules: str) -> Judge:
    """Return the judge of "the peak memory of these rules does not grow with the length of a recording"."""

    def judge(rows: Rows) -> Finding:
        shown, held = [], []
        for rule in (*rules, *_HOLDING):
            try:
                found = rows.some(bench="memory", rule=rule)
            except LackingRows:  # a quick run measures some of the rules
                continue
            longest = max(found, key=lambda row: float(row["steps"]))
            ratio = longest["peak_ratio"]
            shown.append(Measured(f"{rule}, {longest['steps']} steps", ratio, unit="times the shortest"))
            held += [row["holds"] for row in found if rule in rules]
        if not held:
            raise LackingRows(f"rows of bench memory of {' or '.join(rules)}")
        return finding(all(held), shown, "The peak of the longest recording; rules that hold the recording beside.")

    return judge
