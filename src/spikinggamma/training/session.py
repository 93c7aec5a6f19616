"""A session: the part of a training between the call of `train` or `resume` and its end, for whatever reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import torch

from spikinggamma.distributed import ALONE, LostProcess, ProcessGroup
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.files.locks import locked
from spikinggamma.runs.run import Run, Status, set_status
from spikinggamma.runtime import computing, keep_freed_memory
from spikinggamma.training.state import State, open_state

__all__ = ["TrainingInterrupted", "training_session"]


class TrainingInterrupted(KeyboardInterrupt):
    """Training was interrupted by Ctrl-C; the message says how to continue."""


@contextmanager
def training_session(
    run: Run, splits: Splits, device: torch.device, processes: ProcessGroup = ALONE
) -> Iterator[State]:
    """Lock a run, open its last checkpoint, and record the reason if the session ends early.

    Args:
        run: Run from `create_run`, or from an earlier session.
        splits: Its recordings.
        device: Device of the net.
        processes: The processes that train the run together.

    Raises:
        SpikingGammaError: Another process trains the run, or a checkpoint is damaged or belongs to another net.
        TrainingInterrupted: Ctrl-C was pressed.
        LostProcess: Another process of the group ended early.
    """
    keep_freed_memory()
    with ExitStack() as held, computing(threads=run.recipe.training.threads, products=run.recipe.training.products):
        processes.first(lambda: held.enter_context(locked(run.path)))
        processes.first(lambda: remove_leftovers(run.path))
        note = partial(_note, run) if processes.is_main else _say_nothing
        try:
            state = open_state(run, splits, device, processes)
            count = sum(parameter.numel() for parameter in state.net.parameters())
            processes.first(lambda: set_status(run.path, "running", parameters=count, processes=processes.size))
            yield state
        except KeyboardInterrupt:
            note("interrupted")
            raise TrainingInterrupted(f"Go on with: spikinggamma train --resume {run.path}") from None
        except LostProcess as lost:
            note("failed", str(lost))
            remedy = "with any number of processes, or with one"
            raise LostProcess(f"{lost} Go on with: spikinggamma train --resume {run.path}, {remedy}.") from None
        except BaseException as error:
            note("failed", f"{type(error).__name__}: {error}")
            raise


def _note(run: Run, status: Status, message: str = "") -> None:
    """Record why a session ended, if possible; an error of the disk must not hide the reason itself."""
    with suppress(SpikingGammaError):
        set_status(run.path, status, message)


def _say_nothing(status: Status, message: str = "") -> None:
    """Record nothing, in processes other than the first."""
