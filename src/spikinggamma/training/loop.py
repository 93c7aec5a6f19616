"""The training loop: epochs, checkpoints, and a test at the end with the weights of the best validation epoch.

Everything random in an epoch follows from the seed and the epoch's number, so a run that was interrupted, even killed,
goes on from its last checkpoint to the very numbers that it would have reached.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import torch

from spikinggamma.cost.costs import cost_row
from spikinggamma.cost.energy import ENERGY_TABLES
from spikinggamma.data.given import keep_given
from spikinggamma.data.loading import data_info, load_splits
from spikinggamma.distributed import ProcessGroup, gathered
from spikinggamma.evaluation.metrics import metric_of
from spikinggamma.evaluation.result_rows import result_row
from spikinggamma.evaluation.scores import Score, score
from spikinggamma.events import Splits
from spikinggamma.files.json_files import write_json
from spikinggamma.recipes.schema import Recipe
from spikinggamma.runs.build import build_learner, build_net, pick_device
from spikinggamma.runs.checkpoint import Best, Checkpoint, load_checkpoint, restore_net, save_checkpoint
from spikinggamma.runs.metrics import Row, append_row, read_rows
from spikinggamma.runs.run import Run, check_out, create_run, load_run, set_status
from spikinggamma.training.epoch import learn_epoch
from spikinggamma.training.non_finite import has_finite_parameters, non_finite_error
from spikinggamma.training.progress import Reporter, SilentReporter, reporter_for
from spikinggamma.training.recordings import check_same_recordings, facts_of_recordings, recordings_for
from spikinggamma.training.session import training_session
from spikinggamma.training.state import State
from spikinggamma.training.tensorboard_files import open_tracker, require_tensorboard

__all__ = ["fit", "resume", "train"]


def train(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    reporter: Reporter | None = None,
    command: str = "",
    tensorboard: bool = False,
    splits: Any = None,
) -> Run:
    """Train a net from a recipe in a folder of its own, then test its best epoch once.

    Called in every process that `torchrun` started, all train the one net (see `spikinggamma.distributed`).

    Args:
        recipe: What to train on what, and how.
        out: A new folder; `runs/<recipe>-<seed>-<n>` if not given.
        device: auto, cpu or cuda.
        reporter: Told of the progress; a bar on a terminal, log lines elsewhere if not given.
        command: What was typed, for the record.
        tensorboard: Whether the folder gets files for TensorBoard too; a run that has some goes on with them.
        splits: Recordings instead of the recipe's: `Splits`, or whatever `spikinggamma.data.given_recordings` takes, such as a
            mapping of parts to pairs of arrays or to torch Datasets. They are kept in the folder.

    Returns:
        The finished run.

    Raises:
        SpikingGammaError: Bad data, a folder in use, no TensorBoard, a full disk, or numbers that stopped being finite.
        TrainingInterrupted: Ctrl-C; `resume` goes on from there.
        LostProcess: Another process of the same run ended before its time; `resume` goes on, with any number of them.

    Example:
        >>> run = train(load_recipe("localisation", ["training.epochs=1"]))  # doctest: +SKIP
        >>> run.result["accuracy"]  # doctest: +SKIP
    """
    with gathered(pick_device(device)) as (processes, where):
        processes.first(lambda: check_out(out))
        if tensorboard:
            processes.first(require_tensorboard)
        # Before there is a folder, so that a bad recipe or bad data leaves nothing behind.
        given = recordings_for(recipe, splits, processes)
        recipe = given.recipe
        build_learner(build_net(recipe), recipe)
        facts = processes.first(lambda: facts_of_recordings(given))
        run = processes.first(lambda: create_run(recipe, out, command=command, device=str(where), **facts))
        if splits is not None:
            processes.first(lambda: keep_given(run.path, given))
            run = processes.first(lambda: load_run(run.path))
        return _work(run, given.splits, where, reporter, processes, tensorboard=tensorboard)


def resume(
    folder: str | Path, *, device: str = "auto", reporter: Reporter | None = None, tensorboard: bool = False
) -> Run:
    """Go on with a run from its last checkpoint; a finished run is returned as it is.

    Raises:
        SpikingGammaError: No run there; another process trains it; a damaged checkpoint, or one of another net.
        TrainingInterrupted, LostProcess: As `train` does, again.
    """
    with gathered(pick_device(device)) as (processes, where):
        run = processes.first(lambda: load_run(folder))
        if run.result is not None:
            return run
        splits = processes.in_turn(lambda: load_splits(run.recipe))
        check_same_recordings(run, splits)
        return _work(run, splits, where, reporter, processes, tensorboard=tensorboard)


def fit(
    run: Run, splits: Splits, *, device: torch.device, reporter: Reporter, should_stop: Callable[[Row], bool]
) -> tuple[Best, list[Row]]:
    """Train and validate without testing, from the last checkpoint on if there is one: a trial of a search.

    Args:
        run: As `create_run` made it, or an earlier `fit` left it.
        splits: The recordings; those for testing are not looked at.
        device: Where the net runs.
        reporter: Told of the progress.
        enough: Asked with every epoch's row, when the epoch is written; training ends where it says so.

    Returns:
        The best epoch and the rows of all.

    Raises:
        SpikingGammaError, TrainingInterrupted: As `train` does.
    """
    with training_session(run, splits, device) as state:
        rows = read_rows(run.path / "metrics.jsonl")
        if not (rows and should_stop(rows[-1])):
            with reporter as shown:
                rows += _learn(state, shown, should_stop)
        set_status(run.path, "untested")
        return state.best, rows


def _work(
    run: Run,
    splits: Splits,
    device: torch.device,
    reporter: Reporter | None,
    processes: ProcessGroup,
    *,
    tensorboard: bool,
) -> Run:
    with training_session(run, splits, device, processes) as state, ExitStack() as files:
        if processes.is_main:
            epochs = run.recipe.training.epochs
            tracker = open_tracker(run.path, wanted=tensorboard, done=state.done, epochs=epochs)
            state.tracker = tracker and files.enter_context(closing(tracker))
        with (reporter or reporter_for()) if processes.is_main else SilentReporter() as shown:
            _learn(state, shown)
        _finish(state)
    return processes.first(lambda: load_run(run.path))


def _learn(state: State, shown: Reporter, should_stop: Callable[[Row], bool] | None = None) -> list[Row]:
    """The epochs that are left, until `enough` is said; their rows."""
    rows: list[Row] = []
    epochs = state.recipe.training.epochs
    shown.begin(epochs=epochs, done=state.done)
    for epoch in range(state.done + 1, epochs + 1):
        rows.append(_epoch(state, epoch, shown))
        shown.epoch(rows[-1])
        if should_stop is not None and should_stop(rows[-1]):
            break
    return rows


def _epoch(state: State, epoch: int, shown: Reporter) -> Row:
    """Train and validate once, and write what came of it."""
    recipe = state.recipe
    started = time.perf_counter()
    row: Row = {"epoch": epoch} | learn_epoch(state, epoch, shown)
    state.processes.align(state.net.state_dict().values())
    state.net.eval()
    found = score(state.evaluator, recipe, state.splits.validation, state.device, state.processes)
    if not (math.isfinite(found.loss) and has_finite_parameters(state.net)):
        when = f"the validation of epoch {epoch}"
        raise non_finite_error(f"loss {found.loss}", state.net, None, recipe.data.dt_ms, when=when, kept=state.kept)
    seconds = time.perf_counter() - started
    row |= {
        "validation_loss": found.loss,
        f"validation_{metric_of(recipe).name}": found.figure,
        "spikes_per_neuron_s": found.spikes_per_neuron_s,
        "seconds": seconds,
        "samples_per_s": len(state.splits.train) / seconds,
    }
    state.processes.first(lambda: _write_epoch(state, row, found))
    if state.best.beaten_by(found.figure, found.loss):
        state.best = Best(epoch, found.figure, found.loss)
    state.done = epoch
    return row


def _write_epoch(state: State, row: Row, found: Score) -> None:
    """The row, the best weights if these are they, and the checkpoint last.

    A process killed between two of these writes resumes at the checkpoint, takes the row back and writes both anew.
    """
    run, recipe, epoch, best = state.run, state.recipe, row["epoch"], state.best
    append_row(run.path / "metrics.jsonl", row, remedy=state.kept)
    if state.tracker is not None:
        state.tracker.epoch(row, found, state.net)
    weights = {name: tensor.detach().cpu() for name, tensor in state.net.state_dict().items()}
    if best.beaten_by(found.figure, found.loss):
        best = Best(epoch, found.figure, found.loss)
        save_checkpoint(run.best, Checkpoint(epoch, weights, None, best), recipe, remedy=state.kept)
    checkpoint = Checkpoint(epoch, weights, state.optimiser.state_dict(), best)
    save_checkpoint(run.last, checkpoint, recipe, remedy=state.kept)


def _finish(state: State) -> None:
    """Test the best epoch, once."""
    run, recipe = state.run, state.recipe
    best = state.processes.first(lambda: load_checkpoint(run.best, recipe))
    restore_net(state.net, best.net, run.best)
    state.net.eval()
    found = score(state.evaluator, recipe, state.splits.test, state.device, state.processes)
    row = result_row(
        recipe, data_info(recipe), found, command=run.info.get("command", ""), device=str(state.device), part="test"
    )
    row |= {
        "best_epoch": best.epoch,
        f"validation_{metric_of(recipe).name}": best.best.accuracy,
        "parameters": sum(parameter.numel() for parameter in state.net.parameters()),
        "cost": cost_row(state.net, found.events, recipe.data.dt_ms, ENERGY_TABLES["float32"]),
    }

    def write() -> None:
        write_json(run.path / "result.json", row, remedy=state.kept)
        set_status(run.path, "done")

    state.processes.first(write)
