"""HD through our cochlea: its splits, its two sources and its conversion, on small stand-ins and on the real recordings."""

from __future__ import annotations

import io
import json
import logging
import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
from local_server import LocalServer, local_server
from typer.testing import CliRunner

from spikinggamma import SpikingGammaError, datasets
from spikinggamma.cli import app
from spikinggamma.datasets import cochlea_spikes, hd
from spikinggamma.datasets.heidelberg import made_with, read_heidelberg
from spikinggamma.events import Splits
from spikinggamma.recipes import load_recipe
from spikinggamma.training import train

TRIALS = 5
RATE_HZ = 48_000


def names(trials: int = TRIALS) -> list[str]:
    return [
        f"lang-{language}_speaker-{speaker:02d}_trial-{trial}_digit-{digit}.flac"
        for language in ("english", "german")
        for speaker in range(12)
        for trial in range(trials)
        for digit in range(10)
    ]


def a_sound(name: str) -> np.ndarray:
    rng = np.random.default_rng(cochlea_spikes.own_seed(0, name))
    return 0.1 * rng.normal(size=480) * np.hanning(480)


def a_label(name: str) -> tuple[int, int]:
    language, speaker, _, digit = (part.split("-")[1] for part in name.removesuffix(".flac").split("_"))
    return int(digit) + 10 * (language == "german"), int(speaker)


