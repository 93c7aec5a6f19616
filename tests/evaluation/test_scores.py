"""An evaluation counts every recording once, in the order given, whatever the batches were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.data import load_splits
from spikinggamma.evaluation import confusion_matrix, evaluate, score
from spikinggamma.runs import Run, build_evaluator, build_net
from spikinggamma.runs.build import calibrate
from spikinggamma.training import LogReporter, train
from tiny_run import tiny_recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tiny_recipe("training.epochs=1"), tmp_path_factory.mktemp("runs") / "run", reporter=LogReporter())


def test_predictions_do_not_depend_on_batches_or_order() -> None:
    recipe = tiny_recipe()
    splits = load_splits(recipe)
    net = build_net(recipe)
    calibrate(net, recipe, splits.train)
    evaluator, cpu = build_evaluator(net, recipe, dt_ms=4.0), torch.device("cpu")
    together = score(evaluator, recipe, splits.test, cpu)
    singly = score(evaluator, tiny_recipe("training.batch_size=1"), splits.test, cpu)
    backwards = score(evaluator, recipe, splits.test[::-1], cpu)
    assert together.predictions == singly.predictions == backwards.predictions[::-1]
    assert together.labels == [recording.label for recording in splits.test]
    assert together.loss == pytest.approx(singly.loss, rel=1e-5)
    assert together.spikes_per_neuron_s == pytest.approx(singly.spikes_per_neuron_s)
    assert together.spikes_per_neuron_s_overall == pytest.approx(together.spikes_per_neuron_s[0])


def test_a_run_evaluated_again_gives_its_own_result(run: Run) -> None:
    row = evaluate(run.path)
    assert run.result is not None
    assert row["accuracy"] == run.result["accuracy"]
    assert row["predictions"] == run.result["predictions"]
    assert evaluate(run, part="validation")["samples"] == 18


def test_a_run_is_evaluated_at_another_time_step(run: Run) -> None:
    row = evaluate(run, dt_ms=1.0)
    assert (row["trained_dt_ms"], row["run_dt_ms"]) == (4.0, 1.0)
    for step in (5.0, 0.0, float("nan")):
        with pytest.raises(SpikingGammaError, match=r"dt_ms.*at most 4\.0 ms, the shortest bucket"):
            evaluate(run, dt_ms=step)


def test_a_run_without_a_checkpoint_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_bytes((run.path / "recipe.toml").read_bytes())
    with pytest.raises(SpikingGammaError, match=r"best\.pt.*no such file"):
        evaluate(tmp_path)


def test_confusions_are_counted_by_true_class() -> None:
    assert confusion_matrix([0, 0, 1], [0, 1, 1], 2) == [[1, 1], [0, 1]]
