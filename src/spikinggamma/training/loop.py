"""The training loop: epochs, checkpoints, and a test at the end with the weights of the best validation epoch.

All random numbers of an epoch follow from the seed and the number of the epoch. So a run that was interrupted, or
killed, continues from its last checkpoint to exactly the numbers that it would have reached.
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
    """Train a net from a recipe in a new run folder, then test its best epoch once.

    If every process started by `torchrun` calls it, all of them train the same net (see `spikinggamma.distributed`).

    Args:
        recipe: All settings of the training.
        out: New folder of the run; `runs/<recipe>-<seed>-<n>` if not given.
        device: auto, cpu or cuda.
        reporter: Receives the progress; by default a progress bar on a terminal, else log lines.
        command: Command line, which is stored in the run.
        tensorboard: Whether to write files for TensorBoard too; a run that has such files continues them.
        splits: Recordings to use instead of the recipe's: `Splits`, or whatever `spikinggamma.data.given_recordings` takes,
            such as a mapping of parts to pairs of arrays or to torch data sets. They are kept in the folder of the run.

    Returns:
        The finished run.

    Raises:
        SpikingGammaError: The data are invalid, the folder is in use, TensorBoard is missing, the disk is full, or a
            number is not finite.
        TrainingInterrupted: Ctrl-C was pressed; `resume` continues from there.
        LostProcess: Another process of the same run ended early; `resume` continues, with any number of processes.

    Example:
        >>> run = train(load_recipe("localisation", ["training.epochs=1"]))  # doctest: +SKIP
        >>> run.result["accuracy"]  # doctest: +SKIP
    """
    with gathered(pick_device(device)) as (processes, where):
        processes.first(lambda: check_out(out))
        if tensorboard:
            processes.first(require_tensorboard)
        # Done before there is a folder, so that an invalid recipe or invalid data leaves no folder.
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
    """Continue a run from its last checkpoint; a finished run is returned unchanged.

    Args:
        folder: Folder of the run.
        device: auto, cpu or cuda.
        reporter: As in `train`.
        tensorboard: As in `train`.

    Raises:
        SpikingGammaError: There is no run, another process trains it, or a checkpoint is damaged or belongs to another
            net.
        TrainingInterrupted, LostProcess: As `train`.
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
    """Train and validate a run without testing it, from its last checkpoint if it has one, as in a search.

    Args:
        run: Run from `create_run`, or from an earlier `fit`.
        splits: The recordings; the test part is not used.
        device: Device of the net.
        reporter: Receives the progress.
        should_stop: Called with the row of every epoch after it is written; training ends if it returns True.

    Returns:
        The best epoch, and the rows of all epochs.

    Raises:
        SpikingGammaError, TrainingInterrupted: As `train`.
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
    """Run the remaining epochs until `should_stop` returns True, and return their rows."""
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
    """Train and validate for one epoch, and write the results."""
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
    """Write the row, the weights if they are the best, and last the checkpoint.

    A process killed between two of these writes resumes at the checkpoint, removes the row, and writes both again.
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
    """Test the best epoch once, and write the result."""
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
