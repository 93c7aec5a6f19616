"""`spikinggamma sweep`: parses, calls, prints a table; bad input is one line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from spikinggamma.bench import sweep as room
from spikinggamma.bench.rows import FailedRuns
from spikinggamma.cli import app

ROW = {
    "recipe": "fsdd", "accuracy": 0.967, "ci_low": 0.94, "ci_high": 0.982, "accuracy_by_seed": [0.967],
    "validation_accuracy": 0.963, "spikes_per_neuron_s": 6.4, "parameters": 92802,
}  # fmt: skip


def test_what_is_typed_arrives_and_the_table_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(room, "sweep", lambda *words, **named: iter([told.append((words, named)) or ROW]))
    typed = ["sweep", "fsdd", "mine.toml", "--seeds", "3,4", "--set", "a=1", "--jobs", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, typed)
    assert result.exit_code == 0, result.output
    assert told == [
        ((["fsdd", "mine.toml"], tmp_path), {"seeds": [3, 4], "settings": ["a=1"], "jobs": 2, "leave_out": ""})
    ]
    assert "| fsdd | 96.7% | 94.0 to 98.2% | 96.7 | 96.3% | 6.4 | 92802 |" in result.stdout


def test_runs_that_fail_are_named_after_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*words: object, **named: object) -> object:
        yield ROW
        raise FailedRuns("1 of 2 runs failed: other-s0")

    monkeypatch.setattr(room, "sweep", failing)
    result = CliRunner().invoke(app, ["sweep", "fsdd", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "other-s0" in result.stderr
    assert "96.7%" in result.stdout


@pytest.mark.parametrize("seeds", ["1;2", "x", ""])
def test_seeds_that_are_none_are_bad_input(tmp_path: Path, seeds: str) -> None:
    result = CliRunner().invoke(app, ["sweep", "fsdd", "--seeds", seeds, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--seeds" in result.stderr
