"""A recipe says the same in a file, in memory and in a file again; anything else in it is an error that names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.recipes import Recipe, dump_recipe, load_recipe, parse_recipe, recipe_names
from spikinggamma.recipes.schema import Data, Learning, Net


@pytest.mark.parametrize("name", recipe_names())
def test_bundled_recipes_are_valid_and_named_after_their_file(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.long
@given(
    rate=st.floats(1e-12, 1.0),
    hidden=st.lists(st.integers(1, 1000), min_size=1, max_size=4),
    split=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20),
    options=st.dictionaries(
        st.text("ab-_é.", min_size=1), st.integers() | st.booleans() | st.floats(0, 1) | st.text('x"\\\n')
    ),
)
def test_a_recipe_survives_being_written_and_read(
    rate: float, hidden: list[int], split: str, options: dict[str, int | bool | float | str]
) -> None:
    options = {key: value for key, value in options.items() if not isinstance(value, int) or abs(value) < 2**63}
    recipe = Recipe(
        data=Data(split=split, options=options), net=Net(hidden=tuple(hidden)), learning=Learning(learning_rate=rate)
    )
    assert parse_recipe(dump_recipe(recipe)) == recipe


def test_every_key_is_written_and_explained() -> None:
    text = dump_recipe(Recipe())
    for model in (Recipe, Data, Net, Learning):
        for key, field in model.model_fields.items():
            assert isinstance(field.default, Recipe.__mro__[1]) or field.default_factory or field.description
            assert key in text


def test_overrides_reach_every_depth_and_need_no_quotes() -> None:
    overrides = [
        "learning.learning_rate=3e-3", "net.hidden=[8, 4]", "learning.rule=instantaneous",
        "data.options.n_samples=7", "data.split=speaker:george", "learning.clip_norm=2",
    ]  # fmt: skip
    recipe = load_recipe("localisation", overrides)
    assert recipe.learning.learning_rate == 3e-3
    assert recipe.net.hidden == (8, 4)
    assert recipe.learning.rule == "instantaneous"
    assert recipe.data.options["n_samples"] == 7
    assert recipe.data.split == "speaker:george"
    assert recipe.learning.clip_norm == 2.0


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("learning.learning_rat=1", ["learning.learning_rat", "unknown key", "Did you mean `learning.learning_rate`"]),
        ("learning.zebra=1", ["learning.zebra", "unknown key", "clip_norm, delay_rate_ms, dropout, learning_rate"]),
        ("lerning.rule=1", ["lerning", "unknown key", "Did you mean `learning`"]),
        ("net.threshold=high", ["net.threshold", "'high'", "a number", "resting threshold"]),
        ("net.threshold=0", ["net.threshold", "got 0", "greater than 0"]),
        ("net.hidden=64", ["net.hidden", "got 64", "a list"]),
        ("net.hidden=[64, 0]", ["net.hidden", "got 0", "greater than or equal to 1"]),
        ("training.epochs=2.5", ["training.epochs", "2.5", "a whole number"]),
        ("training.epochs=true", ["training.epochs", "True", "a whole number"]),
        ("learning.learning_rate=nan", ["learning.learning_rate", "nan", "finite"]),
        ("learning.rule=backprop", ["learning.rule", "'backprop'", "instantaneous", "windowed"]),
        ("data.dt_ms=50", ["data.dt_ms", "50", "the shortest bucket"]),
        ("data=3", ["data", "got 3", "a table"]),
        ("name.x=3", ["--set", "`name` is not a table"]),
        ("epochs", ["--set", "section.key=value"]),
        (".=3", ["--set", "section.key=value"]),
    ],
)
def test_a_bad_override_is_named(override: str, says: list[str]) -> None:
    with pytest.raises(SpikingGammaError) as caught:
        load_recipe("localisation", [override])
    for part in says:
        assert part in str(caught.value)


def test_what_belongs_together_is_checked_together() -> None:
    with pytest.raises(SpikingGammaError, match="several time constants"):
        load_recipe("fsdd", ["learning.rule=shifted"])
    with pytest.raises(SpikingGammaError, match="warmup_epochs"):
        load_recipe("fsdd", ["learning.warmup_epochs=40"])


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"Did you mean `fsdd`\?"):
        load_recipe("fsd")
    with pytest.raises(SpikingGammaError, match="does not exist"):
        load_recipe(tmp_path / "none.toml")
    non_finite_error = tmp_path / "broken.toml"
    non_finite_error.write_text("[net\nhidden = 3")
    with pytest.raises(SpikingGammaError, match=r"broken\.toml.*not TOML"):
        load_recipe(non_finite_error)
    non_finite_error.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpikingGammaError, match="cannot be read"):
        load_recipe(non_finite_error)


def test_several_problems_are_counted_and_the_unknown_key_comes_first() -> None:
    with pytest.raises(SpikingGammaError, match=r"`net\.treshold`.*1 more problem in this recipe"):
        parse_recipe("[net]\ntreshold = 1\nhidden = 'wide'")
