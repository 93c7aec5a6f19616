"""Several processes learn what one does, under every rule, and one that is killed takes the others with it.

By default processes are forked from a server that has imported everything, and meet as those of `torchrun` do, by the same
environment; `torchrun` itself, which costs half a minute a time, is tried by the slow tests.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from torch import nn

from spikinggamma import SpikingGammaError
from spikinggamma.distributed import ALONE, LostProcess, ProcessGroup, gathered
from spikinggamma.learning import RULES
from spikinggamma.runs import Run, load_checkpoint, load_run
from spikinggamma.training import SilentReporter, epoch, resume, train
from tiny_run import OVERRIDES, tiny_recipe

ROOT = Path(__file__).parents[1]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
SETTINGS = [word for text in OVERRIDES for word in ("--set", text)]
TIME_S = 150


def launched(processes: int, *words: str) -> subprocess.CompletedProcess[str]:
    """What `torchrun` comes to."""
    return subprocess.run(
        [*TORCHRUN, str(processes), *words], capture_output=True, text=True, check=False, timeout=TIME_S, cwd=ROOT
    )


def together(processes: int, work: Callable[..., int], *told: object) -> list[int]:
    """`work` in several processes that know of each other; their exit codes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["spikinggamma.training", "spikinggamma.kernels.cpu", "spikinggamma.kernels.lif_cpu"]
    )
    processes = [
        context.Process(target=_member, args=(rank, processes, port, work, told), daemon=True)
        for rank in range(processes)
    ]
    for one in processes:
        one.start()
    for one in processes:
        one.join(TIME_S)
    codes = [one.exitcode for one in processes]
    assert None not in codes, "every process ends"
    return [code for code in codes if code is not None]


