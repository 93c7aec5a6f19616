"""The resolution bench: nets trained at each step and carried to the others, set against the best and against home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.bench import resolution_plan, resolution_rows
from spikinggamma.bench.kept_runs import Asked, Outcome
from spikinggamma.bench.resolution_plan import Case, Sweep, planned
from spikinggamma.bench.resolution_rows import LOST, OFF, rows_of
from spikinggamma.bench.rows import Row
from spikinggamma.bench.run_bench import measure
from spikinggamma.evaluation import evaluate
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import load_run, read_rows
from spikinggamma.training import train

FIELDS = {"bench", "command", "seed", "device", "threads", "versions", "model", "rule", "mode", "ci_low", "ci_high"}
FIELDS |= {"trained_dt_ms", "run_dt_ms", "steps", "accuracy", "spikes_per_neuron_s"}
TINY = (
    "data.options.n_train=24", "data.options.n_validation=9", "data.options.n_test=18",
    "data.options.duration_ms=81.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]", "training.epochs=1", "training.batch_size=16",
)  # fmt: skip
GAMMA = Case("localisation", "spikinggamma", "localisation", ())
RIVAL = Case("localisation", "lif", "localisation", ("net.model=lif", "learning.rule=bptt"))


def measured(folder: Path, out: Path | None = None, **options: Any) -> Iterator[Row]:
    more = options | {"runs": folder}
    return measure("resolution", quick=True, seed=None, out=out, command="spikinggamma bench resolution", options=more)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolution_plan, "SMALL", {"localisation": TINY})


@pytest.mark.long
def test_rows_are_what_evaluating_the_runs_gives_and_are_not_made_again(worked: list[str], tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    rows = list(measured(tmp_path / "runs", out, models="spikinggamma"))
    assert [(row["mode"], row["trained_dt_ms"], row["run_dt_ms"]) for row in rows] == [
        ("carried", 2.0, 4.0),
        ("carried", 4.0, 2.0),
        ("trained", 2.0, 2.0),
        ("trained", 4.0, 4.0),
    ]
    assert len(worked) == 2  # a net for each step, and no more
    for row in rows:
        assert row.keys() >= FIELDS
        (name,) = row["runs"]
        assert load_run(tmp_path / "runs" / name).recipe.data.dt_ms == row["trained_dt_ms"]
        found = evaluate(tmp_path / "runs" / name, dt_ms=row["run_dt_ms"], device="cpu")
        assert row["accuracy"] == pytest.approx(found["accuracy"])
        assert row["spikes_per_neuron_s"] == pytest.approx(found["spikes_per_neuron_s"])
        # 81 ms, the last step begun and not filled.
        assert row["steps"] == {2.0: 41, 4.0: 21}[row["run_dt_ms"]]
        assert (row["accuracy_demand"], row["accuracy_holds"], row["spikes_hold"]) == ("", None, None)
    worked.clear()
    assert list(measured(tmp_path / "runs", out, models="spikinggamma")) == []
    # A row that is lost is made again from what its run has answered.
    kept = read_rows(out)
    out.write_text("")
    again = list(measured(tmp_path / "runs", out, models="spikinggamma"))
    assert not worked
    assert again == rows
    assert read_rows(out) == kept


@pytest.mark.long
def test_a_rival_runs_at_the_same_steps(worked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikinggamma.bench.resolution.cases", lambda *, quick: [RIVAL])
    rows = list(measured(tmp_path))
    assert [(row["model"], row["rule"]) for row in rows] == [("lif", "bptt")] * 4
    assert all("-model_lif-rule_bptt-dt_ms_" in name for name in worked)


def answered(monkeypatch: pytest.MonkeyPatch, told: dict[tuple[float, float], tuple[int, float]]) -> None:
    """Runs that had so many of 200 right, and spoke so much, by step of training and of the test."""

    def outcomes(folder: Path, recipe: Any) -> dict[Asked, Outcome]:
        found = {}
        for (trained, run), (right, spikes) in told.items():
            if trained == recipe.data.dt_ms:
                found[Asked(dt_ms=run)] = Outcome((1,) * right + (0,) * (200 - right), spikes, 9)
        return found

    monkeypatch.setattr(resolution_rows, "outcomes", outcomes)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    train(load_recipe("localisation", TINY), folder, device="cpu")
    return folder


@pytest.mark.parametrize("case", [GAMMA, RIVAL], ids=["spikinggamma", "lif"])
@pytest.mark.parametrize("mode", ["carried", "trained"])
def test_accuracy_is_set_against_the_best_step_and_spikes_against_home(
    case: Case, mode: Any, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep(case, mode, 1.0, 1.0, (0.5, 1.0, 2.0, 4.0))
    # 196 - 193 = 3 of 200 is just the 1.5 points that may be lost, and 11 to 10 just the tenth.
    told = {0.5: (196, 11.0), 1.0: (195, 10.0), 2.0: (193, 9.0), 4.0: (192, 8.9)}
    answered(monkeypatch, {(1.0 if mode == "carried" else step, step): found for step, found in told.items()})
    runs = {step: [planned(case, step, 0, quick=True)._replace(name=finished_run.name)] for step in told}
    rows = {row["run_dt_ms"]: row for row in rows_of(sweep, [0], runs, finished_run.parent, quick=False)}
    assert list(rows) == [step for step in told if mode == "trained" or step != 1.0]
    for step, row in rows.items():
        assert row["accuracy_lost"] == pytest.approx((196 - told[step][0]) / 200)
        assert row["spikes_ratio"] == pytest.approx(told[step][1] / 10.0)
        if case is GAMMA:
            assert row["accuracy_holds"] is (step != 4.0)
            assert row["spikes_hold"] is (step != 4.0)
            assert str(LOST) in row["accuracy_demand"]
            assert f"{OFF:.0%}" in row["spikes_demand"]
        else:
            assert row["accuracy_holds"] is row["spikes_hold"] is None


def test_a_net_that_is_silent_at_home_has_no_ratio(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, {(1.0, 1.0): (100, 0.0), (1.0, 2.0): (100, 1.0)})
    runs = {1.0: [planned(GAMMA, 1.0, 0, quick=True)._replace(name=finished_run.name)]}
    (row,) = rows_of(Sweep(GAMMA, "carried", 1.0, 1.0, (1.0, 2.0)), [0], runs, finished_run.parent, quick=False)
    assert (row["spikes_ratio"], row["spikes_hold"]) == (None, False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"only": "owls"}, "--only"),
        ({"only": "fsdd"}, "--only"),  # not among the quick ones
        ({"models": "lif_ottt"}, "--models"),
        ({"models": "lif"}, "recipes"),
        ({"seeds": "1,1"}, "--seeds"),
        ({"jobs": 0}, "--jobs"),
    ],
)
def test_bad_options_are_named(
    options: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikinggamma.bench.run_plan.recipe_names", lambda: ["localisation"])
    with pytest.raises(SpikingGammaError, match=says):
        list(measured(tmp_path, **options))
