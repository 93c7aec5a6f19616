"""What TensorBoard would show of a run is what its metrics say, each epoch once, however often it was interrupted."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.runs import Run, read_rows
from spikinggamma.training import LogReporter, SilentReporter, resume, train
from spikinggamma.training import tensorboard_files as tracking
from tiny_run import tiny_recipe

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the package's own imports
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


class Interrupting(LogReporter):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self._at = epoch - 0.9

    def advance(self, progress: float, *, loss: float, accuracy: float) -> None:
        if progress > self._at:
            raise KeyboardInterrupt


def shown(run: Run) -> EventAccumulator:
    found = EventAccumulator(str(run.path / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0})
    return found.Reload()


def assert_shows_the_metrics(run: Run) -> None:
    found = shown(run)
    for tag, name in (
        ("loss/train", "train_loss"), ("loss/validation", "validation_loss"), ("accuracy/train", "train_accuracy"),
        ("accuracy/validation", "validation_accuracy"), ("course/learning_rate", "learning_rate"),
        ("course/gradient_norm", "gradient_norm"),
    ):  # fmt: skip
        points = [(point.step, point.value) for point in found.Scalars(tag)]
        assert points == [(row["epoch"], pytest.approx(row[name], rel=1e-6)) for row in run.metrics]
    rates = [point.value for point in found.Scalars("spikes_per_neuron_s/layer_0")]
    assert rates == pytest.approx([row["spikes_per_neuron_s"][0] for row in run.metrics], rel=1e-6)
    assert all(0.0 <= point.value <= 1.0 for point in found.Scalars("neurons_speaking/layer_0"))


def test_a_run_is_shown_as_its_metrics_say(tmp_path: Path) -> None:
    run = train(tiny_recipe(), tmp_path / "run", reporter=SilentReporter(), tensorboard=True)
    assert_shows_the_metrics(run)
    weights = shown(run).Histograms("layers/0/weight")
    assert [one.step for one in weights] == [1, 2, 3, 4]
    last = run.net("last").get_parameter("layers.0.weight").detach()
    assert weights[-1].histogram_value.num == last.numel()
    assert weights[-1].histogram_value.sum == pytest.approx(float(last.double().sum()), rel=1e-4, abs=1e-5)


@pytest.mark.long
def test_an_interrupted_run_shows_no_epoch_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(), folder, reporter=Interrupting(3), tensorboard=True)
    # Killed between an epoch's point and its checkpoint: the epoch is trained again, and shown again.
    save, kept = tracking.Tracker.epoch, []

    def cut_off(self: tracking.Tracker, *told: object) -> None:
        save(self, *told)  # type: ignore[arg-type]
        kept.append(told)
        raise KeyboardInterrupt

    monkeypatch.setattr(tracking.Tracker, "epoch", cut_off)
    with pytest.raises(KeyboardInterrupt):
        resume(folder, reporter=SilentReporter())
    assert len(kept) == 1
    monkeypatch.undo()
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path))
    run = resume(folder, reporter=SilentReporter())
    assert len(list((folder / "tensorboard").iterdir())) == 3
    assert_shows_the_metrics(run)


def test_a_tracked_run_learns_the_same(tmp_path: Path) -> None:
    one, other = (
        train(tiny_recipe("training.epochs=2"), tmp_path / str(wanted), reporter=SilentReporter(), tensorboard=wanted)
        for wanted in (False, True)
    )
    assert not (one.path / "tensorboard").exists()
    for a, b in zip(one.net("last").parameters(), other.net("last").parameters(), strict=True):
        assert torch.equal(a, b)
    assert len(read_rows(other.path / "metrics.jsonl")) == 2


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(SpikingGammaError, match="pip install tensorboard"):
        train(tiny_recipe(), tmp_path / "run", tensorboard=True)
    assert not (tmp_path / "run").exists()
