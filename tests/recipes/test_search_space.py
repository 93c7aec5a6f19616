"""The values to try are read, written and read again; what cannot be searched is an error that names the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.recipes import Range, Recipe, Search, dump_recipe, load_recipe, parse_recipe, with_values
from spikinggamma.recipes.search_space import own_values

INTERVALS = st.tuples(st.floats(1e-6, 0.5), st.floats(0.5, 1.0, exclude_min=True), st.booleans()).map(
    lambda drawn: Range(low=drawn[0], high=drawn[1], log=drawn[2])
)
WHOLE = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)).map(
    lambda drawn: Range(low=drawn[0], high=drawn[0] + drawn[1] * drawn[2], step=drawn[1])
)
LISTS = st.lists(st.lists(st.floats(1.0, 100.0), min_size=1).map(tuple), min_size=2, unique=True).map(
    lambda drawn: Range(choices=tuple(drawn))
)
WORDS = st.permutations(["windowed", "traced", "instantaneous"]).map(lambda drawn: Range(choices=tuple(drawn)))


@pytest.mark.long
@given(
    rate=INTERVALS, size=WHOLE, buckets=LISTS, rule=WORDS, trials=st.integers(0, 99), epochs=st.integers(0, 99),
    seed=st.integers(0, 2**31 - 1),
)  # fmt: skip
def test_a_space_survives_being_written_and_read(
    rate: Range, size: Range, buckets: Range, rule: Range, trials: int, epochs: int, seed: int
) -> None:
    space = {
        "learning.learning_rate": rate, "training.batch_size": size, "net.tau_ms": buckets, "learning.rule": rule,
    }  # fmt: skip
    recipe = Recipe(search=Search(trials=trials, epochs=epochs, seed=seed, space=space))
    assert parse_recipe(dump_recipe(recipe)) == recipe


@pytest.mark.parametrize(
    "text",
    [
        '[search.space]\n"learning.dropout" = {low = 0.0, high = 0.5}',
        "[search.space]\nlearning.dropout = {low = 0.0, high = 0.5}",
        "[search.space.learning.dropout]\nlow = 0.0\nhigh = 0.5",
        "[search.space.learning]\ndropout = {low = 0.0, high = 0.5}",
    ],
    ids=["quoted", "dotted", "table", "section"],
)
def test_a_key_may_be_written_in_every_way_that_toml_has(text: str) -> None:
    assert parse_recipe(text).search.space == {"learning.dropout": Range(low=0.0, high=0.5)}


def test_a_range_may_come_from_the_command_line() -> None:
    recipe = load_recipe("localisation", ["search.space.net.max_spikes={low=0, high=4, step=2}", "search.trials=3"])
    assert recipe.search.space == {"net.max_spikes": Range(low=0, high=4, step=2)}


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("learning.learning_rat", "{low=1e-4, high=1e-2}", ["cannot be searched", "`learning.learning_rate`?"]),
        ("training.seed", "{low=0, high=9}", ["training.seed", "cannot be searched"]),
        ("training.epochs", "{low=1, high=9}", ["training.epochs", "cannot be searched"]),
        ("data.split", '{choices=["a", "b"]}', ["data.split", "cannot be searched"]),
        ("data.options.n_trin", "{low=1, high=9}", ["n_trin", "`data.options.n_train`?"]),
        ("search.seed", "{low=1, high=9}", ["search.space.search.seed", "cannot be searched"]),
        ("name", '{choices=["a", "b"]}', ["search.space.name", "cannot be searched"]),
        ("net", "{low=1, high=9}", ["search.space.net", "cannot be searched"]),
        ("learning.dropout", "{}", ["search.space.learning.dropout", "no whole range", "choices"]),
        ("learning.dropout", "{low=0.1}", ["search.space.learning.dropout", "no whole range"]),
        ("learning.dropout", "{low=0.5, high=0.1}", ["low 0.5, high 0.1", "below"]),
        ("learning.dropout", "{low=0.1, high=0.1}", ["low 0.1, high 0.1", "below"]),
        ("learning.dropout", "{low=0.0, high=0.1, log=true}", ["low 0.0", "above 0"]),
        ("learning.dropout", "{low=0.1, high=0.2, step=0.1, log=true}", ["no step, with log"]),
        ("learning.dropout", "{low=0.0, high=0.5, step=0.2}", ["step 0.2", "from 0.0 to 0.5"]),
        ("learning.dropout", "{low=0.0, high=0.5, step=0}", ["search.space.learning.dropout.step", "greater than 0"]),
        ("training.batch_size", "{low=8, high=32, step=0.5}", ["step 0.5", "an integer step"]),
        ("learning.dropout", "{choices=[0.1]}", ["[0.1]", "two or more"]),
        ("learning.dropout", "{choices=[0.1, 0.1]}", ["two or more different"]),
        ("learning.dropout", "{choices=[0.1, 0.2], low=0.0}", ["choices beside"]),
        ("learning.dropout", "{low=0.1, high=1.5}", ["search.space.learning.dropout", "1.5", "less than 1"]),
        ("learning.dropout", '{choices=[0.1, "much"]}', ["'much'", "number"]),
        ("training.batch_size", "{low=8.0, high=32}", ["search.space.training.batch_size", "8.0"]),
        ("net.tau_ms", "{choices=[[4.0], []]}", ["search.space.net.tau_ms", "()", "at least 1"]),
        (
            "learning.dropout",
            "{lo=0.1, high=0.2}",
            ["search.space.learning.dropout.lo", "unknown key", "`search.space"],
        ),
        ("learning.dropout", "0.1", ["search.space.learning.dropout", "0.1", "a table"]),
        ("learning.dropout", "{low=true, high=0.2}", ["search.space.learning.dropout.low", "True"]),
    ],
)
def test_what_cannot_be_searched_is_named(key: str, text: str, says: list[str]) -> None:
    with pytest.raises(SpikingGammaError) as caught:
        parse_recipe(f'[data.options]\nn_train = 8\n[search.space]\n"{key}" = {text}')
    for part in says:
        assert part in str(caught.value)


def test_the_recipes_own_values_are_found_at_every_depth() -> None:
    space = {
        "data.options.n_train": Range(low=1, high=99), "net.tau_ms": Range(choices=((4, 6), (5,))),
        "net.adaptation_tau_ms": Range(low=40, high=60, step=5), "learning.dropout": Range(low=0.0, high=0.3, step=0.1),
    }  # fmt: skip
    overrides = {
        "data.options.n_train": 40,
        "net.tau_ms": (4.0, 6.0),
        "net.adaptation_tau_ms": 55.0,
        "learning.dropout": 0.1,
    }
    recipe = with_values(Recipe(), overrides).model_copy(update={"search": Search(space=space)})
    found = own_values(recipe)
    assert found == overrides
    assert with_values(recipe, found) == recipe
    assert isinstance(found["net.adaptation_tau_ms"], int)


@pytest.mark.parametrize(
    ("key", "among"),
    [
        ("learning.dropout", Range(low=0.1, high=0.5)),
        ("net.adaptation_tau_ms", Range(low=20, high=60, step=20)),
        ("learning.rule", Range(choices=("traced", "instantaneous"))),
    ],
)
def test_a_recipe_outside_its_own_space_is_named(key: str, among: Range) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{key}`.*widen the range"):
        own_values(Recipe(search=Search(space={key: among})))
