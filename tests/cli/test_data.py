"""The data commands: what they write, what they say, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from spikinggamma.cli import app
from spikinggamma.datasets.heidelberg import read_heidelberg
from spikinggamma.events import channel_counts

SMALL = ["n_train=54", "n_validation=27", "n_test=27"]
SETTINGS = [part for setting in SMALL for part in ("--set", setting)]
FILES = {f"{variant}_{part}.h5" for variant in ("whole", "part", "norm") for part in ("train", "validation", "test")}


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(tmp_path / "data"))


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for index, name in enumerate(("1_ann_0.wav", "0_ann_0.wav", "1_bob_0.wav")):
        soundfile.write(folder / name, 0.1 * np.random.default_rng(index).normal(size=400), 8000)
    return folder


def test_the_list_says_size_licence_and_how_to_cite(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "nmnist"
    folder.mkdir(parents=True)
    (folder / "one.bin").write_bytes(bytes(2_000_000))
    input_events = call("data", "list").output
    paragraph = next(part for part in input_events.split("\n\n") if part.startswith("nmnist:"))
    for part in ("CC BY-SA 4.0", "70000 recordings", "1 files, 2.0 MB", str(folder), "spikinggamma cite nmnist"):
        assert part in paragraph
    assert "orchard2015converting" in call("cite", "nmnist").stdout


@pytest.mark.long
def test_every_data_set_can_be_cited() -> None:
    for line in call("data", "list").output.splitlines():
        if line.startswith("  cite"):
            assert call(*line.split()[2:]).exit_code == 0, line


@pytest.mark.long
def test_showing_prints_the_picture_and_the_facts(tmp_path: Path) -> None:
    result = call("data", "show", "localisation", "3", "--part", "test", *SETTINGS)
    assert result.exit_code == 0, result.output
    path, info = result.stdout.splitlines()
    assert (tmp_path / path).read_bytes().startswith(b"\x89PNG")
    assert info.startswith("localisation test 3: Barn-owl localisation; 80 spikes in 240 ms on 16 channels")
    whole = call("data", "show", "localisation", *SETTINGS, "--out", "all.png").stdout
    assert "all.png\nlocalisation train: Barn-owl localisation; 54 recordings of 9 classes" in whole


@pytest.mark.long
def test_every_task_can_be_shown() -> None:
    info = call("data", "show", "isi", "0", *SETTINGS, "--set", "max_interval_ms=50").stdout.splitlines()[1]
    assert info.startswith("isi train 0: Inter-spike intervals; ")
    assert " spikes in 10000 ms on 10 channels; 10 channels spike; label " in info
    assert "isi: Inter-spike intervals\n  classes   2: above the line, below the line\n" in call("data", "list").output


@pytest.mark.long
def test_sounds_become_one_file(sounds: Path, tmp_path: Path) -> None:
    result = call("data", "convert", sounds, "sounds.h5", "--n-channels", "4", "--seed", "1", "--ramp-ms", "5")
    assert result.exit_code == 0, result.output
    assert "3 recordings" in result.stdout
    found = read_heidelberg(tmp_path / "sounds.h5")
    assert found.class_names == ("0", "1")
    assert [(one.label, one.speaker) for one in found.recordings] == [(0, "ann"), (1, "ann"), (1, "bob")]
    again = call("data", "convert", sounds, "sounds.h5")
    assert again.exit_code == 2
    assert "sounds.h5" in again.stderr
    assert call("data", "convert", sounds / "1_ann_0.wav", "sounds.h5", "--n-channels", "5", "--force").exit_code == 0
    assert read_heidelberg(tmp_path / "sounds.h5").recordings[0].n_channels == 5


def test_a_data_set_becomes_a_file_for_each_part(tmp_path: Path) -> None:
    result = call("data", "convert", "localisation", "out", *SETTINGS)
    assert result.exit_code == 0, result.output
    names = [f"localisation_{part}.h5" for part in ("test", "train", "validation")]
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == names
    assert [len(read_heidelberg(tmp_path / "out" / name).recordings) for name in names] == [27, 54, 27]
    assert call("data", "convert", "localisation", "out", *SETTINGS).exit_code == 2
    fewer = call("data", "convert", "localisation", "out", *SETTINGS, "--n-channels", "8", "--force")
    assert "on 8 channels" in fewer.stdout


@pytest.mark.long
def test_normalised_counts_are_the_same_in_every_recording(tmp_path: Path) -> None:
    result = call(
        "data", "normalise", "localisation", "--out", "out", *SETTINGS, "--group-channels", "8", "--seed", "2"
    )
    assert result.exit_code == 0, result.output
    folder = tmp_path / "out"
    assert {entry.name for entry in folder.iterdir()} == FILES | {"about.json"}
    about = json.loads((folder / "about.json").read_text())
    for part in ("train", "validation", "test"):
        norm = read_heidelberg(folder / f"norm_{part}.h5").recordings
        assert (channel_counts(norm) == about["spikes_of_channel"]).all()
        assert len(norm) == about["recordings"]["norm"][part] > 0
        assert len(set(np.bincount([recording.label for recording in norm]).tolist())) == 1
    assert (about["recorded_channels"], about["channels_before"], about["seed"]) == (16, 8, 2)
    assert about["command"].startswith("spikinggamma")
    assert "spikinggamma" in about["versions"]
    assert call("data", "normalise", "localisation", "--out", "out", *SETTINGS).exit_code == 2
    assert call("data", "normalise", "localisation", "--out", "out", *SETTINGS, "--force").exit_code == 0


@pytest.mark.long
def test_the_authors_way_says_so_and_splits_as_they_do(tmp_path: Path) -> None:
    more = ["--set", "n_train=520", "--set", "n_test=260", "--set", "n_validation=9"]
    result = call("data", "normalise", "localisation", "--out", "out", *more, "--as-authors")
    assert result.exit_code == 0, result.output
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about["made"].startswith("as published")
    assert about["left_out"]["in no full batch"] == 520 - 512 + 260 - 256 + 9
    assert about["recordings"]["whole"] == {"train": 460, "validation": 116, "test": 115}
    assert (about["rare"], about["removable"], about["statistics"]) == (0.01, 2000, "all")


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "fsd"], "Did you mean `fsdd`?"),
        (["show", "localisation", "5000"], "`INDEX`: got 5000"),
        (["show", "localisation", "--out", "a.jpg"], "`--out`: got a.jpg"),
        (["show", "localisation", "--set", "n_trein=9"], "Did you mean `n_train`?"),
        (["show", "localisation", "--set", "n_train"], "KEY=VALUE"),
        (["show", "localisation", "--part", "tests"], "tests"),
        (["show", "shd"], "shd"),
        (["convert", "nothing", "a.h5"], "or a data set: "),
        (["convert", ".", "a.h5"], "no sound file in it"),
        (["convert", ".", "a.txt"], "ends in .h5"),
        (["convert", ".", "none/a.h5"], "a folder that exists"),
        (["convert", ".", "a.h5", "--n-channels", "0"], "`n_channels`: got 0"),
        (["convert", ".", "a.h5", "--set", "seed=1"], "a data set to convert"),
        (["convert", "localisation", "notes.txt"], "notes.txt, a file"),
        (["convert", "localisation", "out", "--c0", "1e8"], "c0"),
        (["normalise", "localisation", "--out", "notes.txt"], "notes.txt, a file"),
        (["normalise", "localisation", "--out", "out", "--group-channels", "7"], "a divisor of 16"),
        (["normalise", "localisation", "--out", "out", "--group-channels", "-1"], "`--group-channels`: got -1"),
        (["normalise", "localisation", "--out", "out", "--rare", "1.5"], "`rare`: got 1.5"),
        (["normalise", "localisation", "--out", "out", "--seed", "-1"], "`--seed`: got -1"),
        (["normalise", "localisation", "--out", "out", "--statistics", "some"], "some"),
        (["normalise", "localisation", "--out", "out", "--as-authors", "--most-removed", "0.1"], "--as-authors"),
    ],
)
def test_bad_input_is_named_ends_with_two_and_leaves_nothing(arguments: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = call("data", *arguments)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("command", ["list", "fetch", "show", "convert", "normalise"])
def test_help_teaches_by_example(command: str) -> None:
    said = call("data", command, "--help")
    assert said.exit_code == 0
    assert command == "list" or f"spikinggamma data {command}" in said.output
