"""Data sets for the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikinggamma.data import catalogue, data_table
from spikinggamma.events import Splits
from spikinggamma.recipes import load_recipe
from spikinggamma.recipes.schema import Recipe


def test_fetch_makes_the_very_spikes_that_training_will_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Recipe] = []

    def load(recipe: Recipe) -> Splits:
        asked.append(recipe)
        return Splits([], [], [])

    monkeypatch.setattr(catalogue, "load_splits", load)
    assert catalogue.fetch("fsdd").startswith("fsdd is ready: 0 train, 0 validation, 0 test.")
    assert asked == [load_recipe("fsdd")]


def test_every_data_set_and_task_has_a_paragraph() -> None:
    text = data_table()
    for part in ("localisation: Barn-owl localisation", "fsdd: ", "channels  700", "licence   "):
        assert part in text


def test_a_set_lies_where_its_loader_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One with files of its own below the data root, its spikes in the cache; one made on the spot, in the cache only."""

    def place(name: str) -> str:
        return next(line for line in catalogue.fetch(name).splitlines() if line.startswith("  here"))

    monkeypatch.setattr(catalogue, "load_splits", lambda recipe: Splits([], [], []))
    root, cache = tmp_path / "root", tmp_path / "cache"
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(root))
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(cache))
    for folder in (root / "fsdd", cache / "fsdd", cache / "spoken_words"):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(bytes(10**5))
    assert f"{root / 'fsdd'} (1 files, 0.1 MB); as spikes in {cache / 'fsdd'} (1 files, 0.1 MB)" in place("fsdd")
    assert f"{cache / 'spoken_words'} (1 files, 0.1 MB)" in place("spoken_words")
    assert f"not here yet ({root / 'shd'})" in place("shd")
