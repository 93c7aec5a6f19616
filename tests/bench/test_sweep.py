"""A sweep says what its runs say, trains none twice, and goes on when it was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.bench.bootstrap import nested_interval
from spikinggamma.bench.rows import FailedRuns
from spikinggamma.bench.sweep import _by_recording, sweep, sweep_table
from spikinggamma.evaluation import evaluate
from spikinggamma.recipes import dump_recipe, load_recipe
from spikinggamma.runs import load_run

TINY = (
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18", "data.dt_ms=4.0",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]", "net.hidden=[6]",
    "net.tau_ms=[4.0, 4.0, 4.0]", "training.epochs=2", "training.batch_size=16",
)  # fmt: skip


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A recipe in a file, with another rule."""
    path = tmp_path / "other.toml"
    path.write_text(dump_recipe(load_recipe("localisation", ["learning.rule=traced"])))
    return str(path)


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "train_seconds"} for row in rows]


@pytest.mark.long
def test_rows_say_what_the_runs_do(worked: list[str], tmp_path: Path, other: str) -> None:
    rows = list(sweep(["localisation", other], tmp_path / "out", seeds=[0, 1], settings=TINY))
    assert [row["rule"] for row in rows] == ["windowed", "traced"]
    for row in rows:
        runs = [load_run(tmp_path / "out" / name) for name in row["runs"]]
        assert [run.recipe.training.seed for run in runs] == [run.recipe.data.seed for run in runs] == [0, 1]
        accuracies = [evaluate(run)["accuracy"] for run in runs]
        assert row["accuracy_by_seed"] == pytest.approx(accuracies)
        assert row["accuracy"] == pytest.approx(np.mean(accuracies))
        right = [np.repeat([1.0, 0.0], [round(18 * a), 18 - round(18 * a)]) for a in accuracies]
        assert (row["ci_low"], row["ci_high"]) == nested_interval(right)
        assert row["spikes_per_neuron_s"] == pytest.approx(
            np.mean([(run.result or {})["spikes_per_neuron_s"] for run in runs])
        )
    written = [json.loads(line) for line in (tmp_path / "out" / "sweep.jsonl").read_text().splitlines()]
    assert written == rows
    lines = sweep_table(rows).splitlines()
    assert len(lines) == 4
    assert f"{rows[1]['accuracy']:.1%}" in lines[3]


@pytest.mark.long
def test_finished_runs_are_kept_and_more_seeds_may_be_asked_for(worked: list[str], tmp_path: Path) -> None:
    (first,) = sweep(["localisation"], tmp_path, seeds=[0], settings=TINY)
    assert len(worked) == 1
    (both,) = sweep(["localisation"], tmp_path, seeds=[0, 1], settings=TINY)
    assert len(worked) == 2
    assert both["runs"][0] == first["runs"][0]
    (again,) = sweep(["localisation"], tmp_path, seeds=[0, 1], settings=TINY)
    assert len(worked) == 2
    assert again == both
    assert len((tmp_path / "sweep.jsonl").read_text().splitlines()) == 2, "a row for each set of seeds"


def test_a_run_that_fails_is_named_and_others_have_their_row(worked: list[str], tmp_path: Path, other: str) -> None:
    rows = sweep(["localisation", other], tmp_path / "out", seeds=[0], settings=TINY)
    first = next(rows)
    shutil.rmtree(tmp_path / "out" / first["runs"][0])
    Path(other).unlink()
    with pytest.raises(FailedRuns, match="1 of 2 runs failed: other-s0"):
        next(rows)


def test_bad_input_is_refused_before_anything_is_trained(worked: list[str], tmp_path: Path) -> None:
    for recipes, seeds, named in (
        (["localisation"], [0, 0], "--seeds"),
        (["localisation", "localisation"], [0], "recipes"),
        (["nothing"], [0], "nothing"),
    ):
        with pytest.raises(SpikingGammaError, match=named):
            list(sweep(recipes, tmp_path / "out", seeds=seeds, settings=TINY))
    assert worked == []
    assert not (tmp_path / "out").exists()


def test_steps_of_a_recording_count_as_one_draw() -> None:
    assert _by_recording([1, 0, 1, 1], []).tolist() == [1.0, 0.0, 1.0, 1.0]
    assert _by_recording([1, 0, 1, 1, 1], [2, 3]).tolist() == [0.5, 1.0]


@pytest.mark.slow
def test_a_killed_sweep_leaves_no_process_behind_and_goes_on_to_the_same_row(tmp_path: Path, worked: list[str]) -> None:
    settings = (*TINY, "training.epochs=60")
    words = [word for text in settings for word in ("--set", text)]
    command = [sys.executable, "-m", "spikinggamma", "sweep", "localisation", "--seeds", "0", *words]
    begun = subprocess.Popen([*command, "--out", str(tmp_path / "cut")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not list((tmp_path / "cut").glob("*/last.pt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    (worker,) = psutil.Process(begun.pid).children()
    os.kill(begun.pid, signal.SIGKILL)
    begun.wait()
    psutil.wait_procs([worker], timeout=30)
    assert not worker.is_running()
    (folder,) = (path.parent for path in (tmp_path / "cut").glob("*/recipe.toml"))
    assert load_run(folder).info["status"] == "interrupted"
    (cut,) = sweep(["localisation"], tmp_path / "cut", seeds=[0], settings=settings)
    (whole,) = sweep(["localisation"], tmp_path / "whole", seeds=[0], settings=settings)
    assert plain([cut]) == plain([whole])
