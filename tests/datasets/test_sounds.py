"""A user's own sounds: how they tell their class, and that a file's spikes are its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from spikinggamma import SpikingGammaError
from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets import cochlea_spikes
from spikinggamma.datasets.sounds import read_sounds

SMALL = Cochlea(n_channels=4)


def write(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).normal(size=400), 8000)
    return path


def test_names_tell_class_and_speaker(tmp_path: Path) -> None:
    for index, name in enumerate(["10_ann_0.wav", "2_ann_1.flac", "2_bob.wav", "oh_x_y_z.WAV"]):
        write(tmp_path / name, index)
    (tmp_path / "notes.txt").write_text("no sound")
    found = read_sounds(tmp_path, SMALL, progress=False)
    assert found.class_names == ("2", "10", "oh")
    told = [(recording.source, recording.label, recording.speaker) for recording in found.recordings]
    assert told == [
        ("10_ann_0.wav", 1, "ann"),
        ("2_ann_1.flac", 0, "ann"),
        ("2_bob.wav", 0, ""),
        ("oh_x_y_z.WAV", 2, ""),
    ]
    assert {recording.n_channels for recording in found.recordings} == {4}


def test_folders_tell_the_class(tmp_path: Path) -> None:
    for index, name in enumerate(["yes/a.wav", "no/a.wav", "no/b.wav"]):
        write(tmp_path / name, index)
    found = read_sounds(tmp_path, SMALL, progress=False)
    assert found.class_names == ("no", "yes")
    assert [recording.label for recording in found.recordings] == [0, 0, 1]
    assert found.recordings[2].source == "yes/a.wav"


def test_one_file_is_its_own_class(tmp_path: Path) -> None:
    assert read_sounds(write(tmp_path / "hello.wav"), SMALL, progress=False).class_names == ("hello",)


def test_spikes_depend_on_the_file_and_the_seed_only(tmp_path: Path) -> None:
    path = write(tmp_path / "sounds" / "1_ann_0.wav")
    alone = read_sounds(path, SMALL, seed=3, progress=False).recordings[0]
    write(tmp_path / "sounds" / "0_ann_0.wav", 1)
    together = read_sounds(tmp_path / "sounds", SMALL, seed=3, progress=False).recordings[1]
    other = read_sounds(path, SMALL, seed=4, progress=False).recordings[0]
    np.testing.assert_array_equal(alone.times_us, together.times_us)
    assert not np.array_equal(alone.times_us, other.times_us)
    # The spoken digits, converted from their own folder, are what their loader makes of them.
    loaded = cochlea_spikes.hear_file(path.name, folder=path.parent, cochlea=SMALL, cochlea_seed=3)
    np.testing.assert_array_equal(alone.times_us, loaded.times_us)


def test_what_tells_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="no such file or folder"):
        read_sounds(tmp_path / "none")
    with pytest.raises(SpikingGammaError, match="no sound file in it"):
        read_sounds(tmp_path)
    plain = write(tmp_path / "plain.wav")
    with pytest.raises(SpikingGammaError, match=r"plain\.wav.*a name without a label"):
        read_sounds(tmp_path)
    write(tmp_path / "yes" / "a.wav")
    with pytest.raises(SpikingGammaError, match="beside folders of them"):
        read_sounds(tmp_path)
    plain.unlink()
    (tmp_path / "yes" / "b.wav").write_bytes(b"")
    with pytest.raises(SpikingGammaError, match=r"b\.wav.*an empty file"):
        read_sounds(tmp_path, SMALL, progress=False)
