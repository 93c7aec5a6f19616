"""What a recipe says of its data is checked before anything is loaded; validation never meets the test part."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.data import data_info, load_splits, training_batches
from spikinggamma.recipes import dump_recipe, load_recipe, parse_recipe
from spikinggamma.runs import build_net
from tiny_run import tiny_recipe


def test_facts_follow_the_options() -> None:
    info = data_info(tiny_recipe("data.options.n_channels=8"))
    assert (info.n_channels, info.n_classes) == (8, 3)
    assert [bound.accuracy for bound in info.floors] == [1 / 3, 2 / 3]
    assert info.ceiling is not None
    assert info.ceiling.accuracy == 1.0
    assert data_info(tiny_recipe("data.options.jitter_ms=1.0")).ceiling is None
    fsdd = data_info(load_recipe("fsdd", ["data.n_channels=140"]))
    assert (fsdd.n_channels, fsdd.n_classes) == (140, 10)


@pytest.mark.parametrize(
    ("name", "options", "n_channels", "n_classes"),
    [
        ("isi", ["max_interval_ms=50", "n_channels=4"], 4, 2),
        ("polychrony", ["max_interval_ms=500"], 20, 2),
        ("coincidence", ["overlap=0.5", "n_windows=2"], 60, 3),
    ],
)
def test_a_recipe_can_name_any_task(name: str, options: list[str], n_channels: int, n_classes: int) -> None:
    few = ["n_train=6", "n_validation=2", "n_test=2"]
    recipe = parse_recipe(f'[data]\nname = "{name}"\n', overrides=[f"data.options.{o}" for o in (*few, *options)])
    info = data_info(recipe)
    assert (info.n_channels, info.n_classes) == (n_channels, n_classes)
    assert info.ceiling is not None
    parts = load_splits(recipe)
    assert [len(part) for part in parts] == [6, 2, 2]
    assert all(recording.n_channels == n_channels for recording in parts.train)
    assert sum(len(batch.labels) for batch in training_batches(recipe, parts.train, epoch=0)) == 6


def test_an_option_of_a_task_is_checked_before_anything_is_made() -> None:
    for option, says in (
        ("overlp=0.5", "Did you mean `overlap`"),
        ("overlap=1.5", "from 0 to 1"),
        ("overlap=a", "a number"),
    ):
        recipe = parse_recipe('[data]\nname = "coincidence"\n', overrides=[f"data.options.{option}"])
        with pytest.raises(SpikingGammaError, match=says):
            data_info(recipe)


def test_floors_are_those_of_the_very_spikes() -> None:
    fsdd = load_recipe("fsdd")
    published = fsdd.model_copy(update={"data": fsdd.data.model_copy(update={"options": {}})})
    assert [bound.accuracy for bound in data_info(published).floors] == [0.1, 0.59, 0.697]
    assert [bound.accuracy for bound in data_info(fsdd).floors] == [0.1, 0.79, 0.87]
    for other in ("data.options.ramp_ms=5.0", "data.split=speaker:theo"):
        assert [bound.accuracy for bound in data_info(load_recipe("fsdd", [other])).floors] == [0.1]


def test_convolutions_need_pictures() -> None:
    net = build_net(load_recipe("nmnist"))
    assert [layer.out_shape for layer in net.stack] == [(12, 17, 17), (24, 9, 9), (96,), (10,)]
    for recipe in (load_recipe("fsdd", ["net.conv=[[4,3,1]]"]), load_recipe("nmnist", ["data.n_channels=1156"])):
        with pytest.raises(
            SpikingGammaError, match=r"`net\.conv`: .*expected \[\], as these recordings are no pictures"
        ):
            build_net(recipe)
    with pytest.raises(SpikingGammaError, match=r"`net\.hidden`.*at least one layer here or in net\.conv"):
        load_recipe("fsdd", ["net.hidden=[]"])


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("data.name=fsd", "Did you mean `fsdd`"),
        ("data.split=speaker:theo", "makes its own three parts"),
        ("data.options.n_trian=3", "Did you mean `n_train`"),
        ("data.options.root=/tmp", "key of \\[data.options\\]"),
        ("data.n_channels=5", "a divisor of the 16"),
    ],
)
def test_what_the_data_cannot_be_is_named(override: str, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        load_splits(tiny_recipe(override))


def test_batches_depend_on_seed_and_epoch_alone() -> None:
    recipe = tiny_recipe()
    recordings = load_splits(recipe).train
    one, again, other = (list(training_batches(recipe, recordings, epoch=epoch)) for epoch in (2, 2, 3))
    assert sum(len(batch.labels) for batch in one) == len(recordings) == 40
    assert all(torch.equal(a.spikes, b.spikes) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a.labels, b.labels) for a, b in zip(one, other, strict=True))


def test_all_parts_are_perturbed_each_by_random_numbers_of_its_own() -> None:
    sizes = [f"data.options.{name}=18" for name in ("n_train", "n_validation", "n_test")]
    plain = load_splits(load_recipe("localisation", sizes))
    recipe = load_recipe("localisation", [*sizes, "data.perturb=['deletion=0.5', 'jitter=2ms']"])
    assert parse_recipe(dump_recipe(recipe)) == recipe
    one, again = load_splits(recipe), load_splits(recipe)
    for before, after, same in zip(plain, one, again, strict=True):
        assert [r.times_us.tolist() for r in after] == [r.times_us.tolist() for r in same]
        assert [r.label for r in after] == [r.label for r in before]
        kept, given = (sum(r.n_events for r in part) for part in (after, before))
        assert abs(kept - 0.5 * given) < 5.0 * (0.25 * given) ** 0.5
    reseeded = load_splits(recipe.model_copy(update={"data": recipe.data.model_copy(update={"seed": 1})}))
    assert [r.n_events for r in reseeded.train] != [r.n_events for r in one.train]
    # How many spikes were lost where in each part: alike only if the parts shared their random numbers.
    lost = [[a.n_events for a in part] for part in one]
    assert lost[0] != lost[1] != lost[2] != lost[0]
