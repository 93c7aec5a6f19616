"""The plan of the resolution bench: which nets are trained at which steps, and carried to which others."""

from __future__ import annotations

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.bench.kept_runs import Asked
from spikinggamma.bench.rediscretisation import MAPPINGS
from spikinggamma.bench.resolution_plan import Case, cases, planned, select, sweeps
from spikinggamma.bench.resolution_table import MAPPED, MODELS, SMALL, steps_ms
from spikinggamma.recipes import load_recipe, recipe_names


@pytest.mark.parametrize("case", [case for case in cases(quick=False) if case.recipe in recipe_names()])
def test_every_step_that_a_bundled_recipe_allows_fits_it_and_the_next_does_not(case: Case) -> None:
    (*carried, trained) = [sweep for sweep in sweeps(case, quick=False) if not sweep.mapping]
    longest, known = max(trained.steps_ms), steps_ms(case.task)
    assert trained.steps_ms == known[: len(trained.steps_ms)]
    assert trained.home_dt_ms == trained.recipe_dt_ms == load_recipe(case.recipe).data.dt_ms
    # Everything trained is run everywhere, and told once.
    told = [pair for sweep in (*carried, trained) for pair in sweep.told_ms]
    assert sorted(told) == sorted((one, other) for one in trained.steps_ms for other in trained.steps_ms)
    for step in trained.steps_ms:
        assert planned(case, step, 3, quick=False).recipe.data.dt_ms == step
    if case.model.startswith("spikinggamma"):
        assert longest <= min(load_recipe(case.recipe, case.overrides).net.tau_ms)
        if longest < known[-1]:
            with pytest.raises(SpikingGammaError, match="shortest bucket"):
                planned(case, known[len(trained.steps_ms)], 3, quick=False)
    else:
        assert longest == known[-1]


def test_the_digits_net_is_small_and_allows_its_shortest_bucket() -> None:
    (digits,) = (case for case in cases(quick=False) if (case.task, case.model) == ("fsdd", "spikinggamma"))
    assert sweeps(digits, quick=False)[-1].steps_ms == (0.5, 1.0, 2.0, 4.0, 5.0)
    first, second = (planned(digits, 0.5, seed, quick=False) for seed in (0, 1))
    assert first.recipe.net.hidden == (96, 96)
    assert first.recipe.data.seed == second.recipe.data.seed  # recordings of people stay as they are
    assert first.name.startswith("fsdd-hidden_96_96-epochs_10-dt_ms_0.5-s0-")


def test_rivals_are_carried_by_every_mapping_from_the_recipes_own_step() -> None:
    for case in cases(quick=False):
        mapped = [sweep for sweep in sweeps(case, quick=False) if sweep.mapping]
        expected = MAPPINGS if case.task in MAPPED and case.model.startswith("lif") else ()
        assert [sweep.mapping for sweep in mapped] == list(expected)
        for sweep in mapped:
            assert sweep.told_ms == [(4.0, step) for step in steps_ms(case.task) if step != 4.0]
            assert sweep.asked(4.0, 1.0) == Asked(dt_ms=1.0, mapping=sweep.mapping)
            assert sweep.asked(4.0, 4.0) == Asked(dt_ms=4.0)


def test_the_heidelberg_digits_run_at_all_steps_with_the_same_recordings() -> None:
    chosen = select(cases(quick=False), ["hd"], [])
    assert [case.model for case in chosen] == list(MODELS)
    for case in chosen:
        assert sweeps(case, quick=False)[-1].steps_ms == (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0)
        recipe = planned(case, 0.125, 0, quick=False).recipe
        assert (recipe.data.split, recipe.data.options, recipe.net.hidden) == ("unseen", {"limit": 5}, (96, 96))
    assert "hd" not in {case.task for case in select(cases(quick=False), [], [])}


def test_quick_sizes_fit_the_recipes() -> None:
    for case in cases(quick=True):
        assert load_recipe(case.recipe, SMALL[case.task]).training.epochs == 1


def test_tasks_and_models_are_chosen_by_name() -> None:
    full = cases(quick=False)
    assert {case.task for case in select(full, ["fsdd"], [])} == {"fsdd"}
    assert [case.model for case in select(full, ["localisation"], ["lif_ottt"])] == ["lif_ottt"]
    assert {case.model for case in full} == set(MODELS)
