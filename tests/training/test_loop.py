"""A run reaches the same numbers whether or not it is interrupted, and a broken one keeps what is good."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.runs import Run, build_net, load_checkpoint, load_run, read_rows
from spikinggamma.training import LogReporter, TrainingInterrupted, learning_rate, resume, state, train
from tiny_run import OVERRIDES, tiny_recipe, without_timing

QUIET = LogReporter()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four epochs without a break."""
    return train(tiny_recipe(), tmp_path_factory.mktemp("runs") / "whole", reporter=QUIET, command="whole")


class Interrupting(LogReporter):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self._at = epoch - 0.9

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > self._at:
            raise KeyboardInterrupt


def _assert_same(one: Run, other: Run) -> None:
    assert without_timing(one.metrics) == without_timing(other.metrics)
    assert one.result is not None
    assert other.result is not None
    for key in ("accuracy", "loss", "predictions", "spikes_per_neuron_s", "best_epoch"):
        assert one.result[key] == other.result[key]
    for which in ("last", "best"):
        ours, theirs = one.net(which), other.net(which)  # type: ignore[arg-type]
        assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_a_run_leaves_what_it_promises(whole: Run) -> None:
    assert sorted(entry.name for entry in whole.path.iterdir() if not entry.name.startswith(".")) == [
        "best.pt", "last.pt", "metrics.jsonl", "recipe.toml", "result.json", "run.json",
    ]  # fmt: skip
    assert whole.info["status"] == "done"
    assert whole.recipe == tiny_recipe()
    assert [row["epoch"] for row in whole.metrics] == [1, 2, 3, 4]
    assert set(whole.metrics[0]) == {
        "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "spikes_per_neuron_s",
        "learning_rate", "gradient_norm", "seconds", "samples_per_s",
    }  # fmt: skip
    assert whole.result is not None
    assert sum(map(sum, whole.result["confusion_matrix"])) == len(whole.result["predictions"]) == 18
    assert whole.result["ci_low"] <= whole.result["accuracy"] <= whole.result["ci_high"]
    best = max(whole.metrics, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    assert whole.result["best_epoch"] == best["epoch"]


def test_the_same_seed_gives_the_same_run_and_another_seed_another(whole: Run, tmp_path: Path) -> None:
    torch.manual_seed(99)  # the caller's random numbers are not ours
    _assert_same(whole, train(tiny_recipe(), tmp_path / "again", reporter=QUIET))
    other = train(tiny_recipe("training.seed=1", "training.epochs=1"), tmp_path / "other", reporter=QUIET)
    assert other.metrics[0]["train_loss"] != whole.metrics[0]["train_loss"]


def test_an_interrupted_run_goes_on_to_the_same_numbers(whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(TrainingInterrupted, match=f"spikinggamma train --resume {folder}"):
        train(tiny_recipe(), folder, reporter=Interrupting(1))
    assert load_run(folder).info["status"] == "interrupted"
    assert not (folder / "last.pt").exists()
    with pytest.raises(TrainingInterrupted):
        resume(folder, reporter=Interrupting(3))
    assert len(load_run(folder).metrics) == 2
    _assert_same(whole, resume(folder, reporter=QUIET))
    assert load_run(folder).info["status"] == "done"


@pytest.mark.long
def test_a_killed_run_goes_on_to_the_same_numbers(whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    script = (
        "import os, signal, sys\n"
        "from spikinggamma.recipes import load_recipe\n"
        "from spikinggamma.training import LogReporter, train\n"
        "class Killer(LogReporter):\n"
        "    def advance(self, progress, *, loss, accuracy):\n"
        "        if progress > 2.1: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(load_recipe('localisation', sys.argv[2:]), sys.argv[1], reporter=Killer())\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(folder), *OVERRIDES], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert load_run(folder).info["status"] == "running"
    # As if it had been killed after the row, and while the checkpoint was written.
    row = load_run(folder).metrics[-1] | {"epoch": 3}
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n" + '{"epoch": 4, "train_lo')
    (folder / ".last.pt.123.tmp").write_bytes(b"part of a checkpoint")
    _assert_same(whole, resume(folder, reporter=QUIET))
    assert not list(folder.glob(".*.tmp"))


def test_a_finished_run_is_left_alone(whole: Run) -> None:
    before = (whole.path / "run.json").read_bytes()
    again = resume(whole.path, reporter=QUIET)
    assert again.result == whole.result
    assert (whole.path / "run.json").read_bytes() == before


def test_a_folder_in_use_is_refused(whole: Run, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"already holds a run.*--resume"):
        train(tiny_recipe(), whole.path, reporter=QUIET)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpikingGammaError, match="not empty"):
        train(tiny_recipe(), tmp_path, reporter=QUIET)
    with pytest.raises(SpikingGammaError, match="is a file"):
        train(tiny_recipe(), tmp_path / "notes.txt", reporter=QUIET)
    with pytest.raises(SpikingGammaError, match="no such folder"):
        resume(tmp_path / "none", reporter=QUIET)


def test_folders_without_a_name_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [train(tiny_recipe("training.epochs=1"), reporter=QUIET).path for _ in range(2)]
    assert [str(path) for path in paths] == ["runs/localisation-0-1", "runs/localisation-0-2"]


def test_two_processes_do_not_train_one_run(tmp_path: Path) -> None:
    class Rival(LogReporter):
        def epoch(self, row: dict[str, Any]) -> None:
            resume(tmp_path / "run", reporter=QUIET)

    with pytest.raises(SpikingGammaError, match="another process is training"):
        train(tiny_recipe(), tmp_path / "run", reporter=Rival())


@pytest.mark.parametrize(
    ("value", "fault"),
    [(float("nan"), "parameter layers.0.bias"), (3e38, "(drive|signal) of layers.1")],
    ids=["parameter", "signal"],
)
def test_numbers_that_are_not_finite_stop_the_run_and_keep_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, fault: str
) -> None:
    nets = []
    monkeypatch.setattr(state, "build_net", lambda recipe: nets.append(build_net(recipe)) or nets[-1])

    class Poisoner(LogReporter):
        def epoch(self, row: dict[str, Any]) -> None:
            if row["epoch"] == 2:
                nets[-1].stack[0].bias.data.fill_(value)

    with pytest.raises(SpikingGammaError, match=f"epoch 3, batch 1; first fault: {fault}.*of epoch 2"):
        train(tiny_recipe(), tmp_path / "run", reporter=Poisoner())
    run = load_run(tmp_path / "run")
    assert run.info["status"] == "failed"
    assert load_checkpoint(run.last, run.recipe).epoch == 2
    assert all(bool(parameter.isfinite().all()) for parameter in run.net("last").parameters())


def test_a_full_disk_stops_the_run_and_keeps_the_checkpoint(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Filler(LogReporter):
        def epoch(self, row: dict[str, Any]) -> None:
            if row["epoch"] == 2:
                monkeypatch.setattr(os, "fsync", full)

    def full(handle: int) -> None:
        if "metrics" not in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to tell which file is being written")
    folder = tmp_path / "run"
    with pytest.raises(SpikingGammaError, match=r"pt`: got No space left on device.*last\.pt, of epoch 2"):
        train(tiny_recipe(), folder, reporter=Filler())
    monkeypatch.undo()
    assert not list(folder.glob(".*.tmp"))
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path))
    _assert_same(whole, resume(folder, reporter=QUIET))


def test_the_schedule_counts_recordings_however_many_decisions_they_are(tmp_path: Path) -> None:
    recipe = tiny_recipe("learning.loss=each_step", "learning.schedule=cosine", "training.epochs=2")
    rows = read_rows(train(recipe, tmp_path / "run", reporter=QUIET).path / "metrics.jsonl")
    # 40 recordings in batches of 16: the last batch of an epoch starts after 32 (or 24, where the small batch came first).
    allowed = [
        [learning_rate(recipe.learning, progress=epoch + seen / 40, epochs=2) for seen in (24, 32)] for epoch in (0, 1)
    ]
    for row, rates in zip(rows, allowed, strict=True):
        assert any(row["learning_rate"] == pytest.approx(rate) for rate in rates)
