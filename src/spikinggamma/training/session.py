"""A sitting: the time from when a process takes up a run, new or not, until it is done with it or ends."""

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
    """Ctrl-C during training; the message says how to go on."""


@contextmanager
def training_session(
    run: Run, splits: Splits, device: torch.device, processes: ProcessGroup = ALONE
) -> Iterator[State]:
    """The run as its last checkpoint left it, ours alone; why it ends before its time is noted.

    Args:
        run: As `create_run` made it, or an earlier sitting left it.
        splits: Its recordings.
        device: Where the net runs.
        crew: The processes that train it together.

    Raises:
        SpikingGammaError: Another process trains it; a damaged checkpoint, or one of another net.
        TrainingInterrupted: Ctrl-C while it went on.
        LostProcess: Another process of the crew ended before its time.
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
            remedy = "with any number of processes, or by itself"
            raise LostProcess(f"{lost} Go on with: spikinggamma train --resume {run.path}, {remedy}.") from None
        except BaseException as error:
            note("failed", f"{type(error).__name__}: {error}")
            raise


def _note(run: Run, status: Status, message: str = "") -> None:
    """Note why a run ended, if the disk lets us; if not, the reason itself matters more."""
    with suppress(SpikingGammaError):
        set_status(run.path, status, message)


def _say_nothing(status: Status, message: str = "") -> None:
    """What other processes than the first note of a run."""
