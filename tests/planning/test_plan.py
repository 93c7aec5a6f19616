"""A plan is measured by what `train` calls: it works for every rule and net, and its memory is that of the run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spikinggamma import SpikingGammaError, planning
from spikinggamma.cli import app
from spikinggamma.planning import Fit, Measurement, Offer, Plan, describe_plan, measure, plan_row, planner
from spikinggamma.planning import measuring_process as probe
from spikinggamma.recipes import Recipe, dump_recipe, load_recipe
from tiny_run import OVERRIDES, tiny_recipe

FOUND = Measurement(
    recordings=(40, 18, 18),
    batches=(3, 2, 2),
    shortest=20,
    longest=24,
    parameters=123,
    loaded_mib=300.0,
    peak_mib=340.0,
    device_mib=None,
    compiled=False,
    whole=True,
    start_s=3.0,
    training_s=1.5,
    validation_s=0.25,
    checkpoint_s=0.05,
    test_s=0.5,
)
KINDS = {
    "windowed": (),
    "traced": ("learning.rule=traced",),
    "by steps": ("learning.rule=instantaneous", "learning.update=step"),
    "through time": ("learning.rule=through_time", "learning.loss=last"),
    "e-prop of a LIF": ("net.model=lif", "learning.rule=eprop", "learning.update=chunk", "learning.chunk=7"),
    "counts": ("net.model=count_mlp", "learning.rule=bptt"),
    "one recording a batch": ("training.batch_size=1", "data.options.n_train=5"),
}


def here(recipe: Recipe, **options: Any) -> Measurement:
    return probe.measure_here(recipe, device="cpu", started=time.time(), **options)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_and_net_is_measured(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "compilations", lambda: 0)  # of other tests in this process
    monkeypatch.setattr(probe, "_ENOUGH_S", 0.0)
    recipe = tiny_recipe(*KINDS[kind])
    found = here(recipe, timed=True)
    batch = recipe.training.batch_size
    assert found.batches == tuple(-(-count // batch) for count in found.recordings)
    assert found.shortest == found.longest == 20
    assert found.whole
    assert 0.0 < found.loaded_mib <= found.peak_mib
    assert min(found.training_s, found.validation_s, found.checkpoint_s, found.test_s, found.start_s) > 0.0
    assert found.device_mib is None


@pytest.mark.long
def test_memory_alone_takes_no_time_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_timed", None)  # is not called
    found = here(tiny_recipe(), timed=False)
    assert found.training_s == found.validation_s == found.test_s == 0.0
    assert found.peak_mib >= found.loaded_mib


@pytest.mark.long
def test_a_batch_that_would_not_fit_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is then in proportion to that of a quarter of it, and so is its time."""
    sizes: list[int] = []
    learn = probe._Steps.learn

    def noted(steps: Any, recordings: Any) -> float:
        sizes.append(len(recordings))
        return learn(steps, recordings)

    monkeypatch.setattr(probe._Steps, "learn", noted)
    monkeypatch.setattr(probe, "_available_mib", lambda: -1.0)
    monkeypatch.setattr(probe, "compilations", lambda: 0)
    monkeypatch.setattr(probe, "_ENOUGH_S", 0.0)
    found = here(tiny_recipe(), timed=True)
    assert not found.whole
    assert set(sizes) == {4}
    assert "in proportion to a quarter" in describe_plan(Plan(tiny_recipe(), found, None, ()))


@given(st.integers(1, 10_000))
def test_a_run_is_its_start_its_epochs_and_its_test(epochs: int) -> None:
    recipe = load_recipe("localisation", [f"training.epochs={epochs}"])
    assert Plan(recipe, FOUND, None, ()).seconds == pytest.approx(3.0 + 1.8 * epochs + 0.5)


LINES: list[tuple[str, Callable[[Recipe], float], dict[str, int | None]]] = [
    ("training.batch_size", lambda recipe: 100.0 + 2.0 * recipe.training.batch_size, {"training.batch_size": 10}),
    (
        "learning.chunk",
        lambda recipe: 100.0 + 5.0 * (recipe.learning.chunk or 24),
        {"training.batch_size": None, "learning.chunk": 4},
    ),
]


