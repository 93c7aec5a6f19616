"""A plan in words, and as a row."""

from __future__ import annotations

from typing import Any

from spikinggamma.planning.planner import Offer, Plan

__all__ = ["describe_plan", "plan_row"]


def describe_plan(found: Plan) -> str:
    """Return a plan as a table of a few lines, with what it does not foresee."""
    measured, recipe = found.measured, found.recipe
    training = recipe.training
    train, validation, test = measured.recordings
    steps = (
        f"{measured.longest}" if measured.shortest == measured.longest else f"{measured.shortest} to {measured.longest}"
    )
    lines = [
        (
            "work",
            f"{measured.batches[0]} batches",
            f"of {training.batch_size} recordings and {steps} steps; {train} recordings, {validation} and {test} to evaluate",
        ),
        ("memory", _memory(measured.peak_mib), f"{_memory(measured.loaded_mib)} of it before the first step"),
    ]
    if measured.device_mib is not None:
        lines.append(("on the GPU", _memory(measured.device_mib), ""))
    lines += [
        (
            "an epoch",
            _time(measured.epoch_s),
            f"training {_time(measured.training_s)}, validation {_time(measured.validation_s)}, "
            f"checkpoint {_time(measured.checkpoint_s)}",
        ),
        (
            "the run",
            _time(found.seconds),
            f"{training.epochs} epochs, start {_time(measured.start_s)}, test {_time(measured.test_s)}",
        ),
    ]
    lines += _budget(found)
    first, second = (max(len(line[place]) for line in lines) for place in (0, 1))
    table = "\n".join(f"  {name:<{first}}  {value:<{second}}  {note}".rstrip() for name, value, note in lines)
    title = (
        f"{recipe.name}: rule {recipe.learning.rule}, {measured.parameters:,} parameters, {training.threads} threads"
    )
    notes = "".join(f"\n  {note}" for note in _not_foreseen(found))
    return f"{title}\n\n{table}\n\nNot foreseen:{notes}"


def plan_row(found: Plan) -> dict[str, Any]:
    """Return a plan as plain values."""
    return {
        "recipe": found.recipe.name,
        "rule": found.recipe.learning.rule,
        "threads": found.recipe.training.threads,
        "epochs": found.recipe.training.epochs,
        **found.measured._asdict(),
        "epoch_s": found.measured.epoch_s,
        "run_s": found.seconds,
        "budget_mib": found.budget_mib,
        "fits": found.fits,
        "offers": {offer.key: None if offer.fit is None else offer.fit._asdict() for offer in found.offers},
    }


def _budget(found: Plan) -> list[tuple[str, str, str]]:
    if found.budget_mib is None:
        return []
    answer = "it fits" if found.fits else "it does not fit"
    return [("budget", _memory(found.budget_mib), answer), *(_offered(offer) for offer in found.offers)]


def _offered(offer: Offer) -> tuple[str, str, str]:
    if offer.fit is None:
        return offer.key, "any", "memory does not depend on it"
    if offer.fit.size == 0:
        return offer.key, "none", f"{_memory(offer.fit.peak_mib)} at the smallest that was measured"
    return offer.key, f"{offer.fit.size}", f"the largest found to fit; {_memory(offer.fit.peak_mib)}, measured"


def _not_foreseen(found: Plan) -> list[str]:
    """What a plan leaves open, each with the key or the cause."""
    recipe = found.recipe
    notes = ["learning changes how often neurons spike, and with it the time of products over lists of spikes"]
    if recipe.augment.time_stretch > 0.0:
        notes.append(f"augment.time_stretch: a batch may be {recipe.augment.time_stretch:.0%} longer than it was here")
    if not found.measured.whole:
        notes.append(
            "a whole batch would not fit this machine: figures are in proportion to a quarter of its recordings"
        )
    if found.offers and recipe.learning.update == "chunk":
        notes.append("learning.update = chunk: another learning.chunk is another training, not only another memory")
    if found.offers:
        notes.append("training.batch_size: another batch is another training; results will differ")
    return notes


def _memory(mib: float) -> str:
    return f"{mib:,.0f} MiB" if mib < 10_000 else f"{mib / 1024:,.1f} GiB"


def _time(seconds: float) -> str:
    if seconds < 1.0:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
