"""The digits: their splits, their cache and their files, on small stand-ins and on the real recordings."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spikinggamma import SpikingGammaError, datasets
from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets import cochlea_spikes, fsdd
from spikinggamma.datasets.download import check_files
from spikinggamma.events import Splits

TAKES = (0, 4, 5, 6)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data root of 240 short sounds, named as the digits are, and their checksums."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for digit in range(10):
        for speaker in fsdd.SPEAKERS:
            for take in TAKES:
                sound = 0.1 * rng.normal(size=400) * np.hanning(400)
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", sound, 8000)
    paths = sorted(folder.iterdir())
    return root, {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:32] for path in paths}


@pytest.fixture(autouse=True)
def _stand_in_checksums(stand_in: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fsdd, "_checksums", lambda: stand_in[1])
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(stand_in[0]))


def load(**options: object) -> Splits:
    return datasets.load("fsdd", **({"n_channels": 4, "progress": False} | options))


def sources(splits: Splits) -> list[set[str]]:
    return [{recording.source for recording in part} for part in splits]


@pytest.mark.long
def test_official_split_tests_on_the_first_takes() -> None:
    train, validation, test = load(validation_fraction=0.5)
    assert {fsdd._take(recording.source) for recording in test} == {0, 4}
    assert {fsdd._take(recording.source) for recording in train + validation} == {5, 6}
    assert (len(train), len(validation), len(test)) == (60, 60, 120)
    assert set(Counter((r.label, r.speaker) for r in validation).values()) == {1}


@pytest.mark.long
@pytest.mark.parametrize("speaker", fsdd.SPEAKERS)
def test_a_speaker_left_out_is_heard_in_the_test_only(speaker: str) -> None:
    train, validation, test = load(split=f"speaker:{speaker}")
    assert {recording.speaker for recording in test} == {speaker}
    assert {recording.speaker for recording in train} == set(fsdd.SPEAKERS) - {speaker}
    assert {recording.speaker for recording in validation} <= set(fsdd.SPEAKERS) - {speaker}
    assert (len(train), len(validation), len(test)) == (180, 20, 40)


@pytest.mark.long
def test_a_second_speaker_may_be_heard_in_validation_only() -> None:
    train, validation, test = load(split="speaker:theo/lucas")
    assert {recording.speaker for recording in test} == {"theo"}
    assert {recording.speaker for recording in validation} == {"lucas"}
    assert {recording.speaker for recording in train} == set(fsdd.SPEAKERS) - {"theo", "lucas"}
    whole = load(split="speaker:theo")
    assert sorted(r.source for r in train + validation) == sorted(r.source for r in whole.train + whole.validation)


@pytest.mark.parametrize("split", ["official", "speaker:theo"])
def test_parts_are_disjoint_and_whole(split: str) -> None:
    parts = sources(load(split=split))
    assert sum(len(part) for part in parts) == len(set.union(*parts)) == 240


def test_seed_moves_validation_and_nothing_else() -> None:
    first, again, other = (sources(load(seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first[1] != other[1]
    assert first[2] == other[2]


def test_recordings_know_what_they_are() -> None:
    by_name = {recording.source: recording for part in load() for recording in part}
    recording = by_name["7_lucas_5.wav"]
    assert (recording.label, recording.speaker, recording.n_channels) == (7, "lucas", 4)
    assert recording.duration_us == 50_000


@pytest.mark.long
def test_spikes_depend_on_the_cochleas_seed_and_the_name_only(stand_in: tuple[Path, dict[str, str]]) -> None:
    folder = stand_in[0] / "fsdd" / "recordings"
    cochlea = Cochlea(n_channels=16)

    def spikes(name: str, seed: int) -> list[int]:
        return cochlea_spikes.hear_file(name, folder=folder, cochlea=cochlea, cochlea_seed=seed).times_us.tolist()

    assert spikes("1_theo_4.wav", 0) == spikes("1_theo_4.wav", 0)
    assert spikes("1_theo_4.wav", 0) != spikes("1_theo_4.wav", 1)
    stored = {r.source: r for part in load(n_channels=16) for r in part}
    assert stored["1_theo_4.wav"].times_us.tolist() == spikes("1_theo_4.wav", 0)


def test_reads_the_cache_without_the_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load()

    def fails(*args: object, **options: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(cochlea_spikes, "convert", fails)
    after = load()
    for one, two in zip(before.test, after.test, strict=True):
        np.testing.assert_array_equal(one.times_us, two.times_us)
        np.testing.assert_array_equal(one.channels, two.channels)
    with pytest.raises(AssertionError, match="converted again"):
        load(cochlea_seed=1)


@pytest.mark.parametrize(
    "split",
    [
        "",
        "random",
        "speaker",
        "speaker:",
        "speaker:nobody",
        "take:3",
        "speaker:theo/",
        "speaker:theo/theo",
        "speaker:/theo",
    ],
)
def test_refused_splits(split: str) -> None:
    with pytest.raises(SpikingGammaError, match=r"`split`.*george, jackson, lucas, nicolas, theo, yweweler"):
        load(split=split)


def test_registry() -> None:
    assert "fsdd" in datasets.names()
    info = datasets.info("fsdd")
    assert info.n_classes == len(info.class_names) == 10
    assert info.n_channels == 700
    assert info.licence == "CC BY-SA 4.0"
    with pytest.raises(SpikingGammaError, match=r"'abacus'; expected a data set: .*fsdd"):
        datasets.load("abacus")


def test_real_files_are_the_published_ones(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    checksums = fsdd._checksums()
    assert len(checksums) == 3000
    assert Counter(name.split("_")[1] for name in checksums) == dict.fromkeys(fsdd.SPEAKERS, 500)
    check_files(data_root / "fsdd" / "recordings", checksums)


def test_a_real_digit_speaks_in_the_right_places(data_root: Path) -> None:
    folder = data_root / "fsdd" / "recordings"
    six, zero = (
        cochlea_spikes.hear_file(name, folder=folder, cochlea=Cochlea(n_channels=35), cochlea_seed=0)
        for name in ("6_jackson_0.wav", "0_jackson_0.wav")
    )
    for spikes in (six, zero):
        assert 50 < len(spikes.times_us) < 750
    # The hiss of "six" is higher than anything in "zero": more of its spikes near the base.
    assert (six.channels < 15).mean() > (zero.channels < 15).mean()
