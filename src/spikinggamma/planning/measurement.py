"""What a recipe takes on this machine, measured in a process of its own by a few training steps."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import dump_recipe

__all__ = ["Measurement", "measure"]


class Measurement(NamedTuple):
    """Memory and time of a recipe.

    Attributes:
        recordings: In the parts for training, validation and testing.
        batches: In each of them.
        shortest: Steps of the shortest training batch, before augmentation.
        longest: Steps of the longest.
        parameters: Of the net.
        loaded_mib: Resident memory of the process before its first training step, with the data.
        peak_mib: Peak of resident memory over the largest batch of training and of evaluation, and a checkpoint.
        device_mib: Peak of the memory of a CUDA device; None on the processor.
        compiled: Whether kernels were compiled meanwhile, as happens once: the compiler takes memory and time of its own.
        whole: Whether the largest batches were measured; else they would not fit this machine, and memory and time are in
            proportion to what a quarter of their recordings took.
        start_s: From the start of the process to the first step, and what the first step took longer than the others.
        training_s: An epoch of training.
        validation_s: Its validation.
        checkpoint_s: Writing its checkpoints.
        test_s: The test of the best epoch.
    """

    recordings: tuple[int, ...]
    batches: tuple[int, ...]
    shortest: int
    longest: int
    parameters: int
    loaded_mib: float
    peak_mib: float
    device_mib: float | None
    compiled: bool
    whole: bool
    start_s: float
    training_s: float
    validation_s: float
    checkpoint_s: float
    test_s: float

    @property
    def epoch_s(self) -> float:
        """Training, validation and checkpoints of an epoch."""
        return self.training_s + self.validation_s + self.checkpoint_s

    @property
    def limited_mib(self) -> float:
        """The memory that runs short first: of the CUDA device, or of the process."""
        return self.peak_mib if self.device_mib is None else self.device_mib


def measure(recipe: Recipe, *, device: str = "auto", timed: bool = True) -> Measurement:
    """Measure a recipe in a process of its own, which is what `train` would be.

    A process that had to compile kernels is followed by one that finds them compiled.

    Args:
        recipe: What is to be trained. Its data is loaded, and first made if it has not been.
        device: auto, cpu or cuda.
        timed: Whether batches of several sizes are timed; else memory alone is measured, of the largest, and times are 0.

    Raises:
        SpikingGammaError: `train` would raise it: bad data, a rule that does not suit the net; or the process was killed.
    """
    request = json.dumps({"recipe": dump_recipe(recipe), "device": device, "timed": timed})
    found = _answer(recipe.name, request)
    return _answer(recipe.name, request) if found.compiled else found


def _answer(name: str, request: str) -> Measurement:
    command = [sys.executable, "-m", "spikinggamma.planning.measuring_process"]
    # Its log, of sounds that are converted for instance, goes where this one's does.
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == -9:
        raise SpikingGammaError(
            "recipe",
            f"{name}, whose measurement was killed, probably as memory ran out",
            "one that fits this machine",
            "Try a smaller training.batch_size.",
        )
    if done.returncode != 0:
        raise RuntimeError(f"the measurement of {name} ended with code {done.returncode}")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise SpikingGammaError(*answer["error"])
    return Measurement(**{**answer, "recordings": tuple(answer["recordings"]), "batches": tuple(answer["batches"])})
