"""The results of a search so far: a row for each trial, the winner, and the recipe with the winner's values."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import NamedTuple

import optuna

from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.metrics import validated
from spikinggamma.files.atomic import write_atomically
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import dump_recipe, with_values
from spikinggamma.runs.metrics import Row
from spikinggamma.search.study import rows_of

__all__ = ["Findings", "winner_of"]

_log = logging.getLogger("spikinggamma.training")


class Findings(NamedTuple):
    """The results of the search in `folder`, as stored in its study."""

    folder: Path
    recipe: Recipe
    study: optuna.Study
    said: set[int]

    def rows(self) -> list[Row]:
        """Return one row for each finished trial."""
        return rows_of(self.study, self.recipe.search)

    def best(self, winner: Row) -> Recipe:
        """Return the recipe with the winner's values; its search space is kept."""
        return with_values(self.recipe, winner["values"])

    def write(self) -> None:
        """Write `trials.jsonl` and `best.toml`, and log the trials that were not logged before."""
        rows = self.rows()
        text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        write_atomically(self.folder / "trials.jsonl", text.encode())
        winner = winner_of(rows)
        if winner is not None:
            write_atomically(self.folder / "best.toml", dump_recipe(self.best(winner)).encode())
        for row in rows:
            if row["trial"] not in self.said:
                self.said.add(row["trial"])
                _log.info("%s", _line(row, winner, self.recipe.search.trials))

    def winner(self) -> Row:
        """Return the best trial.

        Raises:
            SpikingGammaError: No trial finished.
        """
        rows = self.rows()
        winner = winner_of(rows)
        if winner is None:
            got = f"{len(rows)} trials, none of which came to its end; the last: {rows[-1].get('message', 'pruned')}"
            raise SpikingGammaError("search", got, "one that does", "Narrow [search.space], or raise search.trials.")
        return winner


def winner_of(rows: list[Row]) -> Row | None:
    """Return the best whole trial: by validation accuracy, then by validation loss, then the earlier one.

    Example:
        >>> good = {"trial": 0, "state": "whole", "validation_accuracy": 0.8, "validation_loss": 0.6}
        >>> winner_of([good, good | {"trial": 1, "validation_loss": 0.5}, good | {"trial": 2, "state": "pruned"}])["trial"]
        1
    """
    whole = [row for row in rows if row["state"] == "whole"]
    return max(whole, key=lambda row: (validated(row)[1], -row["validation_loss"]), default=None)


def _line(row: Row, winner: Row | None, trials: int) -> str:
    metric, value = validated(row)
    best = f"best {metric.text(validated(winner)[1])}" if winner else "best none yet"
    values = "  ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row["values"].items()
    )
    return (
        f"trial {row['trial'] + 1}/{trials}  {row['state']}  validation {metric.title} {metric.text(value)}  {best}  "
        f"epochs {row['epochs']}  {row['seconds']:.0f} s  {values}"
    )
