"""Judges of rows of `bench timing`: what a model reads of timing, what delays add, and what perturbations take.

An accuracy is *clearly above* another if its 95 % interval lies above the other's. Each judge is made for a place, a
task and its variant ("fsdd.norm"), and says in words what it compares; the claims of several papers use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from spikinggamma.papers.judges.comparisons import (
    accuracy,
    clearly_above,
    excess,
    finding,
    floor,
    larger_loss_in_every_seed,
    overlap,
    percent,
)
from spikinggamma.papers.paper import Finding, Judge, Measured
from spikinggamma.papers.reproduction.selection import LackingRows, Row, Rows

__all__ = [
    "above_counts",
    "better_in_every_seed",
    "delays_bring",
    "falls_to_counts",
    "keeps",
    "loses_more_with_delays",
    "meets",
    "stays_above",
]

NAMES = {"mlp": "counts", "lif": "LIF", "lif_delay": "LIF, delays", "spikinggamma": "SpikingGamma"}


def above_counts(place: str, perturbation: str, models: Sequence[str], level: float | None = None) -> Judge:
    """Return the judge of "these models read more than spike counts tell", at a level, by default the lowest."""

    def judge(rows: Rows) -> Finding:
        found = [_at(rows, place, perturbation, model, level) for model in models]
        bound = floor(found[0])
        held = all(clearly_above(row, bound) for row in found)
        why = f"Counts give at most {percent(bound)}; the interval of {_all(models)} {_lies(held)} above."
        return finding(held, map(accuracy, found, _named(models)), why)

    return judge


def meets(place: str, perturbation: str, models: Sequence[str], level: float, *, on: str = "counts") -> Judge:
    """Return the judge of "at this level, these models are as good as counts": their intervals have a value in common.

    Args:
        place: Task and variant.
        perturbation: Of the rows.
        models: The models.
        level: Of the perturbation.
        on: "counts" for the known bound, "mlp" for the perceptron's interval.
    """

    def judge(rows: Rows) -> Finding:
        found = [_at(rows, place, perturbation, model, level) for model in models]
        if on == "mlp":
            counts = _at(rows, place, perturbation, "mlp", level)
            held = all(overlap(row, counts) for row in found)
            shown = [accuracy(counts, "counts"), *map(accuracy, found, _named(models))]
            return finding(held, shown, f"The intervals of {_all(models)} and of counts {_share(held)}.")
        bound = floor(found[0])
        held = all(row["ci_low"] <= bound <= row["ci_high"] for row in found)
        why = f"Counts give {percent(bound)}, which is {'in' if held else 'not in'} the interval of {_all(models)}."
        return finding(held, map(accuracy, found, _named(models)), why)

    return judge


def falls_to_counts(place: str, perturbation: str, model: str) -> Judge:
    """Return the judge of "accuracy falls steadily to that of counts as the level rises"."""

    def judge(rows: Rows) -> Finding:
        series = _series(rows, place, perturbation, model)
        found = list(series.values())
        bound = floor(found[0])
        # A level may be above the one before it by chance, so intervals must allow that it is not.
        falls = all(row["ci_low"] <= before["ci_high"] for before, row in pairwise(found))
        held = falls and clearly_above(found[0], found[-1]) and found[-1]["ci_low"] <= bound
        shown = [accuracy(row, f"{NAMES[model]}, {level:g}") for level, row in series.items()]
        why = f"From {percent(found[0]['accuracy'])} to {percent(found[-1]['accuracy'])}; counts give {percent(bound)}."
        return finding(held, shown, why)

    return judge


def delays_bring(place: str, perturbation: str, *, gain: Mapping[float, bool]) -> Judge:
    """Return the judge of "with delays a net is clearly better at these levels, and not at those".

    Args:
        place: Task and variant.
        perturbation: Of the rows.
        gain: Whether delays help, for each level.
    """

    def judge(rows: Rows) -> Finding:
        shown: list[Measured] = []
        wrong: list[str] = []
        for level, helps in gain.items():
            plain, delayed = (_at(rows, place, perturbation, model, level) for model in ("lif", "lif_delay"))
            shown += [accuracy(plain, f"LIF, {level:g}"), accuracy(delayed, f"LIF, delays, {level:g}")]
            if clearly_above(delayed, plain) is not helps:
                wrong.append(f"{level:g} ({'no clear gain' if helps else 'a clear gain'})")
        return finding(not wrong, shown, f"Against the claim at {', '.join(wrong)}." if wrong else "So at every level.")

    return judge


def better_in_every_seed(place: str, perturbation: str, model: str, other: str, *, level: float) -> Judge:
    """Return the judge of "every seed of the model is above every seed of the other", on the same test recordings."""

    def judge(rows: Rows) -> Finding:
        mine, theirs = (_at(rows, place, perturbation, name, level) for name in (model, other))
        lowest, highest = min(mine["accuracy_by_seed"]), max(theirs["accuracy_by_seed"])
        why = f"Lowest seed of {NAMES[model]}: {percent(lowest)}; highest of {NAMES[other]}: {percent(highest)}."
        shown = [accuracy(mine, NAMES[model]), accuracy(theirs, NAMES[other])]
        return finding(lowest > highest, shown, why)

    return judge


def stays_above(place: str, perturbation: str, model: str, *, mode: str, below: float = float("inf")) -> Judge:
    """Return the judge of "the model is clearly above counts at every level" (of those under `below`)."""

    def judge(rows: Rows) -> Finding:
        mine = _series(rows, place, perturbation, model, mode)
        counts = _series(rows, place, perturbation, "mlp", mode)
        levels = [level for level in mine if level < below]
        if not set(levels) <= counts.keys():
            raise LackingRows(f"rows of counts at every level of {place}.{perturbation}")
        failed = [f"{level:g}" for level in levels if not clearly_above(mine[level], counts[level])]
        shown = [
            measured
            for level in levels
            for measured in (
                accuracy(mine[level], f"{NAMES[model]}, {level:g}"),
                accuracy(counts[level], f"counts, {level:g}"),
            )
        ]
        return finding(not failed, shown, f"Not above at {', '.join(failed)}." if failed else "Above at every level.")

    return judge


def keeps(place: str, perturbation: str, models: Sequence[str], *, level: float, share: float, chance: float) -> Judge:
    """Return the judge of "at this level the models keep a share of what they had above chance"."""

    def judge(rows: Rows) -> Finding:
        shown: list[Measured] = []
        kept: dict[str, float] = {}
        for model in models:
            plain = _at(rows, place, perturbation, model, 0.0)
            changed = _at(rows, place, perturbation, model, level)
            kept[model] = excess(changed, chance) / excess(plain, chance)
            shown += [accuracy(plain, NAMES[model]), accuracy(changed, f"{NAMES[model]}, {level:g}")]
        why = "; ".join(f"{NAMES[model]} keeps {percent(part)}" for model, part in kept.items())
        return finding(all(part >= share for part in kept.values()), shown, f"{why} of its accuracy above chance.")

    return judge


def loses_more_with_delays(place: str, perturbation: str, *, level: float) -> Judge:
    """Return the judge of "with delays a net loses more accuracy than without, in every seed"."""

    def judge(rows: Rows) -> Finding:
        pairs = {
            model: (_at(rows, place, perturbation, model, 0.0), _at(rows, place, perturbation, model, level))
            for model in ("lif", "lif_delay")
        }
        held = larger_loss_in_every_seed(pairs["lif_delay"], pairs["lif"])
        shown = [
            accuracy(row, f"{NAMES[model]}{words}")
            for model, rows_of in pairs.items()
            for row, words in zip(rows_of, ("", f", {level:g}"), strict=True)
        ]
        lost = {model: before["accuracy"] - after["accuracy"] for model, (before, after) in pairs.items()}
        why = f"Lost {100 * lost['lif_delay']:.1f} points with delays and {100 * lost['lif']:.1f} without"
        return finding(held, shown, f"{why}; {'more' if held else 'not more'} with delays in every seed.")

    return judge


def _series(rows: Rows, place: str, perturbation: str, model: str, mode: str | None = None) -> dict[float, Row]:
    task, _, variant = place.partition(".")
    found: dict[float, Row] = rows.series(
        "level", bench="timing", task=task, variant=variant, perturbation=perturbation, model=model,
        **({"mode": mode} if mode else {}),
    )  # fmt: skip
    if len(found) < 2:
        raise LackingRows(f"several levels of {place}.{perturbation} of {model}")
    return found


def _at(rows: Rows, place: str, perturbation: str, model: str, level: float | None) -> Row:
    """Return the row of a model at a level, by default the lowest; level 0 is one net in every group of a place."""
    if level is None:
        return next(iter(_series(rows, place, perturbation, model).values()))
    task, _, variant = place.partition(".")
    common = {"bench": "timing", "task": task, "variant": variant, "model": model, "level": level}
    return rows.one(**common) if level == 0.0 else rows.one(**common, perturbation=perturbation)


def _named(models: Sequence[str]) -> list[str]:
    return [NAMES[model] for model in models]


def _all(models: Sequence[str]) -> str:
    return " and ".join(_named(models))


def _lies(held: bool) -> str:
    return "lies" if held else "does not lie"


def _share(held: bool) -> str:
    return "overlap" if held else "do not overlap"
