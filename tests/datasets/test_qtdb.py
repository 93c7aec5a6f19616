"""QTDB: spikes and labels of the published files, and of files that are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import qtdb
from spikinggamma.events import make_batch


def tables(samples: int = 25, steps: int = 40, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = (rng.random((samples, steps, 4)) < 0.2).astype(np.int16)
    x[:, -1, 0] = -1
    y = np.eye(7, dtype=np.uint8)[rng.integers(0, 7, (samples, steps))][..., :6]
    return {"x": x, "y": y}


def write(folder: Path, part: str, **tables: Any) -> Path:
    path = folder / "qtdb" / f"QTDB_{part}.mat"
    path.parent.mkdir(exist_ok=True)
    scipy.io.savemat(path, tables)
    return path


def test_every_spike_and_label_comes_through(tmp_path: Path) -> None:
    held = tables()
    path = write(tmp_path, "train", **held)
    recordings = qtdb.read_qtdb(path)
    batch = make_batch(recordings, dt_ms=4.0)
    spikes = np.where(held["x"] == 1, 1, 0).transpose(1, 0, 2)
    np.testing.assert_array_equal(batch.spikes.numpy(), spikes)
    labels = np.where(held["y"].any(2), held["y"].argmax(2), -1).T
    np.testing.assert_array_equal(batch.labels.numpy(), labels)
    assert batch.lengths.tolist() == [40] * 25
    assert recordings[3].source == "QTDB_train.mat/3"


def test_all_steps_count_as_the_published_program_has_them(tmp_path: Path) -> None:
    held = tables()
    for part in ("train", "test"):
        write(tmp_path, part, **held)
    batch = make_batch(qtdb.load(root=tmp_path, all_steps=True).test, dt_ms=4.0)
    np.testing.assert_array_equal(batch.labels.numpy(), held["y"].argmax(2)[:, :-1].T)
    np.testing.assert_array_equal(batch.spikes.numpy(), np.where(held["x"] == 1, 1, 0)[:, :-1].transpose(1, 0, 2))


def test_validation_is_held_out_in_runs_of_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "train", **tables(samples=95))
    write(tmp_path, "test", **tables(samples=7, seed=1))
    found = qtdb.load(root=tmp_path, validation_fraction=0.2, seed=4)
    assert [len(part) for part in found] in ([75, 20, 7], [80, 15, 7])
    held = sorted(int(recording.source.rsplit("/", 1)[1]) for recording in found.validation)
    assert {place // 10 for place in held} == {place // 10 for place in held if place % 10 == 0}
    assert {r.source for r in found.train}.isdisjoint(r.source for r in found.validation)
    again, other = (qtdb.load(root=tmp_path, validation_fraction=0.2, seed=seed).validation for seed in (4, 5))
    assert [r.source for r in again] == [r.source for r in found.validation] != [r.source for r in other]


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in tables().items() if key != name}


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (_without("x"), "no `x`"),
        (_without("y"), "no `y`"),
        (tables() | {"x": tables()["x"].astype(np.float64)}, "`x` float64"),
        (tables() | {"x": tables()["x"][..., :3]}, r"`x` int16 \(25, 40, 3\)"),
        (tables() | {"x": tables()["x"][:, :39]}, "the same samples and steps"),
        (tables() | {"x": tables()["x"] * 3}, "other values in `x`"),
        (tables() | {"x": -np.abs(tables()["x"])}, "other values in `x`"),
        (tables() | {"y": np.ones_like(tables()["y"])}, "other values in `y`"),
        (tables() | {"y": tables()["y"] * 2}, "other values in `y`"),
        ({"x": "text", "y": tables()["y"]}, "`x` <U4"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, held: dict[str, Any], message: str) -> None:
    path = write(tmp_path, "train", **held)
    with pytest.raises(SpikingGammaError, match=message) as caught:
        qtdb.read_qtdb(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0", b"\x00" * 300])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, "train", **tables())
    path.write_bytes(content)
    with pytest.raises(SpikingGammaError, match=r"QTDB_train\.mat"):
        qtdb.read_qtdb(path)
    cut = write(tmp_path, "test", **tables())
    cut.write_bytes(cut.read_bytes()[:-300])
    with pytest.raises(SpikingGammaError, match=r"QTDB_test\.mat"):
        qtdb.read_qtdb(cut)


def test_a_missing_file_or_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="no such file"):
        qtdb.load(root=tmp_path)
    with pytest.raises(SpikingGammaError, match="'official'"):
        qtdb.load(root=tmp_path, split="speaker:x")
    with pytest.raises(SpikingGammaError, match="validation_fraction"):
        qtdb.load(root=tmp_path, validation_fraction=1.0)


@pytest.mark.long
def test_the_published_files(data_root: Path) -> None:
    found = qtdb.load(root=data_root)
    assert [len(part) for part in found] == [558, 60, 141]
    assert {recording.duration_us for part in found for recording in part} == {1301 * 4000}
    held = scipy.io.loadmat(data_root / "qtdb" / "QTDB_test.mat")
    labels = np.concatenate([recording.step_labels for recording in found.test])  # type: ignore[arg-type, type-var]
    assert np.bincount(labels[labels >= 0]).tolist() == held["y"].sum((0, 1)).tolist()
    channels = np.concatenate([recording.channels for recording in found.test])
    assert np.bincount(channels).tolist() == (held["x"] == 1).sum((0, 1)).tolist()
