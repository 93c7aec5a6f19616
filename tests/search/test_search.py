"""A search stays in its space, within its budget and away from the test part, and goes on to the same trials."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError, tasks
from spikinggamma.data import load_splits
from spikinggamma.events import Recording, Splits
from spikinggamma.recipes import Recipe, load_recipe
from spikinggamma.runs import load_run
from spikinggamma.search import SearchResult, search
from spikinggamma.search.findings import winner_of
from spikinggamma.training import SilentReporter, TrainingInterrupted, train
from spikinggamma.training.non_finite import NotFinite
from tiny_run import OVERRIDES, tiny_recipe

pytestmark = pytest.mark.long

SPACE = [
    "search.space.learning.learning_rate={low=1e-3, high=1e-1, log=true}",
    "search.space.net.max_spikes={low=0, high=2}",
    "search.space.net.tau_ms={choices=[[4.0, 4.0, 4.0], [4.0, 8.0]]}",
    "search.space.learning.dropout={low=0.0, high=0.4, step=0.2}",
    "search.epochs=3",
]
TRIALS = 13  # ten are random; the estimator has its say in the last ones


def searched(*overrides: str) -> Recipe:
    return tiny_recipe(*SPACE, *overrides)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search without a break."""
    return search(searched(), tmp_path_factory.mktemp("searches") / "whole", trials=TRIALS, command="typed")


def _untimed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_every_trial_is_in_the_space_and_in_the_file(found: SearchResult) -> None:
    assert [row["trial"] for row in found.rows] == list(range(TRIALS))
    assert [json.loads(line) for line in (found.path / "trials.jsonl").read_text().splitlines()] == json.loads(
        json.dumps(found.rows)
    )
    for row in found.rows:
        values = row["values"]
        assert 1e-3 <= values["learning.learning_rate"] <= 1e-1
        assert values["net.max_spikes"] in (0, 1, 2)
        assert isinstance(values["net.max_spikes"], int)
        assert values["net.tau_ms"] in ((4.0, 4.0, 4.0), (4.0, 8.0))
        assert any(values["learning.dropout"] == pytest.approx(step) for step in (0.0, 0.2, 0.4))
        run = load_run(found.path / "trials" / f"{row['trial']:04}")
        assert (run.recipe.net.tau_ms, run.recipe.training.epochs) == (values["net.tau_ms"], 3)
        assert run.recipe.learning.learning_rate == values["learning.learning_rate"]
        assert row["epochs"] == len(run.metrics)
        assert row["seconds"] == pytest.approx(sum(metrics["seconds"] for metrics in run.metrics))
        best = max(run.metrics, key=lambda metrics: (metrics["validation_accuracy"], -metrics["validation_loss"]))
        assert row["validation_accuracy"] == best["validation_accuracy"]
        assert row["validation_loss"] == best["validation_loss"]
        assert row["best_epoch"] == best["epoch"]
        assert row["state"] == ("whole" if row["epochs"] == 3 else "pruned")
    assert len({row["values"]["learning.learning_rate"] for row in found.rows}) == TRIALS


def test_the_first_trial_is_the_recipe_as_it_is(found: SearchResult, tmp_path: Path) -> None:
    recipe, values = searched("training.epochs=3"), found.rows[0]["values"]
    assert values == {
        "learning.learning_rate": recipe.learning.learning_rate, "net.max_spikes": recipe.net.max_spikes,
        "net.tau_ms": recipe.net.tau_ms, "learning.dropout": recipe.learning.dropout,
    }  # fmt: skip
    run = train(recipe, tmp_path / "run", reporter=SilentReporter())
    assert run.result is not None
    assert run.result["validation_accuracy"] == found.rows[0]["validation_accuracy"]


def test_the_winner_is_the_best_whole_trial_and_its_recipe_goes_on(found: SearchResult) -> None:
    whole = [row for row in found.rows if row["state"] == "whole"]
    assert found.winner in whole
    for row in whole:
        assert (row["validation_accuracy"], -row["validation_loss"]) <= (
            found.winner["validation_accuracy"], -found.winner["validation_loss"],
        )  # fmt: skip
    best = load_recipe(found.path / "best.toml")
    assert best == found.recipe
    assert best.search.space == searched().search.space
    assert best.learning.learning_rate == found.winner["values"]["learning.learning_rate"]
    assert best.net.tau_ms == found.winner["values"]["net.tau_ms"]
    assert best.training == searched().training


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(found: SearchResult, tmp_path: Path) -> None:
    again = search(searched(), tmp_path / "again", trials=TRIALS)
    assert _untimed(again.rows) == _untimed(found.rows)
    other = search(searched("search.seed=1", "search.epochs=1"), tmp_path / "other", trials=2)
    assert other.rows[0]["values"] == found.rows[0]["values"]
    assert other.rows[1]["values"] != found.rows[1]["values"]


