"""Progress is a bar on a terminal, one log line an epoch elsewhere, and nothing on standard output."""

from __future__ import annotations

import logging

import pytest

from spikinggamma.training import LogReporter, TerminalReporter, reporter_for

ROW = {
    "epoch": 3, "train_loss": 0.5, "train_accuracy": 0.875, "validation_loss": 0.25, "validation_accuracy": 0.9,
    "spikes_per_neuron_s": [4.0, 9.0], "seconds": 61.0,
}  # fmt: skip


def test_without_a_terminal_there_is_one_line_an_epoch(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = reporter_for(False)
    assert isinstance(reporter, LogReporter)
    with caplog.at_level(logging.INFO, logger="spikinggamma.training"), reporter:
        reporter.begin(epochs=5, done=2)
        reporter.advance(2.5, loss=0.5, accuracy=0.875)
        reporter.epoch(ROW)
    assert [record.message for record in caplog.records] == [
        "resumed after epoch 2 of 5",
        "epoch 3/5  loss 0.500  accuracy 87.5%  validation loss 0.250  accuracy 90.0%  spikes/neuron/s 4.0 9.0  left 2:02",
    ]
    assert capsys.readouterr().out == ""


def test_on_a_terminal_there_is_a_bar_with_figures(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = reporter_for(True)
    assert isinstance(reporter, TerminalReporter)
    with reporter:
        reporter.begin(epochs=3, done=2)
        reporter.advance(3.0, loss=0.5, accuracy=0.875)
        reporter.epoch(ROW)
    printed = capsys.readouterr()
    assert printed.out == ""
    for part in ("3/3", "loss 0.500", "train 87.5%", "val 90.0%", "spikes/s 4.0 9.0", "left"):
        assert part in " ".join(printed.err.split())