@pytest.mark.parametrize(("key", "peak", "wanted"), LINES, ids=[line[0] for line in LINES])
def test_what_fits_a_budget_is_said_by_key(
    key: str, peak: Callable[[Recipe], float], wanted: dict[str, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(recipe: Recipe, **_: object) -> Measurement:
        return FOUND._replace(peak_mib=peak(recipe))

    monkeypatch.setattr(planner, "measure", measured)
    found = planner.plan(load_recipe("localisation", ["training.batch_size=32"]), budget_mib=120.0)
    assert found.fits is False
    offers = {offer.key: None if offer.fit is None else offer.fit.size for offer in found.offers}
    assert {name: offers[name] for name in wanted} == wanted
    text = describe_plan(found)
    assert "it does not fit" in text
    assert key in text
    row = json.loads(json.dumps(plan_row(found)))
    assert row["offers"][key] == {"size": wanted[key], "peak_mib": 120.0}
    assert row["fits"] is False


def test_where_the_recipe_fits_a_larger_batch_is_offered_and_no_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        planner, "measure", lambda recipe, **_: FOUND._replace(peak_mib=100.0 + recipe.training.batch_size)
    )
    found = planner.plan(load_recipe("localisation", ["training.batch_size=16"]), budget_mib=130.0)
    assert found.fits
    assert found.offers == (Offer("training.batch_size", Fit(30, 130.0)),)


def test_what_is_not_foreseen_is_named() -> None:
    recipe = load_recipe("localisation", ["augment.time_stretch=0.1", "learning.update=chunk"])
    text = describe_plan(Plan(recipe, FOUND, 500.0, (Offer("learning.chunk", Fit(0, 340.0)),)))
    for said in ("augment.time_stretch", "learning.chunk", "how often neurons spike", "none"):
        assert said in text


@pytest.mark.long
def test_the_memory_foreseen_is_that_of_the_run(tmp_path: Path) -> None:
    """Of a run whose steps take more memory than the process that is loaded.

    The peak itself differs by up to a quarter between two runs of one recipe: what the allocator returns depends on the order
    in which threads free. A plan that left out a part of the step, its backward pass for instance, is further away.
    """
    recipe = tiny_recipe(
        "learning.rule=through_time", "net.hidden=[256, 256]", "data.options.duration_ms=400.0",
        "data.options.n_train=600", "training.batch_size=300", "training.epochs=1",
    )  # fmt: skip
    found = measure(recipe, device="cpu", timed=False)
    assert found.peak_mib > 1.5 * found.loaded_mib
    code = (
        "import sys; from spikinggamma.recipes import parse_recipe; from spikinggamma.training import train;"
        "from spikinggamma.process_memory import peak_mib;"
        f"train(parse_recipe(sys.stdin.read()), {str(tmp_path / 'run')!r}, device='cpu'); print(peak_mib())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=dump_recipe(recipe), capture_output=True, text=True, check=True
    )
    assert found.peak_mib == pytest.approx(float(done.stdout), rel=0.3)


@pytest.mark.long
def test_the_command_prints_a_plan_and_keeps_its_row(tmp_path: Path) -> None:
    out = tmp_path / "plans.jsonl"
    settings = [part for setting in OVERRIDES for part in ("--set", setting)]
    done = CliRunner().invoke(app, ["plan", "localisation", *settings, "--device", "cpu", "--out", str(out)])
    assert done.exit_code == 0, done.output
    for said in ("memory", "an epoch", "the run", "4 epochs", "3 batches"):
        assert said in done.stdout
    row = json.loads(out.read_text())
    assert row["bench"] == "plan"
    assert row["run_s"] == pytest.approx(row["start_s"] + 4 * row["epoch_s"] + row["test_s"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing_of_the_kind"], "nothing_of_the_kind"),
        (["localisation", "--budget", "lots"], "`--budget`: got 'lots'"),
        (["fsdd"], "fsdd"),  # there is no data, which the other process finds out
    ],
)
def test_bad_input_is_named_and_ends_with_two(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["plan", *arguments])
    assert done.exit_code == 2, done.output
    assert says in done.stderr


def test_a_process_that_is_killed_is_said_to_have_run_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess([], -9, "")
    monkeypatch.setattr(planning.measurement.subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(SpikingGammaError, match=r"probably as memory ran out.*training\.batch_size"):
        measure(tiny_recipe())
