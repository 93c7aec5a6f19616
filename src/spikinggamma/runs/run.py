"""The folder of a run: creating it, updating its status and loading it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from spikinggamma.data.loading import DataInfo, data_info, load_splits
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.files.atomic import remove_leftovers, write_atomically
from spikinggamma.files.json_files import read_json, write_json
from spikinggamma.nn import SequenceNet
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import dump_recipe, load_recipe, with_values
from spikinggamma.runs.build import build_net
from spikinggamma.runs.checkpoint import load_checkpoint, restore_net
from spikinggamma.runs.metrics import Row, read_rows
from spikinggamma.tasks import Bound
from spikinggamma.versions import versions

__all__ = ["Run", "Status", "check_out", "create_run", "load_run", "next_free", "set_status"]

Status = Literal["running", "done", "interrupted", "failed", "untested"]


@dataclass(frozen=True, slots=True)
class Run:
    """A training run, loaded from its folder.

    Attributes:
        path: The folder.
        recipe: The resolved recipe.
        info: The content of `run.json`: command, seed, device, threads, versions, start time and status.
        metrics: One row per epoch.
        result: The row of the finished run with confusion matrix and predictions, or None.
    """

    path: Path
    recipe: Recipe
    info: dict[str, Any]
    metrics: list[Row]
    result: dict[str, Any] | None

    @property
    def last(self) -> Path:
        """Path of the checkpoint that continues this run."""
        return self.path / "last.pt"

    @property
    def best(self) -> Path:
        """Path of the checkpoint of the best validation epoch."""
        return self.path / "best.pt"

    def net(self, which: Literal["best", "last"] = "best", *, device: str = "cpu") -> SequenceNet:
        """Return the trained net.

        Raises:
            SpikingGammaError: There is no such checkpoint yet, it is damaged, or it belongs to another net.
        """
        path = self.best if which == "best" else self.last
        weights = load_checkpoint(path, self.recipe, device=device).net
        net = build_net(self.recipe).to(device)
        restore_net(net, weights, path)
        return net.eval()

    def splits(self) -> Splits:
        """Load the recordings on which the net was trained, validated and tested."""
        return load_splits(self.recipe)

    def data_info(self) -> DataInfo:
        """Return what is known of its recordings, with the floors that were measured on them when it was made."""
        info = data_info(self.recipe)
        measured = self.info.get("floors")
        if not isinstance(measured, list):
            return info
        return info._replace(floors=(*info.floors, *(Bound(one["accuracy"], one["why"]) for one in measured)))


def load_run(path: str | Path) -> Run:
    """Load the run in a folder.

    Raises:
        SpikingGammaError: The folder does not exist, holds no run, or has a damaged file.
    """
    folder = Path(path)
    if not (folder / "recipe.toml").is_file():
        found = "a folder without a recipe.toml" if folder.is_dir() else "no such folder"
        raise SpikingGammaError("run", f"{folder}: {found}", "the folder of a run made by `spikinggamma train`")
    recipe = load_recipe(folder / "recipe.toml")
    if recipe.data.path and not Path(recipe.data.path).is_absolute():  # recordings that are kept in the run itself
        recipe = with_values(recipe, {"data.path": str((folder / recipe.data.path).resolve())})
    info = read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    result = read_json(folder / "result.json") if (folder / "result.json").exists() else None
    return Run(folder, recipe, info, read_rows(folder / "metrics.jsonl"), result)


def check_out(out: str | Path | None) -> None:
    """Raise an error for an output folder that is not empty, before any work is done.

    Raises:
        SpikingGammaError: It is a file, holds a run, or holds anything else.
    """
    if out is None or not Path(out).exists():
        return
    folder, expected = Path(out), "a new or empty folder"
    if not folder.is_dir():
        raise SpikingGammaError("--out", f"{folder}, which is a file", expected)
    if (folder / "recipe.toml").exists() or (folder / "run.json").exists():
        remedy = f"Continue that run with `spikinggamma train --resume {folder}`, or name another --out."
        raise SpikingGammaError("--out", f"{folder}, which already holds a run", expected, remedy)
    if any(folder.iterdir()):
        raise SpikingGammaError("--out", f"{folder}, which is not empty", expected, "Name another --out.")


def create_run(recipe: Recipe, out: str | Path | None, *, command: str, device: str, **facts: object) -> Run:
    """Create the folder of a new run: `out`, or the next free `runs/<recipe>-<seed>-<n>`.

    Args:
        recipe: What is trained.
        out: The folder.
        command: What was typed.
        device: Where it runs.
        **facts: Whatever else is to be known of it, for `run.json`.

    Raises:
        SpikingGammaError: `out` already holds something; it cannot be made.
    """
    check_out(out)
    try:
        folder = next_free(f"{recipe.name}-{recipe.training.seed}") if out is None else Path(out)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("--out", f"{out or 'runs'} ({error.strerror})", "a folder that can be made") from None
    info = {
        "command": command,
        "recipe": recipe.name,
        "seed": recipe.training.seed,
        "device": device,
        "threads": recipe.training.threads,
        "versions": versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "status": "running",
        **facts,
    }
    try:
        write_atomically(folder / "recipe.toml", dump_recipe(recipe).encode())
        write_json(folder / "run.json", info)
    except BaseException:
        (folder / "recipe.toml").unlink(missing_ok=True)
        folder.rmdir()
        raise
    return load_run(folder)


def set_status(folder: Path, status: Status, message: str = "", **changes: object) -> None:
    """Write the status of the run, a message and further changes to `run.json`."""
    info = read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    info |= {"status": status, "message": message, "updated": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **changes}
    write_json(folder / "run.json", info)
    remove_leftovers(folder)


def next_free(stem: str) -> Path:
    """Create and return the folder `runs/<stem>-<n>` with the first free number n."""
    for number in itertools.count(1):
        folder = Path("runs") / f"{stem}-{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")