def test_a_search_may_be_given_more_trials_and_goes_on_to_the_same(found: SearchResult, tmp_path: Path) -> None:
    search(searched(), tmp_path / "search", trials=3)
    after = search(searched(), tmp_path / "search", trials=TRIALS).rows
    assert _untimed(after) == _untimed(found.rows)
    for trials in (TRIALS, 2):  # nothing is left to do, nothing is done, nothing is lost
        assert search(searched(), tmp_path / "search", trials=trials).rows == after


def test_a_killed_search_goes_on_to_the_same_trials(found: SearchResult, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    script = (
        "import os, signal, sys\n"
        "from spikinggamma.recipes import load_recipe\n"
        "from spikinggamma.search import search\n"
        "from spikinggamma.training import SilentReporter\n"
        "calls = []\n"
        "def kill(self, row):\n"
        "    calls.append(row)\n"
        "    if len(calls) == 11: os.kill(os.getpid(), signal.SIGKILL)\n"
        "SilentReporter.epoch = kill\n"
        f"search(load_recipe('localisation', sys.argv[2:]), sys.argv[1], trials={TRIALS})\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(folder), *OVERRIDES, *SPACE], check=False)
    assert ended.returncode == -signal.SIGKILL
    rows = (folder / "trials.jsonl").read_text().splitlines()
    assert 3 <= len(rows) < TRIALS
    # As if it had been killed while it held the journal, and while it wrote to it.
    (folder / "journal.jsonl.lock").touch()
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"op_code":4,"wor')
    assert _untimed(search(searched(), folder, trials=TRIALS).rows) == _untimed(found.rows)
    assert sorted(os.listdir(folder / "trials")) == [f"{number:04}" for number in range(TRIALS)]


def test_an_interrupted_search_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, row: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "search"
    with monkeypatch.context() as patch:
        patch.setattr(SilentReporter, "epoch", interrupt)
        with pytest.raises(TrainingInterrupted, match=f"spikinggamma search {folder}/search.toml --out {folder}"):
            search(searched(), folder, trials=2)
    assert len(search(load_recipe(folder / "search.toml"), folder).rows) == 2


def test_the_test_part_is_never_looked_at(found: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(list[Recording]):
        """Recordings that may not be had, counted or gone through."""

        def _refuse(self, *arguments: object) -> Any:
            raise AssertionError("the test part was looked at")

        __getitem__ = __iter__ = __len__ = _refuse

    load = tasks.load

    def poisoned(*arguments: Any, **options: Any) -> Splits:
        return load(*arguments, **options)._replace(test=Forbidden())

    monkeypatch.setattr(tasks, "load", poisoned)
    assert _untimed(search(searched(), tmp_path / "search", trials=2).rows) == _untimed(found.rows[:2])
    with pytest.raises(AssertionError, match="was looked at"):  # the poison works
        list(load_splits(searched()).test)


def test_options_of_the_data_may_be_searched(tmp_path: Path) -> None:
    recipe = tiny_recipe("search.space.data.options.n_train={choices=[40, 24]}", "search.epochs=1")
    rows = search(recipe, tmp_path / "search", trials=6).rows
    by_size = {row["values"]["data.options.n_train"]: row["validation_loss"] for row in rows}
    assert by_size.keys() == {40, 24}
    assert by_size[40] != by_size[24]


def test_poor_trials_are_broken_off_by_the_median_and_count(tmp_path: Path) -> None:
    # One of these rates leaves the net as it was.
    recipe = tiny_recipe(
        "search.space.learning.learning_rate={choices=[0.02, 0.015, 0.01, 1e-9]}", "search.epochs=6", "search.seed=1"
    )
    found = search(recipe, tmp_path / "search", trials=12)
    assert len(found.rows) == 12
    pruned = [row for row in found.rows if row["state"] == "pruned"]
    assert pruned
    whole = [row for row in found.rows if row["state"] == "whole"]
    assert [row["trial"] for row in whole[:4]] == [0, 1, 2, 3]
    for row in pruned:
        assert 2 < row["epochs"] < 6
        at_once = [_accuracies(found, other)[row["epochs"] - 1] for other in whole if other["trial"] < row["trial"]]
        assert row["validation_accuracy"] < sorted(at_once)[len(at_once) // 2]
    assert found.winner["state"] == "whole"


def _accuracies(found: SearchResult, row: dict[str, Any]) -> list[float]:
    metrics = load_run(found.path / "trials" / f"{row['trial']:04}").metrics
    return [epoch["validation_accuracy"] for epoch in metrics]


def test_a_trial_that_diverges_or_cannot_be_is_a_failed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(self: object, row: dict[str, Any]) -> None:
        if row["epoch"] == 2 and next(calls) == 1:
            raise NotFinite("training", "loss nan", "finite numbers")

    calls: Iterator[int] = iter(range(99))
    monkeypatch.setattr(SilentReporter, "epoch", diverge)
    recipe = tiny_recipe(
        "search.epochs=2", "learning.rule=traced", 'search.space.learning.rule={choices=["traced", "shifted"]}',
        "net.tau_ms=[4.0, 8.0]",
    )  # fmt: skip
    found = search(recipe, tmp_path / "search", trials=8)
    assert len(found.rows) == 8
    failed = [row for row in found.rows if row["state"] == "failed"]
    assert all(row["validation_accuracy"] == 0.0 for row in failed)
    assert sum("loss nan" in row["message"] and row["epochs"] == 2 for row in failed) == 1
    impossible = [row for row in found.rows if row["values"]["learning.rule"] == "shifted"]
    assert impossible
    assert all("several time constants" in row["message"] and row["epochs"] == 0 for row in impossible)
    assert found.winner["values"] == {"learning.rule": "traced"}


def test_a_search_of_failures_only_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(self: object, row: object) -> None:
        raise NotFinite("training", "loss nan", "finite numbers")

    monkeypatch.setattr(SilentReporter, "epoch", diverge)
    with pytest.raises(SpikingGammaError, match=r"2 trials.*loss nan"):
        search(searched(), tmp_path / "search", trials=2)


def test_ties_go_by_loss_and_then_to_the_earlier() -> None:
    rows = [
        {"trial": 0, "state": "whole", "validation_accuracy": 0.5, "validation_loss": 0.1},
        {"trial": 1, "state": "whole", "validation_accuracy": 0.75, "validation_loss": 0.9},
        {"trial": 2, "state": "whole", "validation_accuracy": 0.75, "validation_loss": 0.8},
        {"trial": 3, "state": "whole", "validation_accuracy": 0.75, "validation_loss": 0.8},
        {"trial": 4, "state": "pruned", "validation_accuracy": 0.8, "validation_loss": 0.1},
    ]
    assert winner_of(rows) == rows[2]
    assert winner_of(rows[4:]) is None


def test_two_processes_share_a_search(tmp_path: Path) -> None:
    recipe = searched("training.threads=2", "search.epochs=1")
    found = search(recipe, tmp_path / "search", trials=4, jobs=2)
    assert [row["trial"] for row in found.rows] == [0, 1, 2, 3]
    assert len({row["values"]["learning.learning_rate"] for row in found.rows}) == 4
    assert {load_run(folder).recipe.training.threads for folder in (found.path / "trials").iterdir()} == {1}
    assert load_recipe(found.path / "best.toml").training.threads == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda recipe, out: search(recipe, out), "`search.trials`: got 0"),
        (lambda recipe, out: search(recipe, out, trials=2, jobs=0), "`jobs`: got 0"),
        (lambda recipe, out: search(tiny_recipe(), out, trials=2), "`search.space`: got no keys"),
        (lambda recipe, out: search(searched("learning.dropout=0.3"), out, trials=2), "`learning.dropout`: got 0.3"),
        (lambda recipe, out: search(recipe, out, trials=2, device="abacus"), "`device`"),
    ],
)
def test_a_bad_search_is_named_and_leaves_nothing(
    change: Callable[[Recipe, Path], SearchResult], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SpikingGammaError, match=re.escape(says)):
        change(searched(), tmp_path / "search")
    assert not (tmp_path / "search").exists()


def test_a_folder_of_something_else_is_refused(found: SearchResult, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="holds another search"):
        search(searched("learning.clip_norm=2.0"), found.path, trials=2)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpikingGammaError, match="not empty"):
        search(searched(), tmp_path, trials=2)
    with pytest.raises(SpikingGammaError, match="--out"):
        search(searched(), tmp_path / "notes.txt", trials=2)


def test_without_optuna_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SpikingGammaError, match="pip install optuna"):
        search(searched(), tmp_path / "search", trials=2)


def test_folders_without_a_name_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = searched("search.epochs=1")
    paths = [search(recipe, trials=1).path for _ in range(2)]
    assert [str(path) for path in paths] == ["runs/localisation-search-1", "runs/localisation-search-2"]
