"""SHD and SSC from small files in the published layout: splits, and training from the bundled recipe end to end."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from spikinggamma import SpikingGammaError, datasets
from spikinggamma.recipes import load_recipe
from spikinggamma.training import train

PARTS = {"shd": ("train", "test"), "ssc": ("train", "valid", "test")}


def a_part(path: Path, count: int, n_classes: int, *, seed: int) -> None:
    """Random words, written by h5py alone: each class spikes in channels of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % n_classes
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (count,), dtype=h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (count,), dtype=h5py.vlen_dtype(np.uint16))
        for index, label in enumerate(labels):
            events = int(rng.integers(80, 120))
            times[index] = np.sort(rng.uniform(0.0, 0.3, events)).astype(np.float16)
            units[index] = (rng.integers(label * 20, label * 20 + 20, events) % 700).astype(np.uint16)
        file["labels"] = labels.astype(np.uint16)
        file["extra/speaker"] = rng.integers(0, 3, count).astype(np.uint16)


def a_root(folder: Path, name: str) -> Path:
    for seed, part in enumerate(PARTS[name]):
        a_part(folder / name / f"{name}_{part}.h5", 80, datasets.info(name).n_classes, seed=seed)
    return folder


def test_parts_are_those_published(tmp_path: Path) -> None:
    shd = datasets.load("shd", root=a_root(tmp_path, "shd"), validation_fraction=0.25)
    assert [len(part) for part in shd] == [60, 20, 80]
    assert {recording.source.split("[")[0] for recording in shd.test} == {"shd_test.h5"}
    ssc = datasets.load("ssc", root=a_root(tmp_path, "ssc"))
    assert [{recording.source.split("[")[0] for recording in part} for part in ssc] == [
        {"ssc_train.h5"},
        {"ssc_valid.h5"},
        {"ssc_test.h5"},
    ]


@pytest.mark.parametrize("name", PARTS)
def test_what_is_wrong_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"{name}_train.h5.*no such file.*Download"):
        datasets.load(name, root=tmp_path)
    with pytest.raises(SpikingGammaError, match="`split`: got 'speaker:3'; expected 'official'"):
        datasets.load(name, root=tmp_path, split="speaker:3")
    a_root(tmp_path, name)
    a_part(tmp_path / name / f"{name}_test.h5", 40, datasets.info(name).n_classes + 1, seed=9)
    with pytest.raises(SpikingGammaError, match=rf"{name}_test.h5.*label {datasets.info(name).n_classes} of"):
        datasets.load(name, root=tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", PARTS)
def test_the_bundled_recipe_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(a_root(tmp_path, name)))
    small = ["training.epochs=2", "net.hidden=[24,24]", "learning.activity_cost=0.0", "training.batch_size=16"]
    run = train(load_recipe(name, small), tmp_path / "run")
    assert run.result is not None
    assert run.result["samples"] == 80
    assert run.metrics[1]["train_loss"] < run.metrics[0]["train_loss"]
