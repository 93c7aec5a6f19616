"""All tasks by name: each describes itself, makes what it describes, and refuses what it does not know."""

from __future__ import annotations

import pytest

from spikinggamma import SpikingGammaError, tasks

FEW = {"n_train": 9, "n_validation": 3, "n_test": 2}


@pytest.mark.parametrize("name", tasks.names())
def test_a_task_makes_what_it_describes(name: str) -> None:
    said = tasks.describe(name)
    parts = tasks.load(name, seed=3, **FEW)
    assert [len(part) for part in parts] == [9, 3, 2]
    assert said.title
    for recording in (one for part in parts for one in part):
        assert recording.n_channels == said.n_channels
        assert 0 <= recording.label < len(said.class_names)
    assert said.ceiling is not None
    assert all(1 / len(said.class_names) <= bound.accuracy <= said.ceiling.accuracy <= 1 for bound in said.floors)
    assert set(FEW) < set(tasks.options(name))
    assert {"seed", "n_samples"}.isdisjoint(tasks.options(name))


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("isis", {}, "a task: coincidence, isi"),
        ("isi", {"seed": 1}, "an option of isi: n_train"),
        ("isi", {"duration_ms": 1000.5}, "`duration_ms`: got 1000.5; expected a whole number"),
        ("isi", {"rates_hz": (1.0, "3")}, "`rates_hz`.*a list of numbers"),
        ("isi", {"n_train": True}, "`n_train`.*a whole number"),
        ("polychrony", {"placing": 3}, "`placing`: got 3; expected a word, as 'apart'"),
        ("polychrony", {"placing": "nowhere"}, "`placing`: got 'nowhere'; expected apart or anywhere"),
        ("coincidence", {"overlap": "half"}, "`overlap`: got 'half'; expected a number"),
        ("coincidence", {"overlap": 2}, "`overlap`: got 2.0; expected from 0 to 1"),
        ("polychrony", {"max_interval_ms": 0}, "`max_interval_ms`"),
        ("localisation", {"n_channels": 7}, "`n_channels`: got 7; expected an even number"),
        ("localisation", {"lags_ms": 3.0}, "`lags_ms`"),
    ],
)
def test_what_a_task_cannot_be(name: str, given: dict[str, object], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        tasks.describe(name, given)