def a_file(path: Path, chosen: list[str]) -> None:
    """Converted recordings as others write them, by h5py alone: `extra/source` and `extra/duration` in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (len(chosen),), dtype=h5py.vlen_dtype(np.float32))
        units = file.create_dataset("spikes/units", (len(chosen),), dtype=h5py.vlen_dtype(np.uint16))
        for index, name in enumerate(chosen):
            rng = np.random.default_rng(cochlea_spikes.own_seed(1, name))
            times[index] = np.sort(rng.integers(0, 2390, 40)) / np.float32(24_000)
            units[index] = rng.integers(0, 35, 40) + 35 * a_label(name)[0]
        file["labels"] = np.array([a_label(name)[0] for name in chosen], np.uint16)
        file["extra/speaker"] = np.array([a_label(name)[1] for name in chosen], np.uint16)
        file["extra/source"] = np.array([name.encode() for name in chosen])
        file["extra/duration"] = np.full(len(chosen), 0.1, np.float32)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root of 1200 converted recordings."""
    root = tmp_path_factory.mktemp("converted")
    for part, is_tested in (("train", False), ("test", True)):
        chosen = [name for name in names() if (a_label(name)[1] in (4, 5)) is is_tested]
        a_file(root / "hd" / f"hd_{part}.h5", chosen)
    return root


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A data root of 240 short sounds."""
    folder = tmp_path / "sounds" / "hd" / "audio"
    folder.mkdir(parents=True)
    for name in names(1):
        soundfile.write(folder / name, a_sound(name), RATE_HZ)
    return tmp_path / "sounds"


def load(root: Path, split: str = "unseen", **options: object) -> Splits:
    return datasets.load("hd", root=root, split=split, progress=False, **options)


def speakers(splits: Splits) -> list[set[str]]:
    return [{recording.speaker for recording in part} for part in splits]


OTHERS = {"0", "1", "2", "3", "6", "7", "8", "9", "10", "11"}


def test_unseen_speakers_are_in_the_test_only(converted: Path) -> None:
    splits = load(converted)
    assert speakers(splits) == [OTHERS, OTHERS, {"4", "5"}]
    assert [len(part) for part in splits] == [900, 100, 200]
    assert set(Counter((one.speaker, one.label) for one in splits.validation).values()) <= {1}
    half = load(converted, validation_fraction=0.4)
    assert set(Counter((one.speaker, one.label) for one in half.validation).values()) == {2}


def test_strict_validates_on_further_speakers(converted: Path) -> None:
    splits = load(converted, "strict")
    assert speakers(splits) == [OTHERS - {"8", "9"}, {"8", "9"}, {"4", "5"}]
    assert [len(part) for part in splits] == [800, 200, 200]
    assert speakers(load(converted, "strict:0/11")) == [OTHERS - {"0", "11"}, {"0", "11"}, {"4", "5"}]


def test_mixed_tests_on_a_twentieth_of_known_voices_too(converted: Path) -> None:
    splits = load(converted, "mixed")
    assert [len(part) for part in splits] == [855, 95, 250]
    assert speakers(splits)[:2] == [OTHERS, OTHERS]
    assert Counter(one.speaker in OTHERS for one in splits.test) == {False: 200, True: 50}
    assert {one.speaker for one in splits.test} == OTHERS | {"4", "5"}
    other = load(converted, "mixed", seed=7)
    assert {one.source for one in other.test} == {one.source for one in splits.test}
    assert {one.source for one in other.validation} != {one.source for one in splits.validation}


def test_a_limit_leaves_the_test_whole(converted: Path) -> None:
    few, all_of_them = load(converted, "strict", limit=2), load(converted, "strict")
    assert [len(part) for part in few] == [320, 80, 200]
    assert set(Counter((one.speaker, one.label) for part in few[:2] for one in part).values()) == {2}
    assert [one.source for one in few.test] == [one.source for one in all_of_them.test]


@pytest.mark.parametrize("split", ["unseen", "strict", "mixed"])
def test_parts_are_disjoint_and_whole(converted: Path, split: str) -> None:
    sources = [one.source for part in load(converted, split) for one in part]
    assert sorted(sources) == sorted(names())


def test_the_published_lists_decide_where_they_are(tmp_path: Path) -> None:
    chosen = names(2)
    for part, some in (("train", chosen[:300]), ("test", chosen[300:])):
        a_file(tmp_path / "hd" / f"hd_{part}.h5", some)
    with pytest.raises(
        SpikingGammaError, match=r"no `train_filenames.txt`; expected the published list.*'official'.*unseen"
    ):
        load(tmp_path, "official")
    tested = chosen[1::4]
    rest = [name for name in chosen if name not in tested]
    (tmp_path / "hd" / "train_filenames.txt").write_text("\n".join(rest) + "\n")
    (tmp_path / "hd" / "test_filenames.txt").write_text("\n".join(f"audio/{name}" for name in tested))
    splits = load(tmp_path, "official", validation_fraction=0.25)
    assert [one.source for one in splits.test] == tested
    assert sorted(one.source for part in splits[:2] for one in part) == sorted(rest)
    assert len(splits.validation) == 90
    (tmp_path / "hd" / "test_filenames.txt").write_text(rest[0])
    with pytest.raises(SpikingGammaError, match=f"{rest[0]} on both lists"):
        load(tmp_path, "official")
    (tmp_path / "hd" / "test_filenames.txt").write_text(f"{tested[0]}\nother.flac\n")
    with pytest.raises(SpikingGammaError, match=r"'other.flac', name 2, which is not there"):
        load(tmp_path, "official")


@pytest.mark.parametrize("split", ["", "speaker:4", "strict:", "strict:4", "strict:3/12", "unseen:3", "mixed/1"])
def test_refused_splits(converted: Path, split: str) -> None:
    with pytest.raises(SpikingGammaError, match=r"`split`.*'unseen', 'strict', 'mixed', 'official'.*strict:A/B"):
        load(converted, split)


def test_converted_recordings_know_what_they_are(converted: Path) -> None:
    by_name = {one.source: one for part in load(converted) for one in part}
    one = by_name["lang-german_speaker-04_trial-2_digit-7.flac"]
    assert (one.label, one.speaker, one.n_channels, one.duration_us) == (17, "4", 700, 100_000)
    assert hd.INFO.class_names[one.label] == "sieben"
    assert {channel // 35 for channel in one.channels.tolist()} == {17}


@pytest.mark.long
def test_sounds_are_converted_with_short_ramps_and_cached(sounds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "lang-english_speaker-00_trial-0_digit-3.flac"
    first = {one.source: one for part in load(sounds, n_channels=16) for one in part}[name]
    expected = cochlea_spikes.hear_file(
        name,
        folder=sounds / "hd" / "audio",
        cochlea=hd.HeidelbergDigitsOptions(n_channels=16).cochlea(),
        cochlea_seed=0,
    )
    assert hd.HeidelbergDigitsOptions().ramp_ms == 30.0
    np.testing.assert_array_equal(first.times_us, expected.times_us)
    assert (first.label, first.speaker, first.duration_us) == (3, "0", 10_000)

    def fails(*arguments: object, **options: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(cochlea_spikes, "convert", fails)
    again = {one.source: one for part in load(sounds, n_channels=16) for one in part}[name]
    np.testing.assert_array_equal(again.channels, first.channels)
    with pytest.raises(AssertionError, match="converted again"):
        load(sounds, n_channels=16, ramp_ms=20.0)


@pytest.mark.long
def test_what_is_converted_is_read_in_place_of_the_sounds(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(sounds))
    out = tmp_path / "shared" / "hd"
    arguments = ["data", "convert", "hd", str(out), "--n-channels", "16"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(os.listdir(out)) == ["hd_test.h5", "hd_train.h5"]
    assert "hd_train.h5: 200 recordings" in result.stdout
    assert CliRunner().invoke(app, arguments).exit_code == 2
    with h5py.File(out / "hd_test.h5") as file:
        assert set(file["extra/speaker"][:].tolist()) == {4, 5}
    assert json.loads(made_with(out / "hd_test.h5"))["options"]["ramp_ms"] == 30.0
    heard, read = load(sounds, n_channels=16), load(tmp_path / "shared", n_channels=16)
    for one, other in zip(heard.test, sorted(read.test, key=lambda one: one.source), strict=True):
        assert (one.source, one.label, one.speaker) == (other.source, other.label, other.speaker)
        np.testing.assert_array_equal(one.times_us, other.times_us)
        np.testing.assert_array_equal(one.channels, other.channels)
        assert one.duration_us == other.duration_us
    with pytest.raises(
        SpikingGammaError, match=r"hd_train.h5.*n_channels = 16; expected n_channels = 700\. Put the sounds"
    ):
        load(tmp_path / "shared")
    (tmp_path / "shared" / "hd" / "audio").symlink_to(sounds / "hd" / "audio")
    assert load(tmp_path / "shared", n_channels=8).train[0].n_channels == 8


@pytest.mark.long
def test_an_interrupted_conversion_goes_on(sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was converted is not converted again, and no file appears before it is whole."""
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(sounds))
    arguments = ["data", "convert", "hd", str(tmp_path / "out"), "--n-channels", "4"]
    heard: list[str] = []

    def hear(sound: object, name: str, *rest: object) -> cochlea_spikes.Spikes:
        if len(heard) == 150:
            raise KeyboardInterrupt
        heard.append(name)
        return original(sound, name, *rest)  # type: ignore[arg-type]

    original = cochlea_spikes.hear
    monkeypatch.setattr(hd, "hear", hear)
    monkeypatch.setattr("spikinggamma.datasets.cache._processors", lambda: 1)
    assert CliRunner().invoke(app, arguments).exit_code == 130
    assert not (tmp_path / "out").exists()
    before = set(heard)
    monkeypatch.setattr(hd, "hear", lambda sound, name, *rest: heard.append(name) or original(sound, name, *rest))
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert len(heard) - len(before) <= 240 - 100
    assert len(read_heidelberg(tmp_path / "out" / "hd_train.h5").recordings) == 200


