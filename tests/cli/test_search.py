"""`spikinggamma search`: parses, calls, says what it found; bad input is one line that names it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spikinggamma import training
from spikinggamma.cli import app
from spikinggamma.recipes import load_recipe

SETTINGS = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=4.0", "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]",
    "training.batch_size=16", "training.threads=1", "search.epochs=1",
    "search.space.learning.learning_rate={low=1e-3, high=1e-1, log=true}",
]  # fmt: skip
SEARCH = ["search", "localisation", *(part for setting in SETTINGS for part in ("--set", setting))]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_search_prints_the_best_values_and_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "search"
    monkeypatch.setattr(sys, "argv", ["spikinggamma", "search", "as typed"])
    result = call(*SEARCH, "--out", folder, "--trials", "2", "--seed", "5")
    assert result.exit_code == 0, result.output
    best = load_recipe(folder / "best.toml")
    assert (best.search.trials, best.search.seed) == (2, 5)
    for part in ("2 whole", "validation accuracy", f"learning.learning_rate  {best.learning.learning_rate}"):
        assert part in result.stdout
    assert result.stdout.rstrip().endswith(f"spikinggamma train {folder / 'best.toml'}")
    for part in ("trial 1/2  whole", "trial 2/2  whole"):
        assert part in result.stderr
        assert part not in result.stdout
    assert json.loads((folder / "search.json").read_text())["command"] == "spikinggamma search 'as typed'"


def test_an_interrupted_search_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, row: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "search"
    with monkeypatch.context() as patch:
        patch.setattr(training.SilentReporter, "epoch", interrupt)
        result = call(*SEARCH, "--out", folder, "--trials", "2")
    assert result.exit_code == 130
    line = next(line for line in result.stderr.splitlines() if line.startswith("interrupted"))
    again = line.partition("Go on with: spikinggamma ")[2].split()
    assert call(*again).exit_code == 0
    assert len((folder / "trials.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["search"], "RECIPE"),
        (["search", "localisation", "--trials", "3"], "`search.space`: got no keys"),
        ([*SEARCH], "`search.trials`: got 0"),
        ([*SEARCH, "--trials", "-1"], "`search.trials`: got -1"),
        ([*SEARCH, "--trials", "2", "--jobs", "0"], "`jobs`: got 0"),
        ([*SEARCH, "--trials", "2", "--out", "."], "not empty"),
        ([*SEARCH, "--set", "search.space.learning.dropot={low=0.0, high=0.5}"], "`learning.dropout`?"),
    ],
)
def test_bad_input_is_named_and_ends_with_two(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_help_teaches(tmp_path: Path) -> None:
    printed = call("search", "--help").output
    for part in (
        "--trials",
        "--jobs",
        "spikinggamma search my.toml",
        "search.space.learning.learning_rate={low",
        "{choices=[16",
    ):
        assert part in printed
