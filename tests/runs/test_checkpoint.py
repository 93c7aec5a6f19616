"""A checkpoint comes back bit for bit, or is refused by name; nothing in it is ever run."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.recipes import Recipe, load_recipe, parse_recipe
from spikinggamma.runs import Best, Checkpoint, load_checkpoint, restore_net, save_checkpoint

RECIPE = load_recipe("localisation")


def _saved(path: Path) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = torch.nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.randn(4, 3)).sum().backward()
    optimiser.step()
    save_checkpoint(path, Checkpoint(3, net.state_dict(), optimiser.state_dict(), Best(2, 0.5, 1.25)), RECIPE)
    return net, optimiser


def test_net_optimiser_and_best_come_back(tmp_path: Path) -> None:
    net, optimiser = _saved(tmp_path / "last.pt")
    back = load_checkpoint(tmp_path / "last.pt", RECIPE)
    assert back.epoch == 3
    assert back.best == Best(2, 0.5, 1.25)
    twin = torch.nn.Linear(3, 2)
    restore_net(twin, back.net, tmp_path / "last.pt")
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))
    other = torch.optim.AdamW(twin.parameters())
    assert back.optimiser is not None
    other.load_state_dict(back.optimiser)
    for key, state in optimiser.state_dict()["state"].items():
        assert all(torch.equal(value, other.state_dict()["state"][key][name]) for name, value in state.items())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_one_cut_short_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "last.pt"
    _saved(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SpikingGammaError, match=r"last\.pt.*cut short or not a checkpoint"):
        load_checkpoint(path, RECIPE)


def test_one_that_carries_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "last.pt"
    for write in (
        lambda: torch.save({"format": 1, "net": Bomb()}, path),
        lambda: path.write_bytes(pickle.dumps(Bomb())),
    ):
        write()
        with pytest.raises(SpikingGammaError, match="not a checkpoint"):
            load_checkpoint(path, RECIPE)
    assert not (tmp_path / "ran").exists()


def test_another_file_of_torch_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    torch.save({"weight": torch.ones(2)}, path)
    with pytest.raises(SpikingGammaError, match="format None"):
        load_checkpoint(path, RECIPE)
    with pytest.raises(SpikingGammaError, match="no such file"):
        load_checkpoint(tmp_path / "none.pt", RECIPE)


def test_one_of_another_net_or_task_is_refused_by_its_difference(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    _saved(path)
    wider = load_recipe("localisation", ["net.hidden=[7]", "data.dt_ms=1"])
    with pytest.raises(SpikingGammaError, match=r"data\.dt_ms 2\.0 instead of 1\.0; net\.hidden .* instead of \[7\]"):
        load_checkpoint(path, wider)
    with pytest.raises(SpikingGammaError, match=r"weight is \[2, 3\], the net's is \[2, 4\]"):
        restore_net(torch.nn.Linear(4, 2), load_checkpoint(path, RECIPE).net, path)
    with pytest.raises(SpikingGammaError, match="bias is not part of the net"):
        restore_net(torch.nn.Linear(3, 2, bias=False), load_checkpoint(path, RECIPE).net, path)


def test_the_best_epoch_is_the_most_accurate_and_ties_go_to_the_lower_loss() -> None:
    best = Best()
    assert best.beaten_by(0.0, 5.0)
    best = Best(1, 0.5, 1.0)
    assert best.beaten_by(0.6, 9.0)
    assert best.beaten_by(0.5, 0.9)
    assert not best.beaten_by(0.5, 1.0)
    assert not best.beaten_by(0.4, 0.1)


def test_a_recipe_is_read_without_running_anything() -> None:
    with pytest.raises(SpikingGammaError, match="not TOML"):
        parse_recipe("hidden = __import__('os').getcwd()")
    assert isinstance(parse_recipe(""), Recipe)


def test_a_key_younger_than_the_checkpoint_had_its_default(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    _saved(path)
    content = torch.load(path, weights_only=True)
    meaning = json.loads(content["meaning"]["net"])
    del meaning["conv"]
    content["meaning"]["net"] = json.dumps(meaning)
    torch.save(content, path)
    assert load_checkpoint(path, RECIPE).epoch == 3
    with pytest.raises(SpikingGammaError, match=r"net\.conv \[\] instead of \[\[4, 3, 2\]\]"):
        load_checkpoint(path, load_recipe("nmnist", ["net.conv=[[4,3,2]]"]))
