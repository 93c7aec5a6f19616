"""The plan of the timing suite: every cell has a recipe, a place and a perturbation that exist, and is chosen by its name."""

from __future__ import annotations

import json

import pytest

from spikinggamma import tasks
from spikinggamma.bench import timing_plan
from spikinggamma.bench.kept_runs import Asked
from spikinggamma.bench.timing_plan import asked_of, cells, planned, select
from spikinggamma.bench.timing_table import MODELS, RECIPES, SMALL
from spikinggamma.events import parse_perturbation
from spikinggamma.recipes import recipe_names


def test_every_cell_of_the_plan_has_a_recipe_a_place_and_a_perturbation_that_exists() -> None:
    full = cells(quick=False)
    assert len({tuple(one.key.values()) for one in full}) == len(full)
    assert {(one.task, one.model) for one in full} == set(RECIPES)
    for one in full:
        if one.perturb:
            assert str(parse_perturbation(one.perturb)) == one.perturb
            assert one.mode == "test-only"
        for text in one.overrides:
            if text.startswith("data.perturb="):
                (inner,) = json.loads(text.partition("=")[2])
                assert parse_perturbation(inner).level == one.level
    small = cells(quick=True)
    assert {one.task for one in small} == {one.task for one in full}
    assert len(small) < len(full) / 3


def test_level_0_is_the_same_run_in_every_group_of_a_task() -> None:
    zeros = [one for one in cells(quick=False) if one.level == 0.0 and one.task == "fsdd" and one.variant == "norm"]
    assert len({(one.recipe, one.overrides) for one in zeros}) == len(MODELS)
    assert all(asked_of(one) == [Asked()] for one in zeros)


@pytest.mark.parametrize("task", ["isi", "polychrony", "coincidence"])
def test_options_that_vary_are_options_of_the_task(task: str) -> None:
    for one in cells(quick=False):
        options = [text for text in one.overrides if text.startswith("data.options.")]
        if one.task == task:
            for text in [*options, *(text for text in SMALL[task] if text.startswith("data.options."))]:
                assert text.partition("=")[0].removeprefix("data.options.") in tasks.options(task)


def test_groups_are_chosen_by_their_beginning() -> None:
    full = cells(quick=False)
    assert {one.group for one in select(full, ["isi"], [])} == {"isi.replacement"}
    assert {one.variant for one in select(full, ["fsdd.norm"], [])} == {"norm"}
    assert {one.group for one in select(full, ["fsdd.norm.jitter"], ["lif"])} == {"fsdd.norm.jitter"}
    assert {one.model for one in select(full, [], ["lif", "mlp"])} == {"lif", "mlp"}
    assert set(timing_plan.groups()) == {one.group for one in full}


@pytest.mark.long
def test_bundled_recipes_fit_every_override_of_the_plan() -> None:
    """Of those that are bundled; the suite passes over the others."""
    checked = [one for one in cells(quick=False) if one.recipe in recipe_names()]
    assert checked
    for one in checked:
        planned(one, 0, quick=False)
        planned(one, 0, quick=True)


def test_large_data_sets_are_measured_where_they_are_named_only() -> None:
    everything = cells(quick=False)
    assert not {cell.task for cell in select(everything, (), ())} & {"hd", "shd", "ssc"}
    named = select(everything, ("shd.norm.reversal",), ("lif_delay",))
    assert [(cell.task, cell.variant, cell.level) for cell in named] == [("shd", "norm", 0.0), ("shd", "norm", 1.0)]
    recipe = planned(named[0], 0, quick=False).recipe
    assert (recipe.data.name, recipe.data.variant, recipe.data.n_channels) == ("shd", "norm", 140)


def test_the_heidelberg_digits_are_normalised_by_speaker_and_in_the_authors_way() -> None:
    for variant, split, n_channels in (("norm", "strict", 140), ("norm_as_published", "mixed", 0)):
        chosen = select(cells(quick=False), (f"hd.{variant}.replacement",), ("spikinggamma",))
        assert [cell.level for cell in chosen] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        data = planned(chosen[0], 0, quick=False).recipe.data
        assert (data.name, data.variant, data.split, data.n_channels) == ("hd", variant, split, n_channels)
    variants = {cell.variant for cell in cells(quick=False) if cell.task == "hd"}
    assert len(variants) == 6