def _member(rank: int, size: int, port: int, work: Callable[..., int], told: tuple[object, ...]) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    sys.exit(work(*told))


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _all_rules(out: Path) -> int:
    spec = importlib.util.spec_from_file_location("distributed_benchmark", ROOT / "benchmarks" / "distributed.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["distributed_benchmark"] = script
    spec.loader.exec_module(script)
    with gathered(torch.device("cpu")) as (processes, _):
        rows = list(script.rows(0, processes, quick=True))
        if processes.is_main:
            out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return 0


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Two processes against one, every rule in turn."""
    out = tmp_path_factory.mktemp("quick") / "rows.jsonl"
    assert together(2, _all_rules, out) == [0, 0]
    return rows_of(out)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"fptt"}))
def test_two_processes_learn_what_one_does(quick: list[dict[str, object]], rule: str) -> None:
    (row,) = (row for row in quick if row["rule"] == rule)
    assert float(str(row["relative_difference"])) < 1e-9, row


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_learns_what_one_does_whatever_the_loss_and_the_net(
    tmp_path: Path, processes: int
) -> None:
    out = tmp_path / "rows.jsonl"
    script = [*TORCHRUN, str(processes), "benchmarks/distributed.py", "--out", str(out)]
    ended = subprocess.run(script, capture_output=True, text=True, check=False, timeout=1500, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    double = [row for row in rows_of(out) if row["dtype"] == "float64"]
    worst = max(double, key=lambda row: float(str(row["relative_difference"])))
    assert float(str(worst["relative_difference"])) < 1e-9, worst


# Batches of 13, 13, 13 and 1: shares are unequal, and of the last batch some are empty. Most gradients are clipped.
PARTED = ("training.batch_size=13", "learning.clip_norm=0.5")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four epochs in one process without a break."""
    return train(tiny_recipe(*PARTED), tmp_path_factory.mktemp("runs") / "whole", reporter=SilentReporter())


def _assert_close(one: Run, other: Run) -> None:
    """Alike to rounding in single precision."""
    assert [row["epoch"] for row in one.metrics] == [row["epoch"] for row in other.metrics]
    for ours, theirs in zip(one.metrics, other.metrics, strict=True):
        for name in ("train_loss", "validation_loss", "gradient_norm", "learning_rate"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4)
        assert ours["train_accuracy"] == theirs["train_accuracy"]
    assert one.result is not None
    assert other.result is not None
    assert one.result["predictions"] == other.result["predictions"]
    for a, b in zip(one.net("last").parameters(), other.net("last").parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def _die(folder: Path, overrides: tuple[str, ...]) -> int:
    """Train; the second process is killed in the third epoch, as the system does when memory is short."""
    learn, batches = epoch._update, 0

    def update(*told: object) -> None:
        nonlocal batches
        batches += 1
        if os.environ["RANK"] == "1" and batches == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        learn(*told)  # type: ignore[arg-type]

    epoch._update = update  # type: ignore[assignment]
    try:
        train(tiny_recipe(*overrides), folder, reporter=SilentReporter())
    except LostProcess as lost:
        (folder / "said.txt").write_text(str(lost))
        return 1
    return 0


def test_a_killed_process_ends_all_and_one_finishes_as_if_nothing_had_been(whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    started = time.monotonic()
    assert together(2, _die, folder, PARTED) == [1, -signal.SIGKILL]
    assert time.monotonic() - started < 60
    said = (folder / "said.txt").read_text()
    assert "Process 0 of 2 gets no answer from another" in said
    assert f"Go on with: spikinggamma train --resume {folder}" in said
    run = load_run(folder)
    assert (run.info["status"], run.result) == ("failed", None)
    assert load_checkpoint(run.last, run.recipe).epoch == len(run.metrics) == 2
    _assert_close(whole, resume(folder, reporter=SilentReporter()))


@pytest.mark.slow
def test_a_killed_process_of_torchrun_ends_all_and_the_run_goes_on_with_any_number(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    long = ["--set", "training.epochs=400"]
    launcher = subprocess.Popen(
        [*TORCHRUN, "2", "-m", "spikinggamma", "train", "localisation", *SETTINGS, *long, "--out", str(folder)],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    deadline = time.monotonic() + TIME_S
    while not (folder / "last.pt").exists() and launcher.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(launcher.pid).children()
    (victim,) = [worker for worker in workers if worker.environ().get("RANK") == "1"]
    victim.send_signal(signal.SIGKILL)
    said, _ = launcher.communicate(timeout=60)
    assert launcher.returncode not in (0, None)
    run = load_run(folder)
    assert run.result is None
    assert run.info["status"] in ("failed", "interrupted"), said
    assert f"Go on with: spikinggamma train --resume {folder}" in said
    done = load_checkpoint(run.last, run.recipe).epoch
    assert done >= 1
    # To its end in few epochs more: the recipe is the run's own, so it is shortened on the disk.
    recipe = (folder / "recipe.toml").read_text().replace("epochs = 400", f"epochs = {done + 2}")
    (folder / "recipe.toml").write_text(recipe)
    ended = launched(3, "-m", "spikinggamma", "train", "--resume", str(folder))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("test accuracy") == 1, "only the first process says how it went"
    finished = load_run(folder)
    assert finished.info["status"] == "done"
    assert [row["epoch"] for row in finished.metrics] == list(range(1, done + 3))


HANGING = """
import os, signal, sys
from datetime import timedelta
from spikinggamma.cli import main
from spikinggamma.training import distributed, epoch
distributed._PATIENCE = timedelta(seconds=5)
learn = epoch._update
def hang(*told):
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGSTOP)
    learn(*told)
epoch._update = hang
main()
"""


@pytest.mark.slow  # the launcher waits half a minute before it kills what does not answer
def test_a_process_that_hangs_ends_the_run_in_bounded_time(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    started = time.monotonic()
    ended = launched(
        2, str(tmp_path / "hanging.py"), "train", "localisation", *SETTINGS, "--out", str(tmp_path / "run")
    )
    assert ended.returncode != 0
    assert time.monotonic() - started < TIME_S
    assert "gets no answer" in ended.stderr
    assert load_run(tmp_path / "run").info["status"] == "failed"


class _Stopping(SilentReporter):
    """Ctrl-C in the third epoch."""

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > 2.1:
            raise KeyboardInterrupt


def _resume(folder: Path) -> int:
    return 0 if resume(folder, reporter=SilentReporter()).result else 1


def test_a_run_begun_alone_is_finished_by_three_as_if_alone(whole: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(*PARTED), tmp_path / "run", reporter=_Stopping())
    assert together(3, _resume, tmp_path / "run") == [0, 0, 0]
    run = load_run(tmp_path / "run")
    _assert_close(whole, run)
    assert run.info["processes"] == 3
    assert not list((tmp_path / "run").glob(".*.tmp"))


def _refused(folder: Path) -> int:
    try:
        train(tiny_recipe(), folder, reporter=SilentReporter())
    except SpikingGammaError as error:
        return 2 if "not empty" in str(error) else 1
    return 0


def test_bad_input_is_told_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert together(2, _refused, tmp_path) == [2, 2]


def test_alone_nothing_is_exchanged() -> None:
    parameter = nn.Parameter(torch.ones(3))
    ALONE.join_gradients([parameter])
    assert parameter.grad is None
    assert ALONE.is_main
    assert ALONE.sum([1.0, 2.0]) == [1.0, 2.0]
    assert ALONE.first(lambda: 5) == ALONE.in_turn(lambda: 5) == 5
    assert ALONE.spread(3, lambda index: index * index) == [0, 1, 4]
    with gathered(torch.device("cpu")) as (processes, device):
        assert (processes, device) == (ALONE, torch.device("cpu"))
    assert "RANK" not in os.environ
    assert ProcessGroup(1, 2).is_main is False
