"""Data sets for the command line."""

from __future__ import annotations

import pytest

from spikinggamma.events import Splits
from spikinggamma.training import catalogue, data_table, load_recipe
from spikinggamma.training.recipe import Recipe


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
