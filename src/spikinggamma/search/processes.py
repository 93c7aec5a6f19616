"""Run a search in several processes that share one study, each training on one thread."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from ctypes import c_int64
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes.toml_files import parse_recipe
from spikinggamma.runs.build import pick_device
from spikinggamma.search.study import open_study, under_way
from spikinggamma.search.trial import Trials, epochs_of, without_test

__all__ = ["work_in_processes"]

# Seconds between checks for finished trials.
_SECONDS = 1.0


def work_in_processes(
    jobs: int, folder: Path, recipe: str, device: str, *, begun: list[int], left: int, look: Callable[[], None]
) -> None:
    """Finish the trials in `begun` and run `left` others; `look` is called at intervals.

    Raises:
        SpikingGammaError: A process raised it or was killed; the others are ended.
    """
    context = multiprocessing.get_context("spawn")
    tickets, errors = context.Value(c_int64, left), context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(folder, recipe, device, begun[place::jobs], tickets, errors))
        for place in range(jobs)
    ]
    try:
        for process in processes:
            process.start()
        running = list(processes)
        while running:
            wait([process.sentinel for process in running], timeout=_SECONDS)
            look()
            for process in [process for process in running if process.exitcode is not None]:
                running.remove(process)
                if not errors.empty():
                    raise errors.get()
                if process.exitcode:
                    got = f"a process that ended with {process.exitcode}"
                    raise SpikingGammaError("jobs", got, "one that ends by itself", "Was memory short? Use fewer jobs.")
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join()


def _work(folder: Path, text: str, device: str, begun: list[int], tickets: Any, errors: Any) -> None:
    # Ctrl-C goes to all processes of a terminal; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        recipe = parse_recipe(text)
        study = open_study(folder, recipe.search, epochs=epochs_of(recipe))
        common = Trials(study, recipe, without_test(recipe), folder, pick_device(device), 1)
        for trial in under_way(study):
            if trial.number in begun:
                common.conduct(trial)
        while _take(tickets):
            common.conduct(study.ask())
    except SpikingGammaError as error:
        errors.put(error)


def _take(tickets: Any) -> bool:
    with tickets.get_lock():
        tickets.value -= 1
        return bool(tickets.value >= 0)
