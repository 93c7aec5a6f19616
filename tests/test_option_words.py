"""Options in words: their kinds and ranges, and what is wrong with a value that does not fit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from spikinggamma.errors import SpikingGammaError
from spikinggamma.option_words import OptionRow, check_options, option_rows, range_words
from spikinggamma.options import Options


class Example(Options):
    """One option of each kind."""

    share: float = Field(default=0.5, ge=0.0, le=1.0, description="share")
    wait_ms: float = Field(default=1.0, ge=1.0, le=60_000.0, description="wait [ms]; rounded")
    tau_ms: float = Field(default=2.0, gt=0.0, description="time constant [ms]")
    below: float = Field(default=0.1, ge=0.0, lt=1.0)
    ramp_ms: float | None = Field(default=None, gt=0.0, lt=9.0, description="ramp [ms]")
    count: int = Field(default=3, ge=1, le=255)
    limit: int = Field(default=0, ge=0)
    places: tuple[Annotated[float, Field(gt=0.0)], ...] = Field(default=(1.0,), min_length=1)
    kind: Literal["sum", "mean"] = "sum"
    code: Literal["a", "b", "c"] = "a"
    word: str = "owl"
    flag: bool = False


def row(key: str) -> OptionRow:
    return next(row for row in option_rows(Example) if row.key == key)


@pytest.mark.parametrize(
    ("key", "kind", "default", "limits"),
    [
        ("share", "a number", "0.5", "from 0 to 1"),
        ("wait_ms", "a number", "1.0", "1 to 60000 ms"),
        ("tau_ms", "a number", "2.0", "above 0 ms"),
        ("below", "a number", "0.1", "from 0 to below 1"),
        ("ramp_ms", "a number", "none", "above 0, below 9 ms"),
        ("count", "a whole number", "3", "from 1 to 255"),
        ("limit", "a whole number", "0", "at least 0"),
        ("places", "a list of numbers", "[1.0]", "each above 0"),
        ("kind", "a word, as 'sum'", "sum", "sum or mean"),
        ("code", "a word, as 'a'", "a", "one of a, b, c"),
        ("word", "a word, as 'owl'", "owl", ""),
        ("flag", "true or false", "false", ""),
    ],
)
def test_kinds_and_ranges(key: str, kind: str, default: str, limits: str) -> None:
    assert row(key)[:4] == (key, kind, default, limits)
    assert range_words(Example.model_fields[key]) == limits


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("share", 2, "`share`: got 2.0; expected from 0 to 1. Meaning: share."),
        ("share", "half", "`share`: got 'half'; expected a number."),
        ("share", float("nan"), "`share`: got nan; expected from 0 to 1."),
        ("share", True, "`share`: got True; expected a number."),
        ("wait_ms", 0.5, "`wait_ms`: got 0.5; expected 1 to 60000 ms."),
        ("ramp_ms", 0.0, "`ramp_ms`: got 0.0; expected above 0, below 9 ms."),
        ("count", 256, "`count`: got 256; expected a whole number from 1 to 255."),
        ("count", 2.5, "`count`: got 2.5; expected a whole number."),
        ("limit", -1, "`limit`: got -1; expected at least 0."),
        ("places", 3.0, "`places`: got 3.0; expected a list of numbers."),
        ("places", (1.0, "b"), "`places`: got (1.0, 'b'); expected a list of numbers."),
        ("places", (1.0, -1.0), "`places`: got (1.0, -1.0); expected each greater than 0."),
        ("kind", "max", "`kind`: got 'max'; expected sum or mean."),
        ("kind", 3, "`kind`: got 3; expected a word, as 'sum'."),
        ("word", 3, "`word`: got 3; expected a word, as 'owl'."),
        ("flag", 1, "`flag`: got 1; expected true or false."),
    ],
)
def test_what_does_not_fit_is_named_with_its_range(key: str, value: Any, says: str) -> None:
    with pytest.raises(SpikingGammaError) as caught:
        check_options(Example, {key: value}, name="example")
    assert str(caught.value).startswith(says)


def test_an_unknown_key_comes_first_and_has_a_neighbour() -> None:
    with pytest.raises(SpikingGammaError) as caught:
        check_options(Example, {"share": 7.0, "cuont": 3}, name="example", argument="loss")
    assert str(caught.value).startswith(
        "`loss.cuont`: got an unknown key; expected an option of example: share, wait_ms"
    )
    assert str(caught.value).endswith("Did you mean `count`?")
    with pytest.raises(SpikingGammaError, match="an option of plain: it has none"):
        check_options(Options, {"x": 1}, name="plain")


def test_lists_become_tuples_and_whole_numbers_numbers() -> None:
    found = check_options(Example, {"places": [1, 2], "share": 1}, name="example")
    assert found.places == (1.0, 2.0)
    assert isinstance(found.share, float)
