"""A tiny trained run, its test part as a stream, and the command as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from spikinggamma.recipes import load_recipe
from spikinggamma.runs import Run
from spikinggamma.stream import spoken
from spikinggamma.training import train

SETTINGS = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=36",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=4.0", "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]",
    "training.epochs=1", "training.batch_size=16", "training.threads=1",
]  # fmt: skip


def trained(folder: Path) -> Run:
    return train(load_recipe("localisation", SETTINGS), folder / "run")


def streamed(run: Run, name: str = "text", *, times: int = 1, labelled: bool = True) -> bytes:
    """The test part, so many times over."""
    return b"".join(spoken(run.splits().test * times, name, labelled=labelled))


def started(run: Run, *options: object, **pipes: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from spikinggamma.cli import main; main()", "stream", str(run.path)]
    return subprocess.Popen([*command, *map(str, options)], **pipes)
