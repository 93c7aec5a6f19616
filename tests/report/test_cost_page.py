"""Rows of costs on their page, and the cost of a run on its own."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.evaluation import sparsity_curve
from spikinggamma.report.rows.cost_rows import curves, read_cost_rows
from spikinggamma.runs import Run

SCALES = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def rows(finished: Run) -> list[dict[str, Any]]:
    """Of one net three times, and of the same under its own thresholds only by another name."""
    curve = sparsity_curve(finished, SCALES, part="test", device="cpu", command="the <dial>")
    named = [{**row, "bench": "cost", "net": "first"} for row in curve]
    return [*named, {**named[1], "net": "second"}]


def written(folder: Path, made: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    return path


@pytest.mark.long
def test_the_dial_turns_spikes_down(rows: list[dict[str, Any]], finished: Run) -> None:
    spikes = [row["spikes_per_neuron_s"] for row in rows[:3]]
    used = [row["cost"]["event"]["synaptic_operations"] for row in rows[:3]]
    assert spikes == sorted(spikes, reverse=True)
    assert used == sorted(used, reverse=True)
    assert spikes[0] > spikes[2]
    assert finished.result is not None
    assert rows[1]["cost"] == finished.result["cost"]
    assert rows[1]["accuracy"] == finished.result["accuracy"]
    with pytest.raises(SpikingGammaError, match="at least one factor"):
        sparsity_curve(finished, [])


@pytest.mark.long
def test_a_page_of_costs_is_whole(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    html = report.write_report([written(tmp_path, rows)]).read_text(encoding="utf-8")
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    for drawing in drawings:
        ET.fromstring(drawing)
    names = [re.search(r'data-figure="([^"]+)"', drawing).group(1) for drawing in drawings]  # type: ignore[union-attr]
    assert names == ["cost-0", "sparsity-test-spikes", "sparsity-test-synapses"]
    assert "the &lt;dial&gt;" in html
    assert html.count("by events</td>") == html.count("dense</td>") == 4


def test_only_nets_with_several_factors_have_a_curve(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    found = read_cost_rows([written(tmp_path, [*rows, rows[0]])])
    assert len(found) == 4
    assert {net: [row.threshold_scale for row in own] for net, own in curves(found, "test").items()} == {
        "first": [*SCALES]
    }


def test_factors_are_named_where_there_is_room(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    near = [{**rows[0], "threshold_scale": 0.5 + 0.001 * index} for index in range(1, 5)]  # all at one place
    html = report.write_report([written(tmp_path, [*rows, *near])]).read_text(encoding="utf-8")
    drawing = re.search(r'<svg data-figure="sparsity-test-spikes".*?</svg>', html, flags=re.DOTALL)
    assert drawing is not None
    words = [text.strip() for text in ET.fromstring(drawing.group()).itertext()]
    assert {"0.5", "1", "2"} <= set(words)
    assert not [word for word in words if word.startswith("0.50")]


def test_bad_rows_are_named_by_their_place(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    without = {**rows[0], "cost": {**rows[0]["cost"], "dense": {}}}
    with pytest.raises(SpikingGammaError, match=r"row 2: cost\.dense: synaptic_operations"):
        report.write_cost_page([written(tmp_path, [rows[0], without])])
    with pytest.raises(SpikingGammaError, match=r"row 1: cost`: got NoneType"):
        report.write_cost_page([written(tmp_path, [{**rows[0], "cost": None}])])
    other = written(tmp_path, [{"bench": "timing"}], "other.jsonl")
    with pytest.raises(SpikingGammaError, match="rows of costs and of other benches together"):
        report.write_report([written(tmp_path, rows), other])


def test_a_runs_page_tells_its_cost(page: str) -> None:
    assert "Cost of a decision" in page
    assert "synapses are used by events" in page
