"""The closed forms of the plane against sums over points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from spikinggamma import SpikingGammaError
from spikinggamma.tasks import interval_rate_plane as plane


def cells_by_points(duration_ms: int, rates_hz: tuple[float, float], max_interval_ms: int) -> dict[object, np.ndarray]:
    """Class frequencies of every (count, interval) of a fine lattice of points, written from the task's definition."""
    side = (np.arange(2000) + 0.5) / 100 - 10
    x, y = np.meshgrid(side, side, indexing="ij")
    away = np.abs(x + 2 * y) / np.sqrt(5)  # distance from x + 2 y = 0
    rate = np.rint((x + 10) / 20 * 29) / 29 * (rates_hz[1] - rates_hz[0]) + rates_hz[0]
    count = np.rint(np.round(rate * duration_ms / 1000, 9))
    interval = np.rint(1 + (max_interval_ms - 1) * (y + 10) / 20)
    kept = away >= 2.5
    n_intervals = max_interval_ms + 1
    both = (count * n_intervals + interval).astype(np.int64)[kept]
    below = (y < -x / 2)[kept]
    found = np.stack(
        [np.bincount(both[~below], minlength=both.max() + 1), np.bincount(both[below], minlength=both.max() + 1)]
    )
    cells = np.zeros((2, (both.max() // n_intervals + 1) * n_intervals))
    cells[:, : found.shape[1]] = found / kept.sum()
    return {"table": cells.reshape(2, -1, n_intervals), "kept": kept.mean()}


@pytest.mark.parametrize(
    ("duration_ms", "rates_hz", "max_interval_ms"),
    [(10_000, (0.1, 3.0), 100), (1000, (1.0, 8.0), 20), (3000, (1.0, 2.0), 5), (2000, (1.0, 3.0), 2)],
)
def test_accuracies_are_sums_over_points(duration_ms: int, rates_hz: tuple[float, float], max_interval_ms: int) -> None:
    table = cells_by_points(duration_ms, rates_hz, max_interval_ms)["table"]
    options = {"duration_ms": duration_ms, "rates_hz": rates_hz, "max_interval_ms": max_interval_ms}
    assert plane.floor(**options) == pytest.approx(table.sum(2).max(0).sum(), abs=1e-3)
    assert plane.intervals_alone(**options) == pytest.approx(table.sum(1).max(0).sum(), abs=1e-3)
    assert plane.ceiling(**options) == pytest.approx(table.max(0).sum(), abs=1e-3)


def test_the_figures_of_the_paper() -> None:
    # Over each x the classes are 10 + x/2 - h and 10 - x/2 - h tall; over each y, 20 wide together less 4 h where both are,
    # and the narrower is lost: 2 (10 - 2h)² / 4 in all.
    h = 2.5 * np.sqrt(1.25)
    by_hand = (10 - h + 2.5) / (2 * (10 - h))
    assert plane.floor() == pytest.approx(by_hand, abs=1e-12)
    assert round(by_hand, 3) == 0.673
    lost = (10 - 2 * h) ** 2 / 2 / (2 * 20 * (10 - h))
    assert plane.intervals_alone() == pytest.approx(1 - lost, abs=1e-12)
    assert round(1 - lost, 3) == 0.966
    assert plane.ceiling() == pytest.approx(1.0, abs=1e-12)
    # 5000 points, of which some 3600 are left.
    assert 5000 * cells_by_points(10_000, (0.1, 3.0), 100)["kept"] == pytest.approx(3602, abs=3)


def test_points_fall_where_their_class_is() -> None:
    labels = np.arange(40_000) % 2
    counts, intervals_ms = plane.draw_points(np.random.default_rng(0), labels, 10_000, (0.1, 3.0), 100)
    assert (counts.min(), counts.max(), intervals_ms.min(), intervals_ms.max()) == (1, 30, 1, 100)
    table = cells_by_points(10_000, (0.1, 3.0), 100)["table"]
    for label in (0, 1):
        for found, sums in ((counts, table[label].sum(1)), (intervals_ms, table[label].sum(0))):
            expected = 2 * sums * (labels == label).sum()
            seen = np.bincount(found[labels == label], minlength=len(expected))
            assert (seen[expected == 0] == 0).all()
            likely = expected >= 5
            statistic = ((seen - expected)[likely] ** 2 / expected[likely]).sum()
            assert statistic < chi2.ppf(1 - 1e-5, likely.sum())


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [
        ({"duration_ms": 1}, "duration_ms"),
        ({"max_interval_ms": 1}, "max_interval_ms"),
        ({"max_interval_ms": 10_000}, "max_interval_ms"),
        ({"rates_hz": (0.1,)}, "rates_hz"),
        ({"rates_hz": (1.0, 1.0)}, "rates_hz"),
        ({"rates_hz": (1.0, float("inf"))}, "rates_hz"),
        ({"rates_hz": (0.04, 1.0)}, "rates_hz"),
        ({"rates_hz": (-1.0, 1.0)}, "rates_hz"),
        ({"duration_ms": 1000}, "rates_hz"),
    ],
)
def test_refused_planes(wrong: dict[str, object], argument: str) -> None:
    for function in (plane.floor, plane.intervals_alone, plane.ceiling):
        with pytest.raises(SpikingGammaError, match=f"`{argument}`"):
            function(**wrong)  # type: ignore[arg-type]
