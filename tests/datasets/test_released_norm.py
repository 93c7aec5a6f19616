"""The released files, on small ones written in their layout."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.released_norm import read_shd_norm, read_ssc_norm
from spikinggamma.events import BIN_MS, bin_recording

RNG = np.random.default_rng(0)
SPIKES = (RNG.random((30, 7, 100)) < 0.1).astype(np.uint8)
SPIKES[3] = 0
LABELS = RNG.integers(0, 20, 30).astype(np.uint8)


def mat(path: Path, **held: object) -> Path:
    savemat(path, held)
    return path


def hdf5(path: Path, **held: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, value in held.items():
            file.create_dataset(name, data=value, compression="gzip")
    return path


def test_a_matlab_file_comes_back_bin_by_bin(tmp_path: Path) -> None:
    found = read_shd_norm(mat(tmp_path / "shd_norm.mat", X=SPIKES, Y=LABELS))
    assert [recording.label for recording in found] == LABELS.tolist()
    for recording, spikes in zip(found, SPIKES, strict=True):
        assert recording.n_channels == 7
        np.testing.assert_array_equal(bin_recording(recording, dt_ms=BIN_MS).numpy().T, spikes)
    assert found[4].source == "shd_norm.mat[4]"


def test_an_hdf5_file_comes_back_bin_by_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikinggamma.datasets.released_norm._AT_ONCE", 8)  # 30 is no multiple of it
    found = read_ssc_norm(hdf5(tmp_path / "ssc_norm.h5", X=SPIKES, Y=LABELS))
    assert [recording.label for recording in found] == LABELS.tolist()
    for recording, spikes in zip(found, SPIKES, strict=True):
        np.testing.assert_array_equal(bin_recording(recording, dt_ms=BIN_MS).numpy().T, spikes)
    assert found[9].source == "ssc_norm.h5[9]"


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({"Y": LABELS}, "no `X` in it"),
        ({"X": SPIKES}, "no `Y` in it"),
        ({"X": SPIKES[:, :, :99], "Y": LABELS}, r"shape \(30, 7, 99\)"),
        ({"X": SPIKES[0], "Y": LABELS}, r"shape \(7, 100\)"),
        ({"X": SPIKES, "Y": LABELS[:9]}, "expected 30 integers"),
        ({"X": SPIKES, "Y": LABELS + 0.5}, "expected 30 integers"),
        ({"X": SPIKES * 3, "Y": LABELS}, "got 3 in recording 0; expected 0 or 1"),
        ({"X": SPIKES, "Y": LABELS + 40}, "label .* of recording 0"),
    ],
)
def test_another_layout_is_named(held: dict[str, np.ndarray], says: str, tmp_path: Path) -> None:
    for read, write, name in ((read_shd_norm, mat, "a.mat"), (read_ssc_norm, hdf5, "a.h5")):
        with pytest.raises(SpikingGammaError, match=says) as caught:
            read(write(tmp_path / name, **held))
        assert name in str(caught.value)


def test_what_is_no_such_file_is_named(tmp_path: Path) -> None:
    for read in (read_shd_norm, read_ssc_norm):
        with pytest.raises(SpikingGammaError, match="no such file"):
            read(tmp_path / "none")
        (tmp_path / "noise").write_bytes(RNG.bytes(1000))
        with pytest.raises(SpikingGammaError, match="noise"):
            read(tmp_path / "noise")
    whole = mat(tmp_path / "cut.mat", X=SPIKES, Y=LABELS).read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SpikingGammaError, match=r"cut\.mat"):
        read_shd_norm(tmp_path / "cut.mat")


def test_version_7_3_is_told_from_damage(tmp_path: Path) -> None:
    path = tmp_path / "new.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM"
    path.write_bytes(header.ljust(512, b"\0"))
    with pytest.raises(SpikingGammaError, match=r"version 7\.3"):
        read_shd_norm(path)