@pytest.mark.long
def test_what_is_wrong_is_named(tmp_path: Path, converted: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SpikingGammaError, match=r"neither `hd_train.h5` nor sounds.*Unpack .*hd_audio.tar.gz there"):
        load(tmp_path)
    folder = tmp_path / "hd"
    folder.mkdir()
    (folder / "lang-french_speaker-00_trial-0_digit-0.flac").write_bytes(b"")
    with pytest.raises(SpikingGammaError, match="lang-french"):
        load(tmp_path)
    a_file(folder / "hd_train.h5", names(1)[:40])
    with pytest.raises(SpikingGammaError, match=r"hd_test.h5.*no such file beside hd_train.h5"):
        load(tmp_path)
    a_file(folder / "hd_test.h5", names(1)[40:60])
    with h5py.File(folder / "hd_test.h5", "a") as file:
        file["spikes"].attrs["made_with"] = "by hand"
    with pytest.raises(SpikingGammaError, match=r"made_with of .*hd_test.h5.*'by hand'.*Convert it again"):
        load(tmp_path)
    with h5py.File(folder / "hd_test.h5", "a") as file:
        file["spikes"].attrs["made_with"] = ""
        file["extra/speaker"][0] = 12
    with pytest.raises(SpikingGammaError, match=r"speaker of lang-.*'12'; expected a number from 0 to 11"):
        load(tmp_path)
    with caplog.at_level(logging.WARNING):
        load(converted)
    assert "holds 1200 of the 10420 recordings" in caplog.text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with local_server(tmp_path / "served") as running:
        yield running


