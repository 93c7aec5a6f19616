"""A run that a measurement needs: trained to its end in the folder of the task, or resumed there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.recipes import load_recipe
from spikinggamma.runs import Run
from spikinggamma.training import resume, train

__all__ = ["trained"]


def trained(folder: Path, recipe: str, settings: Sequence[str], seed: int) -> Run:
    """Return the run of a recipe with this seed, in the folder `run` of a task's folder.

    Raises:
        SpikingGammaError: The recipe or a setting is bad, or its data is missing.
    """
    chosen = load_recipe(recipe, [*settings, f"training.seed={seed}", "training.threads=1"])
    path = folder / "run"
    if (path / "recipe.toml").exists():
        return resume(path, device="cpu")
    words = " ".join(["spikinggamma train", recipe, *(f"--set '{text}'" for text in settings), f"--seed {seed}"])
    return train(chosen, path, device="cpu", command=words)
