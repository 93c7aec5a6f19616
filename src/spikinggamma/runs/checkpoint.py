"""Checkpoints, written atomically and loaded without executing code.

`last.pt` continues a run, `best.pt` holds the weights of its best validation epoch. Both contain the part of the
recipe on which the weights depend, so that a checkpoint of another net is refused with the differing keys.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.recipes.schema import Recipe

__all__ = ["Best", "Checkpoint", "load_checkpoint", "restore_net", "save_checkpoint"]

_FORMAT = 1


class Best(NamedTuple):
    """The best epoch so far by validation data; epoch 0 means none yet. Of values, `accuracy` is R²."""

    epoch: int = 0
    accuracy: float = float("-inf")
    loss: float = float("inf")

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        """Return whether these figures are better: a higher accuracy, or the same accuracy and a lower loss."""
        return (accuracy, -loss) > (self.accuracy, -self.loss)


class Checkpoint(NamedTuple):
    """The state of a run after `epoch` epochs. Random numbers are not stored, as they follow from seed and epoch."""

    epoch: int
    net: dict[str, Tensor]
    optimiser: dict[str, Any] | None
    best: Best


def save_checkpoint(path: Path, checkpoint: Checkpoint, recipe: Recipe, *, remedy: str = "") -> None:
    """Write a checkpoint atomically.

    Raises:
        SpikingGammaError: The file could not be written; the previous one is untouched.
    """
    content = {
        "format": _FORMAT,
        "meaning": _meaning(recipe),
        "epoch": checkpoint.epoch,
        "net": checkpoint.net,
        "optimiser": checkpoint.optimiser,
        "best": list(checkpoint.best),
    }
    # Serialised in memory first, because torch's own writer hides the reason of a failed write.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue(), remedy=remedy)


def load_checkpoint(path: Path, recipe: Recipe, *, device: torch.device | str = "cpu") -> Checkpoint:
    """Load a checkpoint that belongs to `recipe`. It holds tensors, numbers and text only; no code is executed.

    Raises:
        SpikingGammaError: The file does not exist, is truncated or damaged, is not a checkpoint, or belongs to another net
            or data set.
    """
    if not path.is_file():
        raise SpikingGammaError(str(path), "no such file", "a checkpoint", "The run ended before its first epoch did.")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        # zip, pickle and torch each raise errors of their own; the cause is the file in every case.
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise SpikingGammaError(
            str(path),
            f"a file of {path.stat().st_size} bytes that is cut short or not a checkpoint ({reason})",
            "a whole checkpoint",
            f"Delete it to start this run anew from its recipe; {_other(path)}",
        ) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise SpikingGammaError(str(path), f"format {found}", f"a spikinggamma checkpoint of format {_FORMAT}")
    differences = _differences(content["meaning"], _meaning(recipe))
    if differences:
        raise SpikingGammaError(
            str(path), f"a checkpoint of another net: {'; '.join(differences)}", "one made with this run's recipe"
        )
    return Checkpoint(content["epoch"], content["net"], content["optimiser"], Best(*content["best"]))


def restore_net(net: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy the weights of a checkpoint into `net`.

    Raises:
        SpikingGammaError: The parameters of the checkpoint are not those of `net`: names or shapes differ.
    """
    own = net.state_dict()
    wrong = [f"{name} is missing" for name in own if name not in weights]
    wrong += [f"{name} is not part of the net" for name in weights if name not in own]
    wrong += [
        f"{name} is {list(weights[name].shape)}, the net's is {list(tensor.shape)}"
        for name, tensor in own.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    if wrong:
        raise SpikingGammaError(
            str(path), f"a checkpoint of another net: {'; '.join(wrong[:4])}", "this net's parameters"
        )
    net.load_state_dict(weights)


def _other(path: Path) -> str:
    best = path.with_name("best.pt")
    kept = path.name != "best.pt" and best.is_file()
    return f"the weights of its best epoch are still in {best}." if kept else "nothing else is lost."


_SECTIONS = ("data", "net", "neuron", "delays", "readout", "layers", "encoder")
_PLACE = ("name", "path")  # where one's own recordings lie gives weights no other meaning


def _meaning(recipe: Recipe) -> dict[str, str]:
    """Return the sections of the recipe that give weights their meaning, as JSON text."""
    tables = recipe.model_dump(mode="json", include=set(_SECTIONS))
    if recipe.data.path:
        tables["data"] = {key: value for key, value in tables["data"].items() if key not in _PLACE}
    tables["layers"] = {f"{index}": layer for index, layer in enumerate(tables["layers"])}
    return {section: json.dumps(tables[section]) for section in _SECTIONS}


def _differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    found = []
    usual = _meaning(Recipe())
    for section, text in ours.items():
        if section not in theirs:  # not checked when this checkpoint was written
            continue
        # A key that is newer than the checkpoint had its default value then.
        mine, other = json.loads(text), json.loads(usual[section]) | json.loads(theirs[section])
        found += [
            f"{section}.{key} {json.dumps(other.get(key))} instead of {json.dumps(mine.get(key))}"
            for key in dict.fromkeys((*mine, *other))
            if mine.get(key) != other.get(key) and (key in mine or section not in ("data", "net"))
        ]
    return found