def packed(path: Path, chosen: list[str]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name in chosen:
            content = io.BytesIO()
            soundfile.write(content, a_sound(name), RATE_HZ, format="FLAC")
            member = tarfile.TarInfo(f"audio/{name}")
            member.size = len(content.getvalue())
            tar.addfile(member, io.BytesIO(content.getvalue()))


@pytest.mark.long
def test_the_archive_is_fetched_where_no_root_is_named(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("SPIKINGGAMMA_DATA", raising=False)
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hd, "_ARCHIVE", f"{server.address}/hd_audio.tar.gz")
    monkeypatch.setattr(hd, "_COUNT", 240)
    packed(tmp_path / "served" / "hd_audio.tar.gz", names(1)[:239])
    options = {"split": "unseen", "n_channels": 4, "progress": False}
    with pytest.raises(SpikingGammaError, match=r"hd_audio.tar.gz.*239 files of hd; expected at least 240"):
        datasets.load("hd", **options)
    packed(tmp_path / "served" / "hd_audio.tar.gz", names(1))
    with caplog.at_level(logging.WARNING):
        assert [len(part) for part in datasets.load("hd", **options)] == [180, 20, 40]
    assert "checksum of" in caplog.text
    assert "is not known" in caplog.text
    monkeypatch.setattr(hd, "_ARCHIVE", "http://127.0.0.1:9/gone")
    assert [len(part) for part in datasets.load("hd", **options)] == [180, 20, 40]


@pytest.mark.long
@pytest.mark.parametrize("name", ["hd", "hd_lif", "hd_lif_delay"])
def test_the_bundled_recipes_train(converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(converted))
    small = ["training.epochs=1", "net.hidden=[16]", "learning.schedule=constant"]
    run = train(load_recipe(name, small), tmp_path / "run")
    assert run.result is not None
    assert (run.result["samples"], run.result["split"]) == (200, "unseen")


@pytest.fixture(scope="module")
def real(data_root: Path) -> Path:
    if not (data_root / "hd" / "hd_train.h5").is_file() and not any((data_root / "hd").rglob("lang-*.flac")):
        pytest.skip(f"no `hd_train.h5` and no sounds in {data_root / 'hd'}")
    return data_root


def test_the_real_recordings_are_all_there(real: Path) -> None:
    splits = load(real)
    assert [len(part) for part in splits] == [7722, 858, 1840]
    assert Counter(one.speaker for one in splits.test) == {"4": 900, "5": 940}
    assert {one.label for one in splits.test} == set(range(20))
    assert [len(part) for part in load(real, "strict")] == [6880, 1700, 1840]
    assert len(load(real, "mixed").test) == 1840 + 429
    counts = np.array([one.n_events for one in splits.test])
    assert 6000 < counts.mean() < 9000
