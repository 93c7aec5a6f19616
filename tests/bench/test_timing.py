"""The timing suite: a plan, runs that are kept, rows that are made once, and failures that are named."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikinggamma import SpikingGammaError, tasks
from spikinggamma.bench import run_plan, run_work, timing
from spikinggamma.bench.jobs import last_line, run_jobs
from spikinggamma.bench.kept_runs import OUTCOMES, Asked, missing
from spikinggamma.bench.rows import FailedRuns, Row
from spikinggamma.bench.run_bench import measure
from spikinggamma.bench.timing_plan import Cell, planned
from spikinggamma.bench.timing_table import SMALL
from spikinggamma.evaluation import evaluate
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import load_run, read_rows
from spikinggamma.training import TrainingInterrupted, train

TINY = (
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]", "data.dt_ms=4.0",
    "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]", "training.epochs=2", "training.batch_size=16",
)  # fmt: skip
CLOCK = {"train_seconds", "versions"}


def cell(perturbation: str, level: float, perturb: str = "", *overrides: str) -> Cell:
    mode = "test-only" if perturb else "train-and-test"
    group = f"localisation.{perturbation}"
    return Cell(
        group, "localisation", "", "spikinggamma", perturbation, level, mode, "localisation", overrides, perturb
    )


CLICKS = cell("n_clicks", 3.0, "", "data.options.n_clicks=3")
PLAN = [cell("jitter", 0.0), cell("jitter", 20.0, "jitter=20ms"), cell("reversal", 1.0, "reversal"), CLICKS]
TOO_MANY = cell("too_many", 500.0, "", "data.options.n_clicks=500")


def plain(row: Row) -> Row:
    return {key: value for key, value in row.items() if key not in CLOCK}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SMALL, "localisation", TINY)
    monkeypatch.setattr(timing, "cells", lambda *, quick: PLAN)


def rows_of(folder: Path, *, seeds: Sequence[int] = (0, 1), **options: Any) -> list[Row]:
    return list(timing.run(quick=True, seed=0, seeds=seeds, runs=folder, **options))


@pytest.mark.long
def test_rows_carry_accuracy_over_seeds_spikes_and_bounds(worked: list[str], tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    assert [(row["perturbation"], row["level"]) for row in rows] == [(one.perturbation, one.level) for one in PLAN]
    assert len(worked) == 4  # two seeds, with three clicks and with five; the other cells share runs
    for row in rows:
        recipe = load_run(tmp_path / row["runs"][0]).recipe
        assert row["accuracy"] == pytest.approx(np.mean(row["accuracy_by_seed"]))
        assert row["ci_low"] <= row["accuracy"] <= row["ci_high"]
        assert (row["seeds"], row["samples"], row["epochs"], row["quick"]) == ([0, 1], 18, 2, True)
        assert row["rule"] == recipe.learning.rule
        assert row["spikes_per_neuron_s"] > 0.0
        assert [bound["accuracy"] for bound in row["floors"]] == [
            bound.accuracy for bound in tasks.describe("localisation", recipe.data.options).floors
        ]
        command = f"spikinggamma bench timing --quick --only {row['group']} --models spikinggamma --seeds 0,1"
        assert row["command"] == command


@pytest.mark.long
def test_a_row_is_what_evaluating_its_runs_gives(worked: list[str], tmp_path: Path) -> None:
    undisturbed, jittered, reversed_, _ = rows_of(tmp_path)
    folders = [tmp_path / name for name in undisturbed["runs"]]
    assert jittered["runs"] == reversed_["runs"] == undisturbed["runs"]
    tested = [(load_run(folder).result or {})["accuracy"] for folder in folders]
    assert undisturbed["accuracy_by_seed"] == pytest.approx(tested)
    drawn = [[evaluate(folder, perturb=["jitter=20ms"], perturb_seed=seed) for seed in (0, 1, 2)] for folder in folders]
    expected = [np.mean([one["accuracy"] for one in of_run]) for of_run in drawn]
    assert jittered["accuracy_by_seed"] == pytest.approx(expected)
    assert jittered["spikes_per_neuron_s"] == pytest.approx(
        np.mean([one["spikes_per_neuron_s"] for of_run in drawn for one in of_run])
    )
    assert reversed_["perturb_seeds"] == [0]  # nothing about it is random


def test_generated_recordings_are_others_for_every_seed() -> None:
    first, second = (planned(CLICKS, seed, quick=True).recipe for seed in (0, 1))
    assert (first.data.seed, first.training.seed, first.training.threads) == (0, 0, 1)
    assert (second.data.seed, second.training.seed) == (1, 1)


@pytest.mark.long
def test_the_same_seeds_give_the_same_rows(worked: list[str], tmp_path: Path) -> None:
    one, other = rows_of(tmp_path / "a"), rows_of(tmp_path / "b")
    assert [plain(row) for row in one] == [plain(row) for row in other]
    assert len(worked) == 8


@pytest.mark.long
def test_a_finished_run_is_not_trained_again_and_a_row_that_is_there_not_made_again(
    worked: list[str], tmp_path: Path
) -> None:
    first = rows_of(tmp_path)
    worked.clear()
    assert rows_of(tmp_path) == first
    assert not worked
    # With another seed, only that one is trained.
    assert [row["seeds"] for row in rows_of(tmp_path, seeds=(0, 1, 2))] == [[0, 1, 2]] * len(PLAN)
    assert all("-s2-" in name for name in worked)
    worked.clear()
    assert rows_of(tmp_path / "empty", known=first) == []
    assert rows_of(tmp_path, known=first[1:]) == first[:1]
    assert not worked


@pytest.mark.long
def test_an_evaluation_that_is_missing_is_made_without_training(
    worked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "cells", lambda *, quick: PLAN[:1])
    (undisturbed,) = rows_of(tmp_path)
    metrics = [(tmp_path / name / "metrics.jsonl").stat().st_mtime_ns for name in undisturbed["runs"]]
    monkeypatch.setattr(timing, "cells", lambda *, quick: PLAN[:3])
    assert len(rows_of(tmp_path)) == 3
    assert [(tmp_path / name / "metrics.jsonl").stat().st_mtime_ns for name in undisturbed["runs"]] == metrics


class _Stop(KeyboardInterrupt):
    pass


@pytest.mark.long
def test_a_run_that_was_cut_off_goes_on_to_the_same_row(
    worked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "cells", lambda *, quick: [CLICKS])
    undisturbed = rows_of(tmp_path / "a", seeds=(0,))
    one = planned(CLICKS, 0, quick=True)
    monkeypatch.setattr("spikinggamma.training.loop._finish", lambda state: (_ for _ in ()).throw(_Stop()))
    with pytest.raises(TrainingInterrupted):
        train(one.recipe, tmp_path / "b" / one.name, device="cpu")
    monkeypatch.undo()
    monkeypatch.setitem(SMALL, "localisation", TINY)
    run_work.work(tmp_path / "b" / one.name, one.source, one.settings, [Asked()])
    assert not missing(tmp_path / "b" / one.name, one.recipe, [Asked()])
    monkeypatch.setattr(timing, "cells", lambda *, quick: [CLICKS])
    assert [plain(row) for row in rows_of(tmp_path / "b", seeds=(0,))] == [plain(row) for row in undisturbed]


def test_a_run_that_fails_is_named_and_the_others_go_on(
    worked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(timing, "cells", lambda *, quick: [TOO_MANY, CLICKS])
    rows = timing.run(quick=True, seed=0, runs=tmp_path)
    with caplog.at_level(logging.INFO):
        assert next(rows)["perturbation"] == "n_clicks"
        with pytest.raises(FailedRuns, match=r"1 of 2 runs failed: .*n_clicks_500"):
            next(rows)
    assert ["failed: " in line for line in caplog.text.splitlines() if " left" in line] == [True, False]
    assert "1/2" in caplog.text
    assert "2/2" in caplog.text


@pytest.mark.long
def test_a_run_of_another_recipe_in_the_way_is_named(worked: list[str], tmp_path: Path) -> None:
    one = planned(PLAN[0], 0, quick=True)
    train(load_recipe("localisation", [*TINY, "training.epochs=1"]), tmp_path / one.name, device="cpu")
    with pytest.raises(SpikingGammaError, match="another recipe"):
        rows_of(tmp_path)
    (tmp_path / one.name / "result.json").unlink()  # as if it had been cut off
    with pytest.raises(SpikingGammaError, match="another recipe"):
        run_work.work(tmp_path / one.name, one.source, one.settings, [Asked()])


@pytest.mark.long
def test_processes_of_one_thread_do_the_same_and_keep_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worked: list[str]
) -> None:
    monkeypatch.setattr(timing, "cells", lambda *, quick: [CLICKS, TOO_MANY])
    here = timing.run(quick=True, seed=0, runs=tmp_path / "here")
    expected = plain(next(here))
    monkeypatch.setattr(run_plan, "run_jobs", run_jobs)
    apart = timing.run(quick=True, seed=0, runs=tmp_path / "apart")
    assert plain(next(apart)) == expected
    with pytest.raises(FailedRuns, match="n_clicks_500"):
        next(apart)
    (log,) = (tmp_path / "apart").glob("*n_clicks_500*.log")
    assert last_line(log).startswith("error: `n_clicks`")


@pytest.mark.long
def test_answers_of_runs_that_were_asked_before_steps_were_are_known(worked: list[str], tmp_path: Path) -> None:
    """Their rows say nothing of a step: they were asked at that of the training."""
    first = rows_of(tmp_path)
    for name in {name for row in first for name in row["runs"]}:
        path = tmp_path / name / OUTCOMES
        without = [
            {key: value for key, value in row.items() if key not in ("dt_ms", "steps")} for row in read_rows(path)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in without))
    worked.clear()
    assert rows_of(tmp_path) == first
    assert not worked


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"only": "owls"}, "--only"),
        ({"models": "transformer"}, "--models"),
        ({"seeds": "0,x"}, "--seeds"),
        ({"seeds": "1,1"}, "--seeds"),
        ({"jobs": 0}, "--jobs"),
        ({"models": "mlp"}, "recipes"),
    ],
)
def test_bad_options_are_named(
    options: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_plan, "recipe_names", lambda: ["localisation"])
    with pytest.raises(SpikingGammaError, match=says):
        list(_measured(options | {"runs": tmp_path}))


def test_options_of_timing_are_refused_by_other_benches() -> None:
    with pytest.raises(SpikingGammaError, match="only for timing"):
        next(measure("memory", quick=True, seed=0, out=None, command="", options={"jobs": 2}))


@pytest.mark.long
def test_the_file_of_rows_is_gone_on_with_and_an_older_row_gives_way(worked: list[str], tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    options = {"runs": tmp_path / "runs", "only": "localisation.n_clicks,localisation.jitter"}
    (*_, last) = _measured(options | {"seeds": "0"}, out)
    assert [row["seeds"] for row in read_rows(out)] == [[0]] * 3
    assert last["command"] == "spikinggamma bench timing"
    assert list(_measured(options | {"seeds": "0"}, out)) == []
    assert len(list(_measured(options | {"seeds": "0,1"}, out))) == 3
    assert [row["seeds"] for row in read_rows(out)] == [[0, 1]] * 3


def _measured(options: dict[str, Any], out: Path | None = None) -> Iterator[Row]:
    return measure("timing", quick=True, seed=None, out=out, command="spikinggamma bench timing", options=options)
