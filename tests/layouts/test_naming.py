"""Folders and names of files give the class, the speaker and the part."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts import LAYOUTS, recognised
from spikinggamma.layouts.naming import NamedFile, files_below, named_files


def named(folder: Path, *names: str, pattern: str = "", one_each: bool = True) -> list[NamedFile]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return named_files(folder, list(files_below(folder)), pattern=pattern, one_each=one_each)


def said(one: NamedFile) -> tuple[str, str, str]:
    return one.label, one.speaker, one.part


def test_folders_are_parts_classes_and_speakers(tmp_path: Path) -> None:
    found = named(tmp_path, "Train/up/ann/1.wav", "test/up/2.wav", "validation/down/bob/3.wav")
    assert [said(one) for one in found] == [
        ("up", "ann", "train"),
        ("up", "", "test"),
        ("down", "bob", "validation"),
    ]


def test_names_without_folders_begin_with_the_class(tmp_path: Path) -> None:
    found = named(tmp_path, "7_ann_0.wav", "10_bob_1.wav", "7_x.wav")
    assert [said(one) for one in found] == [("10", "bob", ""), ("7", "ann", ""), ("7", "", "")]


def test_a_pattern_says_it_all(tmp_path: Path) -> None:
    found = named(tmp_path, "s1/day2-up.wav", "s2/day3-down.wav", pattern="{speaker}/day{day}-{label}")
    assert [said(one) for one in found] == [("up", "s1", ""), ("down", "s2", "")]
    assert [dict(one.columns) for one in found] == [{"day": "2"}, {"day": "3"}]
    with pytest.raises(SpikingGammaError, match="the name s1/day2-up; expected one like"):
        named(tmp_path, pattern="{label}_{speaker}")


def test_a_file_of_many_recordings_may_name_its_part(tmp_path: Path) -> None:
    found = named(tmp_path, "a_train.h5", "a_test.h5", "contest.h5", one_each=False)
    assert [one.part for one in found] == ["test", "train", ""]


def test_what_finders_and_editors_leave_is_no_recording(tmp_path: Path) -> None:
    found = named(tmp_path, "up/1.wav", "up/._1.wav", "down/.DS_Store", "down/2.wav", ".git/config")
    assert [one.source for one in found] == ["down/2.wav", "up/1.wav"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("up/1.wav", "2.wav"), "beside folders of them"),
        (("plain.wav", "other.wav"), "a name without a label"),
    ],
)
def test_a_folder_that_gives_no_classes_is_refused(names: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        named(tmp_path, *names)


def test_what_cannot_be_read_is_said_with_what_can(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="which does not exist"):
        recognised(tmp_path / "none")
    with pytest.raises(SpikingGammaError, match="an empty folder; expected files of a known layout: aedat"):
        recognised(tmp_path)
    (tmp_path / "a.mat").write_bytes(b"x")
    with pytest.raises(SpikingGammaError, match=r"with files that end in \.mat"):
        recognised(tmp_path)
    (tmp_path / "b.wav").write_bytes(b"x")
    assert recognised(tmp_path).entry.name == "sounds"
    (tmp_path / "c.csv").write_text("time_ms,channel\n1,2\n")
    with pytest.raises(SpikingGammaError, match=r"files of 2 layouts: b\.wav \(sounds\); c\.csv \(event_table\)"):
        recognised(tmp_path)
    assert recognised(tmp_path, "event_table").files == [tmp_path / "c.csv"]
    with pytest.raises(SpikingGammaError, match="Did you mean `event_table`"):
        recognised(tmp_path, "event_tabl")


def test_every_layout_says_what_it_is() -> None:
    for entry in LAYOUTS.entries():
        assert entry.target.suffixes
        assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in entry.target.suffixes)
        assert "names" in entry.options.model_fields
        assert entry.summary.endswith(".")
