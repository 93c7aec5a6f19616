"""R², RSE and MAE against their definitions; runs of values have these, and no accuracy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from own_data_files import make_forecast
from spikinggamma import SpikingGammaError, evaluation, report, training
from spikinggamma.evaluation.metrics import value_metrics
from spikinggamma.recipes import parse_recipe

TABLE = arrays.arrays(np.float64, (7, 2), elements=st.floats(-10, 10, allow_subnormal=False).map(lambda x: round(x, 3)))


@given(TABLE, TABLE, arrays.arrays(bool, (7, 2)))
def test_metrics_are_their_definitions(targets: np.ndarray, predictions: np.ndarray, missing: np.ndarray) -> None:
    hidden = np.where(missing, np.nan, targets)
    found = value_metrics(hidden, predictions)
    squared, spread, r2 = 0.0, 0.0, []
    for column in range(2):
        known = ~missing[:, column]
        y, p = targets[known, column], predictions[known, column]
        if not len(y):
            continue
        error, own = float(((y - p) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
        squared, spread = squared + error, spread + own
        if own > 1e-12:
            r2.append(1 - error / own)
    assert found["known"] == int((~missing).sum())
    if (~missing).any():
        assert found["mae"] == pytest.approx(np.abs(targets - predictions)[~missing].mean())
    if r2:
        assert found["r2"] == pytest.approx(np.mean(r2), rel=1e-6, abs=1e-6)
        assert found["rse"] == pytest.approx(np.sqrt(squared / spread), rel=1e-6)


def test_values_that_never_change_have_no_r2() -> None:
    found = value_metrics(np.ones((3, 1)), np.zeros((3, 1)))
    assert (found["r2"], found["rse"], found["mae"], found["r2_by_output"]) == (None, None, 1.0, [None])


@pytest.mark.long
def test_a_run_of_values_has_what_belongs_to_values(tmp_path: Path) -> None:
    make_forecast(tmp_path / "forecast.csv")
    texts = [
        f"data.path={tmp_path / 'forecast.csv'}", "data.encoder=delta", "data.scale=standard", "data.dt_ms=10",
        "net.tau_ms=[10.0, 20.0, 40.0]", "net.hidden=[8]", "training.epochs=2", "training.threads=1",
    ]  # fmt: skip
    with pytest.raises(
        SpikingGammaError, match=r"'sum' for forecast, whose .* values at each step; expected one of each_step"
    ):
        training.train(parse_recipe("", overrides=texts), tmp_path / "no", device="cpu")
    recipe = parse_recipe("", overrides=[*texts, "learning.loss=each_step"])
    run = training.train(recipe, tmp_path / "run", device="cpu")
    assert run.result is not None
    assert {"r2", "rse", "mae", "targets", "predictions", "validation_r2"} <= set(run.result)
    assert not {"accuracy", "confusion_matrix", "class_names"} & set(run.result)
    assert "train_accuracy" not in run.metrics[0]
    assert run.result["known"] == 3 * 54
    again = evaluation.evaluate(run)
    assert (again["r2"], again["predictions"]) == (run.result["r2"], run.result["predictions"])
    perturbed = evaluation.evaluate(run, perturb=["deletion=0.5"])
    assert perturbed["r2"] != again["r2"]
    with pytest.raises(SpikingGammaError, match=r"perturb.*expected one of"):
        evaluation.evaluate(run, perturb=["reversal"])
    assert "test R²" in evaluation.summary(run)
    page = report.write_report([run.path]).read_text(encoding="utf-8")
    assert "Targets and predictions" in page
    assert "accuracy" not in json.dumps(run.metrics)


@pytest.mark.long
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("multi_label", [[1.0, 0.0], [1.0, 1.0]]),
        ("soft_label", [[0.7, 0.3], [0.1, 0.9]]),
        ("values", [[0.5, 2.0], [1.5, 1.0]]),
    ],
)
def test_answers_of_the_whole_recording_from_python(loss: str, y: list[list[float]], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = np.arange(40) % 2
    x = rng.poisson(0.1 + 0.5 * kinds[:, None, None], (40, 20, 3))
    recipe = parse_recipe(
        "", overrides=[f"learning.loss={loss}", "net.hidden=[8]", "training.epochs=3", "training.threads=1"]
    )
    run = training.train(recipe, tmp_path / "run", device="cpu", splits=(x, np.array(y)[kinds]))
    assert run.result is not None
    assert ("accuracy" in run.result) == (loss != "values")
    assert np.array(run.result["predictions"]).shape == (8, 2)
    assert evaluation.evaluate(run.path)["predictions"] == run.result["predictions"]
    assert report.write_report([run.path]).is_file()
