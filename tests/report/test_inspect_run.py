"""A net is watched on the part of the data that it has been judged on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.report.activity.inspect_run import look_at
from spikinggamma.runs import Run


def test_a_tested_run_is_watched_on_the_test_part(finished: Run) -> None:
    look = look_at(finished)
    assert look.part == "test"
    assert {sample.source for sample in look.samples} <= {recording.source for recording in finished.splits().test}


def test_an_unfinished_run_is_watched_on_the_validation_part(finished: Run) -> None:
    look = look_at(dataclasses.replace(finished, result=None))
    assert look.part == "validation"
    assert {sample.source for sample in look.samples} <= {r.source for r in finished.splits().validation}
    assert not look.missing


def test_recordings_that_cannot_be_read_are_said_not_raised(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def splits(self: Run) -> None:
        raise SpikingGammaError("folder", "nothing", "files")

    monkeypatch.setattr(Run, "splits", splits)
    look = look_at(finished)
    assert look.survey is None
    assert "could not be read: `folder`: got nothing" in look.missing


def test_without_weights_there_is_nothing_to_watch(finished: Run, tmp_path: Path) -> None:
    look = look_at(dataclasses.replace(finished, path=tmp_path))
    assert look.survey is None
    assert "best.pt" in look.missing
