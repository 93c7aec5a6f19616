"""How recordings of one's own are split: by the parts that they name, by share, speaker, column or file.

| `data.split` | test part |
| --- | --- |
| `official` | what the recordings say (folders `train` and `test`, a column `part`), or else as `share` |
| `share`, `share:0.3` | that share of every class and speaker, drawn by `data.seed`; 0.2 if not given |
| `speaker:ann`, `speaker:ann,bob/eve` | all of these speakers or subjects; those behind the slash are for validation |
| `column:day=3`, `column:day=3/4` | recordings whose column has that value |
| `files:*_5.wav`, `files:a/*\\|b/*` | recordings whose source fits the pattern; behind the bar those for validation |

Where no recordings are named for validation, `data.validation_fraction` of the rest is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts import Found
from spikinggamma.layouts.naming import by_size

__all__ = ["Parts", "divided", "groups_of"]

_SHARE = 0.2
_FORMS = "official, share:0.2, speaker:NAME, column:NAME=VALUE or files:PATTERN"


class Parts(NamedTuple):
    """Recordings as they were found, in three parts."""

    train: list[Found]
    validation: list[Found]
    test: list[Found]


def divided(found: Sequence[Found], split: str, validation_fraction: float, *, seed: int) -> Parts:
    """Return the recordings in three parts, none of which is empty.

    Args:
        found: All recordings.
        split: As the table of this module says.
        validation_fraction: Share of the rest for validation, where none is named.
        seed: Of what is drawn.

    Raises:
        SpikingGammaError: The split is unknown, names what is not there, or leaves a part empty.
    """
    kind, _, what = split.partition(":")
    if kind == "official" and not what:
        named = {part: [one for one in found if one.part == part] for part in ("train", "validation", "test")}
        # A file alone may be called train; there is a division where something is for the test.
        if named["test"]:
            if without := [one for one in found if not one.part]:
                got = f"{without[0].source}, of no part"
                raise SpikingGammaError("data.split", got, "a part for every recording, as others have one")
            return _whole(named["train"], named["validation"], named["test"], split, validation_fraction, seed)
    if kind in ("official", "share"):
        rest, test = hold_out(list(found), _share(what), seed=seed)
        return _whole(rest, [], test, split, validation_fraction, seed)
    if kind == "speaker":
        tested, validated = _sides(what, "/")
        choose = _chooser(found, "speaker", split)
    elif kind == "column":
        name, equals, values = what.partition("=")
        tested, validated = _sides(values, "/")
        if not equals:
            raise SpikingGammaError("data.split", repr(split), "column:NAME=VALUE")
        choose = _chooser(found, name, split)
    elif kind == "files":
        tested, validated = _sides(what, "|")
        choose = _by_file
    else:
        raise SpikingGammaError("data.split", repr(split), _FORMS)
    if not tested:
        raise SpikingGammaError("data.split", repr(split), _FORMS)
    test = [one for one in found if choose(one, tested)]
    validation = [one for one in found if choose(one, validated) and not choose(one, tested)]
    rest = [one for one in found if not choose(one, tested) and not choose(one, validated)]
    return _whole(rest, validation, test, split, validation_fraction, seed, named=bool(validated))


def groups_of(found: Sequence[Found], by: str) -> list[str]:
    """Return the speakers, or the values of a column, that may be left out one after the other, in order.

    Raises:
        SpikingGammaError: There are fewer than two.
    """
    known = {_value(one, by) for one in found} - {""}
    if len(known) < 2:
        got = f"{by!r}, with {len(known)} of them"
        remedy = f"These recordings have {', '.join(_columns(found)) or 'no columns'}."
        raise SpikingGammaError("--leave-out", got, "speaker or a column, with two values at least", remedy)
    for name in known:
        if "/" in name or "," in name:
            raise SpikingGammaError("--leave-out", f"{by} {name!r}", "names without commas and slashes")
    return sorted(known, key=by_size)


def _whole(
    rest: list[Found],
    validation: list[Found],
    test: list[Found],
    split: str,
    fraction: float,
    seed: int,
    *,
    named: bool = False,
) -> Parts:
    """Return the three parts, the validation part drawn from the rest where there is none yet."""
    drawn = not validation and not named
    train = rest
    if drawn:
        train, validation = hold_out(rest, fraction, seed=seed)
        if not validation and len(rest) > 1:
            train, validation = rest[:-1], rest[-1:]
    for name, part in (("training", train), ("validation", validation), ("test", test)):
        if not part:
            got = (
                f"{split!r}, which leaves the {name} part empty: {len(rest)} recordings beside {len(test)} for the test"
            )
            raise SpikingGammaError("data.split", got, "recordings in all three parts")
    return Parts(train, validation, test)


def _share(text: str) -> float:
    try:
        share = float(text) if text else _SHARE
    except ValueError:
        share = -1.0
    if not 0.0 < share < 1.0:
        raise SpikingGammaError("data.split", f"share:{text}", "a share between 0 and 1, such as share:0.2")
    return share


def _sides(text: str, between: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tested, _, validated = text.partition(between)
    split = "," if between == "/" else "\0"
    return tuple(filter(None, tested.split(split))), tuple(filter(None, validated.split(split)))


def _chooser(found: Sequence[Found], by: str, split: str) -> Callable[[Found, tuple[str, ...]], bool]:
    known = {_value(one, by) for one in found} - {""}
    wanted = [name for side in _sides(split.rpartition("=" if by != "speaker" else ":")[2], "/") for name in side]
    for name in wanted:
        if name not in known:
            expected = f"{by} of {', '.join(sorted(known, key=by_size)) or 'nobody: these recordings do not say'}"
            raise SpikingGammaError("data.split", repr(split), expected)
    return lambda one, names: _value(one, by) in names


def _by_file(one: Found, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(one.source, pattern) for pattern in patterns)


def _value(one: Found, by: str) -> str:
    return one.speaker if by in ("speaker", "subject") else one.label if by == "label" else one.columns.get(by, "")


def _columns(found: Sequence[Found]) -> list[str]:
    speakers = ["speaker"] if any(one.speaker for one in found) else []
    return speakers + sorted({name for one in found for name in one.columns})
