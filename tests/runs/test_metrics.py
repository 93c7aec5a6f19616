"""Rows are appended, survive a writer that was killed, and are taken back by a resumed run."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.runs import append_row, read_rows, truncate_rows


def test_rows_come_back_and_a_resumed_run_takes_some_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_rows(path) == []
    rows = [{"epoch": epoch, "train_loss": 0.1 * epoch} for epoch in (1, 2, 3)]
    for row in rows:
        append_row(path, row)
    assert read_rows(path) == rows
    with path.open("a") as file:
        file.write('{"epoch": 4, "tr')
    assert read_rows(path) == rows
    truncate_rows(path, epochs=2)
    assert read_rows(path) == rows[:2]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\nnonsense\n{"epoch": 2}\n')
    with pytest.raises(SpikingGammaError, match="line 2"):
        read_rows(path)
    path.write_text('{"epoch": 1}\n[2]\n')
    with pytest.raises(SpikingGammaError, match="line 2"):
        read_rows(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="Is a directory"):
        append_row(tmp_path, {"epoch": 1})
