"""Recordings of one's own in a recipe: classes, splits without overlap, scaling without a look at the test, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from own_data_files import make_forecast, make_motion
from spikinggamma.data import data_info, given_recordings, load_splits, resolved
from spikinggamma.data.check import checked
from spikinggamma.data.floors import measured_floors
from spikinggamma.data.own_splits import divided
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.layouts import Found
from spikinggamma.recipes import Recipe, dump_recipe, parse_recipe
from spikinggamma.runs import build_net


def one(index: int, label: str = "a", speaker: str = "", part: str = "", **columns: str) -> Found:
    events = Spikes(np.array([1000, 3000]), np.array([0, 1], np.int32), 5000)
    return Found(f"{label}/{index}.wav", events, None, label, speaker, part, columns, (2,))


def motion(folder: Path, *settings: str) -> Recipe:
    path = folder / "motion.npz"
    if not path.exists():
        make_motion(path)
    texts = [f"data.path={path}", "data.options.sample_ms=20", "data.encoder=delta", *settings]
    return parse_recipe("", overrides=texts)


def sources(splits: Splits) -> list[set[str]]:
    return [{recording.source for recording in part} for part in splits]


@given(st.integers(6, 40), st.floats(0.1, 0.6), st.floats(0.05, 0.5), st.integers(0, 5))
def test_parts_share_no_recording_and_lose_none(count: int, share: float, fraction: float, seed: int) -> None:
    found = [one(index, "ab"[index % 2], f"s{index % 3}") for index in range(count)]
    parts = divided(found, f"share:{share}", fraction, seed=seed)
    names = [[recording.source for recording in part] for part in parts]
    assert sorted(name for part in names for name in part) == sorted(recording.source for recording in found)
    assert all(names)
    assert abs(len(names[2]) - share * count) <= 1.0
    again = divided(list(reversed(found)), f"share:{share}", fraction, seed=seed)
    assert {recording.source for recording in again.test} == set(names[2])


def test_a_split_by_speaker_by_column_and_by_file() -> None:
    found = [one(index, "ab"[index % 2], f"s{index % 4}", day=str(index % 3)) for index in range(24)]
    by_speaker = divided(found, "speaker:s1,s2/s3", 0.2, seed=0)
    assert [{recording.speaker for recording in part} for part in by_speaker] == [{"s0"}, {"s3"}, {"s1", "s2"}]
    by_column = divided(found, "column:day=2", 0.25, seed=0)
    assert {recording.columns["day"] for recording in by_column.test} == {"2"}
    assert len(by_column.validation) == 4
    by_file = divided(found, "files:b/*", 0.2, seed=0)
    assert {recording.label for recording in by_file.test} == {"b"}
    named = [one(index, part=("train", "test")[index % 2]) for index in range(20)]
    official = divided(named, "official", 0.2, seed=0)
    assert [len(part) for part in official] == [8, 2, 10]


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ("speaker:nobody", "expected speaker of s0, s1"),
        ("column:day=9", "expected day of 0, 1, 2"),
        ("column:day", "expected column:NAME=VALUE"),
        ("share:1.5", "a share between 0 and 1"),
        ("fold:3", "expected official, share:0.2, speaker:NAME"),
        ("files:none*", "leaves the test part empty"),
        ("files:*", "leaves the training part empty"),
    ],
)
def test_a_split_that_cannot_be_is_refused(split: str, says: str) -> None:
    found = [one(index, "ab"[index % 2], f"s{index % 2}", day=str(index % 3)) for index in range(12)]
    with pytest.raises(SpikingGammaError, match=says):
        divided(found, split, 0.2, seed=0)


def test_a_recipe_knows_classes_channels_and_chance(tmp_path: Path) -> None:
    recipe = motion(tmp_path, "data.split=speaker:s1/s2")
    info = data_info(recipe)
    assert (info.class_names, info.n_channels, info.title) == (("jump", "run", "walk"), 12, "motion")
    assert info.floors[0].accuracy == 1 / 3
    splits = load_splits(recipe)
    assert [{recording.speaker for recording in part} for part in splits] == [{"s0", "s3"}, {"s2"}, {"s1"}]
    assert {recording.label for recording in splits.test} == {0, 1, 2}


def test_a_resolved_recipe_needs_no_recordings(tmp_path: Path) -> None:
    whole = resolved(motion(tmp_path))
    assert parse_recipe(dump_recipe(whole)) == whole
    (tmp_path / "motion.npz").rename(tmp_path / "gone.npz")
    assert build_net(whole).classes == 3
    assert data_info(whole).n_channels == 12
    with pytest.raises(SpikingGammaError, match="which does not exist"):
        load_splits(whole)


def test_scaling_looks_at_the_training_part_alone(tmp_path: Path) -> None:
    options = ["data.split=speaker:s3/s2", "data.scale=standard", "encoder.level=0.2"]
    before = load_splits(motion(tmp_path, *options))
    content = dict(np.load(tmp_path / "motion.npz"))
    tested = content["subject"] == "s3"
    content["x"] = np.where(tested[:, None, None], 100.0 * content["x"], content["x"])
    np.savez(tmp_path / "motion.npz", **content)  # type: ignore[arg-type]
    after = load_splits(motion(tmp_path, *options))
    for was, now in zip(before.train, after.train, strict=True):
        assert np.array_equal(was.times_us, now.times_us)
    assert sum(r.n_events for r in after.test) > 10 * sum(r.n_events for r in before.test)


def test_chance_belongs_to_a_recording_not_to_its_place(tmp_path: Path) -> None:
    settings = ("data.encoder=poisson", "data.scale=range")
    first = load_splits(motion(tmp_path, *settings, "data.split=speaker:s1/s2"))
    other = load_splits(motion(tmp_path, *settings, "data.split=speaker:s2/s1"))
    kept = {recording.source: recording for recording in other.train}
    assert all(np.array_equal(one.times_us, kept[one.source].times_us) for one in first.train)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["data.encoder="], "what turns them into events"),
        (["data.sensor=[7]"], r"\[7\]; expected \[12\]"),
        (['data.classes=["run", "walk"]'], r"'jump' of .*; expected one of run, walk"),
        (["data.answer=values"], "expected 'class'"),
        (["data.options.sample_sm=3"], "Did you mean `sample_ms`"),
        (["data.layout=sounds"], "with files that end in .npz"),
    ],
)
def test_a_recipe_that_does_not_fit_its_recordings_is_refused(settings: list[str], says: str, tmp_path: Path) -> None:
    recipe = motion(tmp_path, *settings)
    with pytest.raises(SpikingGammaError, match=says):
        data_info(recipe)


def test_keys_of_a_path_are_refused_without_one() -> None:
    with pytest.raises(SpikingGammaError, match=r"data\.encoder.*'delta' without data\.path"):
        parse_recipe("", overrides=["data.encoder=delta"])
    with pytest.raises(SpikingGammaError, match=r"\[encoder\] with level; expected no such table"):
        parse_recipe("", overrides=["encoder.level=1.0"])


def test_recordings_of_two_sensors_are_named(tmp_path: Path) -> None:
    for name, width in (("a", 4), ("b", 5)):
        np.savez(tmp_path / f"{name}.npz", x=np.ones((4, 3, width), int), y=[0, 1, 0, 1])
    with pytest.raises(SpikingGammaError, match=r"other sensors: \[5\] in b\.npz\[0\], \[4\] in a\.npz\[0\]"):
        data_info(parse_recipe("", overrides=[f"data.path={tmp_path}"]))


def pair(label: int, count: int, seed: int) -> list[Recording]:
    """Recordings of a class whose channel `label` spikes once more."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        channels = np.concatenate([rng.integers(0, 2, 6), np.full(4, label)])
        times = np.sort(rng.integers(0, 10_000, 10))
        made.append(Recording(times, channels, 2, 10_000, label, source=f"{label}-{seed}-{index}"))
    return made


