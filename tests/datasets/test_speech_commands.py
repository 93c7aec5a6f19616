"""Speech Commands: the published lists decide the parts, on small stand-ins in the published layout."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spikinggamma import SpikingGammaError
from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets import cochlea_spikes, speech_commands
from spikinggamma.events import Splits

SPEAKERS = ("0a7c2a8d", "1b4c9b89", "ffd2ba2f")
VALIDATION, TEST = "validation_list.txt", "testing_list.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with all 35 words by three speakers: the second is for validation, the third for the test."""
    folder = tmp_path / "speech_commands"
    rng = np.random.default_rng(0)
    for word in speech_commands.WORDS:
        (folder / word).mkdir(parents=True)
        for speaker in SPEAKERS:
            for take in range(2):
                sound = 0.1 * rng.normal(size=640) * np.hanning(640)
                soundfile.write(folder / word / f"{speaker}_nohash_{take}.wav", sound, 16_000)
    (folder / "_background_noise_").mkdir()
    (folder / "_background_noise_" / "running_tap.wav").write_bytes(b"not looked at")
    (folder / "LICENSE").write_text("CC BY 4.0\n")
    for name, speaker in ((VALIDATION, SPEAKERS[1]), (TEST, SPEAKERS[2])):
        lines = [f"{word}/{speaker}_nohash_{take}.wav" for word in speech_commands.WORDS for take in range(2)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def load(root: Path, **options: object) -> Splits:
    return speech_commands.load(root=root, **({"n_channels": 4, "progress": False} | options))  # type: ignore[arg-type]


def listed(root: Path, name: str) -> list[str]:
    return (root / "speech_commands" / name).read_text().split()


def test_there_are_35_words_in_order() -> None:
    assert len(speech_commands.WORDS) == len(set(speech_commands.WORDS)) == speech_commands.INFO.n_classes == 35
    assert list(speech_commands.WORDS) == sorted(speech_commands.WORDS)


@pytest.mark.long
def test_lists_decide_the_parts(root: Path) -> None:
    splits = load(root)
    assert [recording.source for recording in splits.validation] == sorted(listed(root, VALIDATION))
    assert [recording.source for recording in splits.test] == sorted(listed(root, TEST))
    for part, speaker in zip(splits, SPEAKERS, strict=True):
        assert {recording.speaker for recording in part} == {speaker}
        assert Counter(recording.label for recording in part) == dict.fromkeys(range(35), 2)
    assert len({recording.source for part in splits for recording in part}) == 210


@pytest.mark.long
def test_recordings_know_what_they_are(root: Path) -> None:
    recording = next(r for r in load(root).train if r.source == "tree/0a7c2a8d_nohash_1.wav")
    assert speech_commands.WORDS[recording.label] == "tree"
    assert (recording.speaker, recording.n_channels, recording.duration_us) == ("0a7c2a8d", 4, 40_000)


@pytest.mark.long
def test_a_share_for_validation_and_a_seed_change_nothing(root: Path) -> None:
    plain, other = load(root), load(root, validation_fraction=0.5, seed=3)
    assert [[r.source for r in part] for part in plain] == [[r.source for r in part] for part in other]


@pytest.mark.long
def test_limit_takes_the_first_of_each_word_in_each_part(root: Path) -> None:
    splits = load(root, limit=1)
    for part in splits:
        assert [recording.label for recording in part] == list(range(35))
        assert {recording.source[-5] for recording in part} == {"0"}
    assert [len(part) for part in load(root, limit=99)] == [70, 70, 70]
    with pytest.raises(SpikingGammaError, match="`limit`: got -1; expected at least 0"):
        load(root, limit=-1)


@pytest.mark.long
def test_spikes_depend_on_name_and_seed_and_not_on_the_part_asked_for(root: Path) -> None:
    def spikes(**options: object) -> list[list[int]]:
        return [r.times_us.tolist() for r in load(root, n_channels=16, limit=1, **options).test]

    whole = {r.source: r.times_us.tolist() for r in load(root, n_channels=16).test}
    assert spikes() == [whole[r.source] for r in load(root, limit=1).test]
    assert spikes() != spikes(cochlea_seed=1)


def test_reads_the_cache_until_a_file_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(root, limit=1)

    def fails(*args: object, **options: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(cochlea_spikes, "convert", fails)
    load(root, limit=1)
    os.utime(root / "speech_commands" / "yes" / f"{SPEAKERS[0]}_nohash_0.wav", (1, 1))
    with pytest.raises(AssertionError, match="converted again"):
        load(root, limit=1)


@pytest.mark.long
def test_silence_is_a_recording_without_spikes(root: Path) -> None:
    name = f"wow/{SPEAKERS[0]}_nohash_0.wav"
    path = root / "speech_commands" / name
    soundfile.write(path, np.zeros(1600), 16_000)
    silent = next(recording for recording in load(root, limit=1).train if recording.source == name)
    assert (silent.n_events, silent.duration_us) == (0, 100_000)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SpikingGammaError, match=r"wow.*cut short"):
        load(root, limit=1)


def test_a_damaged_sound_is_named(root: Path) -> None:
    (root / "speech_commands" / "bed" / f"{SPEAKERS[2]}_nohash_1.wav").write_bytes(b"RIFF")
    with pytest.raises(SpikingGammaError, match=r"bed.*ffd2ba2f_nohash_1\.wav"):
        load(root)


def append(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line + "\n")


@pytest.mark.parametrize(
    "line", ["yes/none_nohash_0.wav", "yes", "../yes/0a7c2a8d_nohash_0.wav", "maybe/x_nohash_0.wav"]
)
@pytest.mark.parametrize("name", [VALIDATION, TEST])
def test_a_list_that_names_a_missing_file_is_named_with_the_line(root: Path, name: str, line: str) -> None:
    append(root / "speech_commands" / name, line)
    with pytest.raises(SpikingGammaError, match=r"in line 71, which is not there") as caught:
        load(root)
    assert name in caught.value.argument
    assert repr(line) in str(caught.value)


def test_lists_that_are_not_there_or_say_nothing_are_named(root: Path) -> None:
    path = root / "speech_commands" / TEST
    path.write_text("\n")
    with pytest.raises(SpikingGammaError, match=r"testing_list\.txt.*an empty list"):
        load(root)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SpikingGammaError, match=r"testing_list\.txt.*not readable"):
        load(root)
    path.unlink()
    with pytest.raises(SpikingGammaError, match=r"testing_list\.txt.*not readable.*Unpack http"):
        load(root)


