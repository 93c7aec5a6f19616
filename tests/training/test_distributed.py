"""Several processes learn what one does, under every rule, and one that is killed takes the others with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from tiny_run import OVERRIDES, tiny_recipe
from torch import nn

from spikinggamma.learning import RULES
from spikinggamma.training import Run, SilentReporter, load_checkpoint, load_run, resume, train
from spikinggamma.training.distributed import ALONE, Crew, gathered

ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
SETTINGS = [word for text in OVERRIDES for word in ("--set", text)]
TIME_S = 150


def together(processes: int, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TORCHRUN, str(processes), *words], capture_output=True, text=True, check=False, timeout=TIME_S, cwd=ROOT
    )


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Two processes against one, every rule and update in turn."""
    out = tmp_path_factory.mktemp("quick") / "rows.jsonl"
    ended = together(2, "benchmarks/distributed.py", "--quick", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    return rows_of(out)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_two_processes_learn_what_one_does(quick: list[dict[str, object]], rule: str) -> None:
    found = {str(row["update"]): float(str(row["relative_difference"])) for row in quick if row["rule"] == rule}
    assert set(found) == ({"recording"} if rule == "bptt" else {"recording", "chunk", "step"})
    assert max(found.values()) < 1e-9, found


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_learns_what_one_does_whatever_the_loss_and_the_net(
    tmp_path: Path, processes: int
) -> None:
    ended = together(processes, "benchmarks/distributed.py", "--out", str(tmp_path / "rows.jsonl"))
    assert ended.returncode == 0, ended.stderr
    double = [row for row in rows_of(tmp_path / "rows.jsonl") if row["dtype"] == "float64"]
    worst = max(double, key=lambda row: float(str(row["relative_difference"])))
    assert float(str(worst["relative_difference"])) < 1e-9, worst


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


def _kill(launcher: subprocess.Popen[str], rank: int) -> None:
    """End one process of a run as the system does when memory is short."""
    workers = psutil.Process(launcher.pid).children()
    (victim,) = [worker for worker in workers if worker.environ().get("RANK") == str(rank)]
    victim.send_signal(signal.SIGKILL)


def test_a_killed_process_ends_all_and_the_run_goes_on_with_any_number(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    long = ["--set", "training.epochs=400"]
    launcher = subprocess.Popen(
        [*TORCHRUN, "2", "-m", "spikinggamma", "train", "localisation", *SETTINGS, *long, "--out", str(folder)],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    deadline = time.monotonic() + TIME_S
    while not (folder / "last.pt").exists() and launcher.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    _kill(launcher, 1)
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
    finished = resume(folder, reporter=SilentReporter())
    assert finished.info["status"] == "done"
    assert [row["epoch"] for row in finished.metrics] == list(range(1, done + 3))


class _Stopping(SilentReporter):
    """Ctrl-C in the third epoch."""

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > 2.1:
            raise KeyboardInterrupt


def test_a_run_begun_alone_is_finished_by_three_as_if_alone(tmp_path: Path) -> None:
    # Batches of 13, 13, 13 and 1: shares are unequal, and of the last batch two are empty.
    overrides = ["training.batch_size=13", "learning.clip_norm=0.05"]
    whole = train(tiny_recipe(*overrides), tmp_path / "whole", reporter=SilentReporter())
    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(*overrides), tmp_path / "run", reporter=_Stopping())
    ended = together(3, "-m", "spikinggamma", "train", "--resume", str(tmp_path / "run"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("test accuracy") == 1, "only the first process says how it went"
    _assert_close(whole, load_run(tmp_path / "run"))
    assert not list((tmp_path / "run").glob(".*.tmp"))
    assert load_run(tmp_path / "run").info["processes"] == 3


def test_bad_input_ends_every_process_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    ended = together(2, "-m", "spikinggamma", "train", *SETTINGS, "--out", str(tmp_path / "full"))
    assert ended.returncode != 0
    assert "not empty" in ended.stderr
    assert "Traceback" not in ended.stderr.split("torch.distributed.elastic")[0]


def test_alone_nothing_is_exchanged() -> None:
    parameter = nn.Parameter(torch.ones(3))
    ALONE.join_gradients([parameter])
    assert parameter.grad is None
    assert ALONE.leads
    assert ALONE.sum([1.0, 2.0]) == [1.0, 2.0]
    assert ALONE.first(lambda: 5) == ALONE.in_turn(lambda: 5) == 5
    assert ALONE.spread(3, lambda index: index * index) == [0, 1, 4]
    with gathered(torch.device("cpu")) as (crew, device):
        assert (crew, device) == (ALONE, torch.device("cpu"))
    assert "RANK" not in os.environ
    assert Crew(1, 2).leads is False
