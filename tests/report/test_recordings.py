"""Pictures of recordings: upright, complete, and said in words beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikinggamma import SpikingGammaError
from spikinggamma.data import data_info
from spikinggamma.data.catalogue import LoadedData
from spikinggamma.events import Recording, Splits
from spikinggamma.recipes.schema import Recipe
from spikinggamma.report.figures.camera import sum_image
from spikinggamma.report.figures.events import draw_stretches, rate
from spikinggamma.report.figures.statistics import time_by_class
from spikinggamma.report.pages import recordings as room

RNG = np.random.default_rng(0)
FACTS = data_info(Recipe())._replace(title="Things", class_names=("yes", "no"))


def listed(count: int, *, n_events: int = 60) -> list[Recording]:
    return [
        Recording(
            np.sort(RNG.integers(0, 9000, n_events)), RNG.integers(0, 12, n_events), 12, 9000 + index, index % 2,
            speaker="ann", source=f"things/{index}",
        )
        for index in range(count)
    ]  # fmt: skip


def camera() -> list[Recording]:
    times = np.sort(RNG.integers(0, 9000, 50))
    return [Recording(times, RNG.integers(0, 24, 50), 24, 9000, label, shape=(2, 3, 4)) for label in (0, 1, 1)]


def labelled() -> list[Recording]:
    steps = np.array([-1, 0, 0, 1, 1, 1, 0, -1, -1])
    times = np.array([500, 1500, 3500, 3600, 8500])
    return [Recording(times, np.arange(5), 5, 9000, -1, step_labels=steps, step_us=1000, source="beat")] * 3


@pytest.fixture(
    params=[listed(8), listed(3, n_events=5000), camera(), labelled()],
    ids=["few", "many", "camera", "steps"],
)
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Recording]:
    found = list(request.param)
    shape = found[0].shape
    data = LoadedData(Recipe(), FACTS._replace(n_channels=found[0].n_channels, shape=shape), Splits(found, [], found))
    monkeypatch.setattr(room, "open_data", lambda name, settings: data)
    return found


@pytest.mark.long
@pytest.mark.parametrize("index", [None, 1])
def test_a_set_and_a_recording_become_a_picture_and_a_line(
    opened: list[Recording], index: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, text = room.show("things", index)
    assert path == Path("things-train.png" if index is None else "things-train-1.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert "\n" not in text
    assert text.startswith("things train")
    total = opened[1].n_events if index else sum(recording.n_events for recording in opened)
    assert f"{total} spikes" in text


def test_facts_name_label_speaker_and_source() -> None:
    said = room.describe_recording(listed(2)[1], FACTS)
    for part in ("Things", "60 spikes in 9 ms on 12 channels", "label 1, no", "speaker ann", "from things/1"):
        assert part in said
    assert "labels by step of 1 ms: yes, no" in room.describe_recording(labelled()[0], FACTS)
    assert "4 x 3 pixels, 2 polarities" in room.describe_set(camera(), FACTS)
    assert "8 recordings of 2 classes by 1 speakers" in room.describe_set(listed(8), FACTS)


def test_what_cannot_be_shown_is_named(opened: list[Recording], tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=f"`INDEX`: got 99; expected 0 to {len(opened) - 1}"):
        room.show("things", 99, out=tmp_path / "a.png")
    with pytest.raises(SpikingGammaError, match="`INDEX`: got -1"):
        room.show("things", -1, out=tmp_path / "a.png")
    with pytest.raises(SpikingGammaError, match="without recordings"):
        room.show("things", part="validation", out=tmp_path / "a.png")
    for wrong in (tmp_path / "a.jpg", tmp_path / "none" / "a.png"):
        with pytest.raises(SpikingGammaError, match="--out"):
            room.show("things", out=wrong)
    assert not list(tmp_path.iterdir())


def test_a_sum_image_is_upright() -> None:
    p, y, x = 1, 2, 0
    one = Recording(np.array([5, 700]), np.full(2, (p * 3 + y) * 4 + x), 24, 1000, 0, shape=(2, 3, 4))
    image = sum_image([one])
    assert image.shape == (2, 3, 4)
    assert image[p, y, x] == image.sum() == 2
    assert sum_image([one], 0, 500).sum() == 1
    assert sum_image([one, one], 500)[p, y, x] == 1  # of the mean recording


def test_stretches_cover_what_is_labelled() -> None:
    ax = Figure().subplots()
    draw_stretches(ax, labelled()[0], ("yes", "no"))
    assert [(patch.get_x(), patch.get_width()) for patch in ax.patches] == [(1.0, 2.0), (3.0, 3.0), (6.0, 1.0)]
    assert ax.patches[0].get_facecolor() == ax.patches[2].get_facecolor() != ax.patches[1].get_facecolor()


def test_time_and_spikes_of_labels_add_up() -> None:
    seconds, spikes = time_by_class(labelled(), 2)
    np.testing.assert_allclose(seconds, [9e-3, 9e-3])
    np.testing.assert_array_equal(spikes, [3, 6])


def test_the_rate_counts_recordings_that_last_so_long() -> None:
    short = Recording(np.array([100, 200]), np.zeros(2, np.int32), 1, 1000, 0)
    long = Recording(np.array([1500, 1600]), np.zeros(2, np.int32), 1, 2000, 0)
    times, values = rate([short, long], n_bins=2)
    np.testing.assert_allclose(times, [0.5, 1.5])
    np.testing.assert_allclose(values, [1.0, 2.0])
