"""Trains or resumes one run of a benchmark in its own process, and makes the evaluations that are needed of it.

    python -m spikinggamma.bench.run_work '{"folder": ..., "source": ..., "settings": [...], "asked": [["", 0, 0.5]]}'

Existing results are kept: a finished run is not trained again, and no evaluation is repeated.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from spikinggamma.bench.kept_runs import OUTCOMES, Asked, PlannedRun, check_recipe, missing
from spikinggamma.bench.rediscretisation import mapped_net
from spikinggamma.bench.rows import write_rows
from spikinggamma.data import load_splits, resolved
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation import score
from spikinggamma.events import parse_perturbation, perturbed
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.recipes import Recipe, load_recipe
from spikinggamma.runs import Run, build_evaluator, read_rows
from spikinggamma.runtime import computing
from spikinggamma.training import resume, train

__all__ = ["command", "end_with", "main", "work"]

_log = logging.getLogger(__name__)
_LOOK_S = 0.5


def command(run: PlannedRun, folder: Path, asked: Sequence[Asked]) -> tuple[str, ...]:
    """Return the command that starts the process of a run.

    Args:
        run: The run.
        folder: Its folder.
        asked: The required evaluations.
    """
    told = {
        "folder": str(folder),
        "source": run.source,
        "settings": list(run.settings),
        "asked": list(dict.fromkeys(asked)),
    }
    return (sys.executable, "-m", "spikinggamma.bench.run_work", json.dumps(told))


def work(folder: Path, source: str, settings: Sequence[str], asked: Sequence[Asked]) -> None:
    """Train the run in `folder` to its end, and write all evaluations in `asked` to its `outcomes.jsonl`.

    Args:
        folder: Folder of the run.
        source: Name of the recipe, or path of its file.
        settings: Overrides of the recipe.
        asked: The required evaluations.

    Raises:
        SpikingGammaError: Training or evaluation raises it.
    """
    recipe = resolved(load_recipe(source, settings))
    run = _trained(folder, recipe, source, settings)
    wanted = missing(folder, recipe, list(dict.fromkeys(asked)))
    if not wanted:
        return
    rows = read_rows(folder / OUTCOMES)
    net = run.net()
    recordings = load_splits(
        recipe
    ).test  # loaded once, as making a variant of speech takes longer than evaluating a net
    longest_us = max(recording.duration_us for recording in recordings)
    for one in wanted:
        dt_ms = recipe.data.dt_ms if one.dt_ms is None else one.dt_ms
        mapped = mapped_net(net, one.mapping, trained_ms=recipe.data.dt_ms, run_ms=dt_ms)
        evaluator = build_evaluator(mapped, recipe, dt_ms=dt_ms)
        changes = [parse_perturbation(one.perturb)] if one.perturb else []
        with computing(threads=recipe.training.threads, products=recipe.training.products):
            found = score(evaluator, recipe, perturbed(recordings, changes, seed=one.perturb_seed), torch.device("cpu"))
        # Values are near or far, not right or wrong.
        figures: dict[str, object] = {"r2": found.figure, "right": ""}
        if found.right is not None:
            figures = {"accuracy": found.accuracy, "right": "".join(str(int(right)) for right in found.right)}
        rows.append(
            one._asdict()
            | {
                **figures,
                "spikes_per_neuron_s": found.spikes_per_neuron_s_overall,
                "steps": math.ceil(longest_us / (1000.0 * evaluator.dt_ms)),
            }
            | ({"decisions": found.decisions} if found.right is not None and max(found.decisions) > 1 else {})
        )
        write_rows(folder / OUTCOMES, rows)


def _trained(folder: Path, recipe: Recipe, source: str, settings: Sequence[str]) -> Run:
    if (folder / "recipe.toml").exists():
        check_recipe(folder, recipe)
        return resume(folder, device="cpu")
    if folder.is_dir():
        remove_leftovers(folder)
    words = ["spikinggamma", "train", source, *(word for text in settings for word in ("--set", text))]
    return train(recipe, folder, device="cpu", command=shlex.join([*words, "--out", str(folder)]))


def end_with(parent: int) -> None:
    """Interrupt this process when its parent is gone, as a killed parent cannot do so."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Run the work described by the JSON argument; return 0, or 2 for bad input, whose message ends the log."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    # As on the command line, a terminated run can be resumed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told = json.loads(arguments[0])
    try:
        work(Path(told["folder"]), told["source"], told["settings"], [Asked(*one) for one in told["asked"]])
    except SpikingGammaError as error:
        _log.error("error: %s", error)
        return 2
    return 0


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    sys.exit(main(sys.argv[1:]))
