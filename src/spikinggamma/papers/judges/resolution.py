"""Judges of rows of `bench resolution`: what a net loses at another time step, and beside rivals at its own."""

from __future__ import annotations

from spikinggamma.papers.judges.comparisons import accuracy, clearly_above, finding
from spikinggamma.papers.paper import Finding, Measured
from spikinggamma.papers.reproduction.selection import LackingRows, Row, Rows

__all__ = ["beside_ottt", "carried_accuracy", "carried_spikes", "trained_at_any_step"]

_NET = "spikinggamma"
_MARGIN = 0.015


def carried_accuracy(rows: Rows) -> Finding:
    """Judge "a trained net is as accurate at another step": its interval reaches to 1.5 points below the best step."""
    shown, wrong = [], []
    for task, steps in _carried(rows).items():
        best = max(row["accuracy"] for row in steps.values())
        shown += [accuracy(row, f"{task}, {step:g} ms") for step, row in steps.items()]
        wrong += [f"{task}, {step:g} ms" for step, row in steps.items() if row["ci_high"] < best - _MARGIN]
    return finding(not wrong, shown, f"Below at {'; '.join(wrong)}." if wrong else "So at every step.")


def carried_spikes(rows: Rows) -> Finding:
    """Judge "a trained net sends as many spikes at another step": within 10 % of those at the step of training."""
    shown, wrong = [], []
    for task, steps in _carried(rows).items():
        shown += [Measured(f"{task}, {step:g} ms", row["spikes_ratio"]) for step, row in steps.items()]
        wrong += [f"{task}, {step:g} ms" for step, row in steps.items() if not row["spikes_hold"]]
    return finding(not wrong, shown, f"Beyond 10 % at {'; '.join(wrong)}." if wrong else "So at every step.")


def trained_at_any_step(rows: Rows) -> Finding:
    """Judge "a net learns as well at any step": at most 1.5 points of accuracy below the best step."""
    shown, wrong = [], []
    for row in rows.some(bench="resolution", model=_NET, mode="trained"):
        what = f"{row['task']}, {row['trained_dt_ms']:g} ms"
        shown.append(accuracy(row, what))
        wrong += [] if row["accuracy_holds"] else [what]
    return finding(not wrong, shown, f"Below at {'; '.join(wrong)}." if wrong else "So at every step.")


def beside_ottt(rows: Rows) -> Finding:
    """Judge "as accurate as LIF nets trained by OTTT, or better", each at the recipe's step, on every task."""
    shown, wrong = [], []
    ours = [row for row in rows.some(bench="resolution", model=_NET, mode="trained") if _at_home(row)]
    for row in ours:
        rivals = rows.some(bench="resolution", model="lif_ottt", mode="trained", task=row["task"])
        rival = next((one for one in rivals if _at_home(one)), None)
        if rival is None:
            raise LackingRows(f"the row of lif_ottt at its own step of {row['task']}")
        shown += [accuracy(row, f"{row['task']}, SpikingGamma"), accuracy(rival, f"{row['task']}, LIF, OTTT")]
        wrong += [row["task"]] if clearly_above(rival, row) else []
    return finding(not wrong, shown, f"Clearly below on {', '.join(wrong)}." if wrong else "Not below on any task.")


def _at_home(row: Row) -> bool:
    return bool(row["trained_dt_ms"] == row["recipe_dt_ms"])


def _carried(rows: Rows) -> dict[str, dict[float, Row]]:
    """Return the rows of the nets that were trained at the recipe's step, by task and step of the run."""
    found: dict[str, dict[float, Row]] = {}
    for row in rows.some(bench="resolution", model=_NET):
        if _at_home(row):
            found.setdefault(row["task"], {})[row["run_dt_ms"]] = row
    if not any(len(steps) > 1 for steps in found.values()):
        raise LackingRows("rows of a net that was trained at the recipe's step and run at others")
    return {task: dict(sorted(steps.items())) for task, steps in found.items()}
