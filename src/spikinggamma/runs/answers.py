"""Which losses judge the kind of answer that recordings are labelled with."""

from __future__ import annotations

from spikinggamma.data.loading import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning import LOSSES, Answer
from spikinggamma.recipes.schema import Recipe

__all__ = ["check_answer"]

# What recordings may be labelled with for each kind of answer that a loss judges.
_LABELLED: dict[Answer, tuple[str, ...]] = {
    Answer.CLASS: ("class",),
    Answer.CLASS_OR_VALUES_BY_STEP: ("class", "step_class", "step_values"),
    Answer.VALUES: ("values",),
    Answer.LABELS: ("values",),
    Answer.SHARES: ("values",),
}


def check_answer(recipe: Recipe) -> None:
    """Refuse a loss that judges another kind of answer than the recordings are labelled with.

    Raises:
        SpikingGammaError: It does; the losses that fit are named.
    """
    answer, loss = data_info(recipe).answer, recipe.learning.loss
    if answer in _LABELLED[LOSSES[loss].target.answer]:
        return
    fit = [entry.name for entry in LOSSES.entries() if answer in _LABELLED[entry.target.answer]]
    said = {
        "class": "a class",
        "step_class": "a class at each step",
        "values": "values",
        "step_values": "values at each step",
    }
    got = f"{loss!r} for {recipe.data.name}, whose recordings are labelled with {said[answer]}"
    raise SpikingGammaError("learning.loss", got, f"one of {', '.join(fit)}")
