"""A file is the old one or the new one, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.files.json_files import read_json, write_json
from spikinggamma.recipes import Recipe
from spikinggamma.runs import create_run


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    write_atomically(path, b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpikingGammaError, match=r"last\.pt.*No space left on device.*The old one is good") as caught:
        write_atomically(path, b"new", remedy="The old one is good.")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["last.pt"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    write_atomically(path, b"old")

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["last.pt"]


def test_json_is_read_back_or_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"ö": [1, None]})
    assert read_json(path) == {"ö": [1, None]}
    path.write_text("[1]")
    with pytest.raises(SpikingGammaError, match=r"run\.json.*a JSON list"):
        read_json(path)
    path.write_text('{"a": ')
    with pytest.raises(SpikingGammaError, match=r"run\.json.*cannot be read"):
        read_json(path)


def test_a_folder_that_cannot_be_filled_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpikingGammaError, match=r"recipe\.toml.*No space left"):
        create_run(Recipe(), tmp_path / "run", command="", device="cpu")
    assert not (tmp_path / "run").exists()
