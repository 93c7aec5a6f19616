"""The timing suite's page: every row is on it, models keep their colours, and what is no row is named."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.report.figures.timing_levels import REPORTED_ISI, shown_floors
from spikinggamma.report.rows.timing_rows import colours, places, read_timing_rows, undisturbed
from spikinggamma.report.theme import SERIES

COUNTS = {"accuracy": 0.673, "why": "the best guess from spike counts alone"}
INTERVAL = {"accuracy": 0.966, "why": "the best guess from the interval alone, blind to counts"}
MODELS = ("mlp", "lif", "spikinggamma")


def row(task: str, model: str, perturbation: str, level: float, accuracy: float, **more: Any) -> dict[str, Any]:
    return {
        "bench": "timing", "command": "spikinggamma bench timing <here>", "quick": False, "task": task, "variant": "",
        "model": model, "perturbation": perturbation, "level": level, "mode": "train-and-test", "accuracy": accuracy,
        "ci_low": accuracy - 0.02, "ci_high": accuracy + 0.02, "seeds": [0, 1], "spikes_per_neuron_s": 4.5,
        "floors": [COUNTS, INTERVAL], "ceiling": {"accuracy": 1.0, "why": "counts and interval"}, "samples": 540,
        "versions": {"torch": "2.9"},
    } | more  # fmt: skip


def rows() -> list[dict[str, Any]]:
    made = [row("isi", model, "replacement", level, 0.9 - 0.2 * level) for model in MODELS for level in (0.0, 0.5, 1.0)]
    made += [row("polychrony", model, "max_interval_ms", level, 0.8) for model in MODELS for level in (50.0, 500.0)]
    made += [row("coincidence", "lif", "overlap", 0.0, 0.97)]
    speech: dict[str, Any] = {"variant": "norm", "mode": "test-only", "floors": [{"accuracy": 0.1, "why": "chance"}]}
    for perturbation in ("jitter", "channel_jitter", "deletion", "reversal"):
        made += [row("fsdd", "lif", perturbation, level, 0.6, ceiling=None, **speech) for level in (0.0, 1.0)]
    return [*made, row("fsdd", "lif", "jitter", 1.0, 0.7, **speech | {"mode": "train-and-test"})]


def written(folder: Path, made: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in made))
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    path = report.write_report([written(folder, rows())])
    assert path == folder / "rows.html"
    assert sorted(entry.name for entry in folder.iterdir()) == ["rows.html", "rows.jsonl"]
    return path.read_text(encoding="utf-8")


def test_every_question_has_its_figures_and_every_figure_a_caption(page: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    for drawing in drawings:
        ET.fromstring(drawing)
    names = {name for drawing in drawings for name in re.findall(r'data-figure="([^"]+)"', drawing)}
    assert len(names) == len(drawings)
    assert names == {
        "timing-isi-replacement-train-and-test",
        "timing-polychrony-max_interval_ms-train-and-test",
        "timing-coincidence-overlap-train-and-test",
        *(f"timing-fsdd-norm-{name}-test-only" for name in ("jitter", "channel_jitter", "deletion")),
        "timing-fsdd-norm-jitter-train-and-test",
        "timing-fsdd-norm-reversal",
        "timing-isi-price",
        "timing-polychrony-price",
    }
    assert page.count("<figcaption>") == len(drawings)


def test_it_asks_nothing_of_the_network_and_links_lead_somewhere(page: str) -> None:
    assert not re.search(r"<(script|link|iframe|img|object)\b|https?://(?!www\.w3\.org)", page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'<a href="#([^"]+)"', page)) <= set(ids)


def test_every_row_is_in_the_table_and_commands_are_escaped(page: str) -> None:
    table = page[page.index('id="rows"') :]
    assert len(re.findall(r"<tr><td", table)) == len(rows())
    assert "spikinggamma bench timing &lt;here&gt;" in page
    assert "90.0\u00a0% → 70.0\u00a0%" in page  # as it is, and with all timing at random
    assert "--quick" not in page


@pytest.mark.long
def test_rows_of_quick_runs_are_told_apart(tmp_path: Path) -> None:
    path = report.write_report([written(tmp_path, [one | {"quick": True} for one in rows()])])
    assert "They show that the suite works, and nothing else." in path.read_text(encoding="utf-8")


def test_a_model_has_one_colour_whatever_else_is_there(tmp_path: Path) -> None:
    few = read_timing_rows([written(tmp_path, [row("isi", "lif", "replacement", 0.0, 0.9)])])
    many = read_timing_rows([written(tmp_path, [*rows(), row("isi", "mine", "replacement", 0.0, 0.9)])])
    assert colours(few)["lif"] == colours(many)["lif"]
    assert set(colours(many).values()) <= set(SERIES)
    assert len({colours(many)[model] for model in MODELS}) == len(MODELS)
    assert "mine" in colours(many)


def test_of_rows_of_one_cell_the_last_counts(tmp_path: Path) -> None:
    old, new = row("isi", "lif", "replacement", 0.0, 0.9), row("isi", "lif", "replacement", 0.0, 0.8)
    (found,) = read_timing_rows([written(tmp_path, [old], "a.jsonl"), written(tmp_path, [new], "b.jsonl")])
    assert found.accuracy == 0.8


def test_floors_of_disturbed_recordings_are_those_that_counts_reach(tmp_path: Path) -> None:
    found = read_timing_rows([written(tmp_path, rows())])
    (counts,) = shown_floors([one for one in found if one.task == "isi"])
    assert [(level, accuracy) for level, accuracy, _ in counts] == [(0.0, 0.673), (0.5, 0.673), (1.0, 0.673)]
    lines = shown_floors([one for one in found if one.task == "polychrony"])
    assert [line[0][1] for line in lines] == [0.673, 0.966]


def test_reported_values_fall_and_end_near_what_counts_alone_can_tell(page: str) -> None:
    values = list(REPORTED_ISI.values())
    assert values == sorted(values, reverse=True)
    assert abs(values[-1] - COUNTS["accuracy"]) < 0.07
    for value in values:
        assert f"{100 * value:.1f}" in page  # in words too


def test_undisturbed_is_level_0_or_the_easiest_setting(tmp_path: Path) -> None:
    found = read_timing_rows([written(tmp_path, rows())])
    levels = {place: getattr(undisturbed(found, place, "lif"), "level", None) for place in places(found)}
    assert levels == {("isi", ""): 0.0, ("polychrony", ""): 50.0, ("coincidence", ""): 0.0, ("fsdd", "norm"): 0.0}
    assert undisturbed(found, ("coincidence", ""), "mlp") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bench": "memory"}, "bench 'memory'"),
        ({"accuracy": "high"}, "row 2: accuracy"),
        ({"level": None}, "row 2: level"),
        ({"seeds": 3}, "row 2: seeds"),
        ({"floors": [0.1]}, "bounds of another kind"),
        ({"task": 1}, "row 2: task"),
    ],
)
def test_what_is_no_row_is_named_with_its_place(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    one = row("isi", "lif", "replacement", 0.0, 0.9)
    path = written(tmp_path, [one, one | change])
    with pytest.raises(SpikingGammaError, match=re.escape(says)):
        report.write_report([path])
    assert not (tmp_path / "rows.html").exists()


def test_files_that_are_not_there_or_empty_and_runs_beside_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="no such file"):
        report.write_timing_page([tmp_path / "none.jsonl"])
    with pytest.raises(SpikingGammaError, match="at least one row"):
        report.write_timing_page([written(tmp_path, [])])
    with pytest.raises(SpikingGammaError, match="runs and rows together"):
        report.write_report([written(tmp_path, rows()), tmp_path])
    with pytest.raises(SpikingGammaError, match="a folder that exists"):
        report.write_report([written(tmp_path, rows())], tmp_path / "none" / "page.html")
