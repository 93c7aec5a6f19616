"""Rows carry what a repetition needs; the file is whole or as it was."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.bench import BENCHES
from spikinggamma.bench.rows import row, with_row, write_rows
from spikinggamma.bench.timing_rows import CELL


def test_a_row_says_how_to_repeat_it() -> None:
    one = row("gradient", quick=False, seed=7, threads=1, rule="windowed")
    assert one["command"] == "spikinggamma bench gradient --seed 7"
    assert (one["bench"], one["seed"], one["device"], one["threads"], one["rule"]) == (
        "gradient",
        7,
        "cpu",
        1,
        "windowed",
    )
    assert one["versions"].keys() >= {"spikinggamma", "torch", "python"}


def test_a_file_of_rows_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert write_rows(path, [{"a": 1}, {"b": "ϑ"}]) == 2
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == [{"a": 1}, {"b": "ϑ"}]
    write_rows(path, [{"a": 2}])
    assert path.read_text() == '{"a": 2}\n'


def test_a_number_that_is_none_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"a": 1}])
    with pytest.raises(ValueError, match="JSON compliant"):
        write_rows(path, [{"a": 1}, {"a": math.nan}])
    assert path.read_text() == '{"a": 1}\n'


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="missing"):
        write_rows(tmp_path / "missing" / "rows.jsonl", [])


def test_every_bench_has_a_name_and_yields_nothing_before_it_is_asked() -> None:
    assert set(BENCHES) >= {"gradient", "memory", "resolution"}
    assert all(hasattr(bench(quick=True, seed=0), "__next__") for bench in BENCHES.values())


def test_a_row_replaces_that_of_its_cell_only() -> None:
    rows = [{"task": "isi", "level": level, "seeds": [0]} for level in (0.0, 1.0)]
    new = {"task": "isi", "level": 0.0, "seeds": [0, 1]}
    assert with_row(rows, new, CELL) == [new, rows[1]]
    assert with_row(rows, new | {"quick": True}, CELL) == [*rows, new | {"quick": True}]