def test_floors_are_what_counts_say_and_are_kept() -> None:
    parts = [[*pair(0, count, seed), *pair(1, count, seed + 1)] for seed, count in ((0, 40), (10, 20), (20, 30))]
    splits = Splits(*parts)
    floors = measured_floors(splits)
    assert floors[0].accuracy == 0.5
    assert floors[1].accuracy > 0.9
    assert measured_floors(splits) == floors
    shuffled = [
        [Recording(r.times_us, r.channels, 2, 10_000, i % 2, source=r.source) for i, r in enumerate(p)] for p in parts
    ]
    assert measured_floors(Splits(*shuffled))[1].accuracy < 0.75


class Points(torch.utils.data.Dataset[Any]):
    """Series of different lengths with a number at each step."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        steps = 5 + index % 3
        return torch.full((steps, 2), index / 12), torch.arange(steps).float().unsqueeze(1)


def test_arrays_and_data_sets_of_torch_become_recordings() -> None:
    recipe = parse_recipe("", overrides=["data.name=recordings", "data.encoder=latency", "data.options.sample_ms=4"])
    made = given_recordings(Points(), recipe)
    assert (made.recipe.data.answer, made.recipe.data.classes, made.recipe.data.sensor) == ("step_values", ("0",), (2,))
    lengths = sorted(recording.duration_us for part in made.splits for recording in part)
    assert lengths == sorted(4000 * (5 + index % 3) for index in range(12))
    counts = np.ones((12, 3, 2), int)
    by_part = given_recordings({"train": (counts, np.arange(12) % 2), "test": (counts[:4], np.arange(4) % 2)}, Recipe())
    assert [len(part) for part in by_part.splits] == [11, 1, 4]
    with pytest.raises(SpikingGammaError, match="a part 'dev'; expected train, validation and test"):
        given_recordings({"dev": (counts, counts)}, Recipe())
    with pytest.raises(SpikingGammaError, match="expected lists of recordings, pairs of arrays"):
        given_recordings({"train": "sounds/"}, Recipe())


def test_a_look_says_what_is_there_and_what_is_wrong(tmp_path: Path) -> None:
    lines = ["time_ms,channel,label,recording"]
    for recording in range(20):
        start = 900_000.0 if recording else 0.0
        label = "rare" if recording == 1 else "often"
        lines += [f"{start + 7.0 * step + recording / 100},{step % 3},{label},r{recording}" for step in range(9)]
    lines += [line.replace(",r5", ",copy") for line in lines if line.endswith(",r5")]
    (tmp_path / "spikes.csv").write_text("\n".join(lines) + "\n")
    text = checked(tmp_path / "spikes.csv").text
    for said in (
        "event_table",
        "21, of 56.001 to 900056 ms",
        "2: often 20, rare 1",
        "900 s of silence, as of a clock that runs on: set data.options.start_at_first = true",
        "1 recordings are copies of others",
        "classes are uneven: 20 recordings of often, 1 of rare",
    ):
        assert said in text
    better = checked(tmp_path / "spikes.csv", ["data.options.start_at_first=true"]).text
    assert "silence" not in better


def test_a_suggested_recipe_fits_and_can_be_read(tmp_path: Path) -> None:
    make_forecast(tmp_path / "forecast.csv")
    recipe = checked(tmp_path / "forecast.csv").recipe
    assert recipe.data.dt_ms == 10.0  # as the samples are
    assert (recipe.learning.loss, recipe.data.encoder, recipe.data.scale) == ("each_step", "delta", "standard")
    assert parse_recipe(dump_recipe(recipe)) == recipe