def test_a_file_on_both_lists_is_named(root: Path) -> None:
    line = listed(root, VALIDATION)[5]
    append(root / "speech_commands" / TEST, line)
    with pytest.raises(SpikingGammaError, match=rf"{line}, which is in validation_list\.txt too"):
        load(root)


def test_nothing_left_for_training_is_an_error(root: Path) -> None:
    for word in speech_commands.WORDS:
        for take in range(2):
            append(root / "speech_commands" / VALIDATION, f"{word}/{SPEAKERS[0]}_nohash_{take}.wav")
    with pytest.raises(SpikingGammaError, match="every recording is on a list"):
        load(root)


def test_folders_and_files_that_do_not_belong_are_named(root: Path) -> None:
    folder = root / "speech_commands"
    stray = folder / "up" / "hello.wav"
    stray.write_bytes(b"")
    with pytest.raises(SpikingGammaError, match=r"hello\.wav.*without a speaker; expected speaker_nohash_take"):
        load(root)
    stray.unlink()
    (folder / "maybe").mkdir()
    with pytest.raises(SpikingGammaError, match=r"maybe.*no word; expected one of the 35 words, backward to zero"):
        load(root)


def test_no_folder_no_files_and_no_such_split_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"no such folder.*Unpack http.*speech_commands_v0\.02"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty" / "speech_commands").mkdir(parents=True)
    with pytest.raises(SpikingGammaError, match=r"no `\.wav` file"):
        load(tmp_path / "empty")
    with pytest.raises(SpikingGammaError, match="`split`: got 'speaker:x'; expected 'official'"):
        load(root, split="speaker:x")


@pytest.mark.long
def test_spikes_are_those_of_the_cochlea(root: Path) -> None:
    folder = root / "speech_commands"
    name = f"go/{SPEAKERS[0]}_nohash_0.wav"
    alone = speech_commands._spikes(name, folder=folder, cochlea=Cochlea(n_channels=16), cochlea_seed=0)
    loaded = next(recording for recording in load(root, n_channels=16).train if recording.source == name)
    np.testing.assert_array_equal(loaded.times_us, alone.times_us)
    np.testing.assert_array_equal(loaded.channels, alone.channels)
