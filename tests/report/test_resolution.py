"""Rows of the resolution bench on their page: every row told, lines of the nets that they stand for."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.report.rows.resolution_rows import carried, model_colours, read_resolution_rows, trained
from spikinggamma.report.theme import SERIES

STEPS = (0.5, 1.0, 2.0, 4.0)


def row(task: str, model: str, trained_at: float, run_at: float, **more: Any) -> dict[str, Any]:
    accuracy = 0.9 - 0.01 * abs(trained_at - run_at)
    return {
        "bench": "resolution", "command": "spikinggamma bench resolution <here>", "quick": False, "task": task,
        "model": model, "mode": "trained" if trained_at == run_at else "carried", "recipe_dt_ms": 2.0,
        "trained_dt_ms": trained_at, "run_dt_ms": run_at, "accuracy": accuracy, "ci_low": accuracy - 0.02,
        "ci_high": accuracy + 0.02, "accuracy_lost": 0.9 - accuracy, "accuracy_holds": accuracy > 0.89, "seeds": [0],
        "spikes_per_neuron_s": 10.0 + run_at, "spikes_ratio": 1.25, "spikes_hold": False, "steps": 7,
    } | more  # fmt: skip


def rows() -> list[dict[str, Any]]:
    pairs = [(one, other) for one in STEPS for other in STEPS]
    return [
        row(task, model, *pair)
        for task in ("fsdd", "localisation")
        for model in ("lif", "spikinggamma")
        for pair in pairs
    ]


def written(folder: Path, made: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in made))
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    return report.write_report([written(folder, rows())]).read_text(encoding="utf-8")


def test_each_task_has_accuracy_and_spikes_over_the_step(page: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    for drawing in drawings:
        ET.fromstring(drawing)
    names = [re.search(r'data-figure="([^"]+)"', drawing).group(1) for drawing in drawings]  # type: ignore[union-attr]
    kinds = ("accuracy", "spikes")
    assert names == [f"resolution-{task}-{kind}" for task in ("localisation", "fsdd") for kind in kinds]
    for drawing in drawings:
        assert all(f">{step:g}<" in drawing for step in STEPS)


def test_every_row_is_in_the_table_with_what_was_demanded(page: str) -> None:
    table = page[page.index('id="step-rows"') :]
    assert len(re.findall(r"<tr><td", table)) == len(rows())
    missed = sum(one["accuracy_holds"] is False for one in rows()) + len(rows())
    assert table.count(">missed<") == missed
    assert table.count(">kept<") == 2 * len(rows()) - missed
    assert "spikinggamma bench resolution &lt;here&gt;" in page


def test_nothing_of_the_timing_suite_is_on_it_and_links_lead_somewhere(page: str) -> None:
    assert "Reported elsewhere" not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'<a href="#([^"]+)"', page)) <= set(ids)
    assert [page.count(f"<{tag}") for tag in ("section", "details")] == [
        page.count(f"</{tag}>") for tag in ("section", "details")
    ]


def test_lines_are_of_nets_trained_at_each_step_and_of_the_recipes_net_carried(tmp_path: Path) -> None:
    found = read_resolution_rows([written(tmp_path, list(reversed(rows())))])
    each = trained(found, "fsdd", "lif")
    assert [(one.trained_dt_ms, one.run_dt_ms) for one in each] == [(step, step) for step in STEPS]
    one_net = carried(found, "fsdd", "lif")
    assert [(one.trained_dt_ms, one.run_dt_ms) for one in one_net] == [(2.0, step) for step in STEPS]
    assert each[2] == one_net[2]  # at home


def test_a_net_carried_by_a_mapping_has_a_line_of_its_own_and_memory_a_figure(tmp_path: Path) -> None:
    made = [row("hd", "lif", step, step, train_step_mib=100.0 / step) for step in STEPS]
    made += [row("hd", "lif", 2.0, step, mapping=name) for name in ("exact", "none") for step in STEPS if step != 2.0]
    path = written(tmp_path, made)
    found = read_resolution_rows([path])
    assert len(found) == len(made)
    assert [one.run_dt_ms for one in carried(found, "hd", "lif/exact")] == [0.5, 1.0, 4.0]
    assert [one.run_dt_ms for one in carried(found, "hd", "lif")] == [2.0]
    html = report.write_report([path]).read_text(encoding="utf-8")
    for text in ("LIF, BPTT, rediscretised", "LIF, BPTT, as if at its own step", 'data-figure="resolution-hd-memory"'):
        assert text in html
    assert "HD through our cochlea: memory of training" in html


def test_rows_of_both_benches_share_a_page(tmp_path: Path) -> None:
    timing = {
        "bench": "timing", "quick": True, "task": "isi", "variant": "", "model": "lif", "perturbation": "replacement",
        "level": 0.0, "mode": "train-and-test", "accuracy": 0.9, "ci_low": 0.8, "ci_high": 1.0, "seeds": [0],
        "spikes_per_neuron_s": 3.0,
    }  # fmt: skip
    both = report.write_report([written(tmp_path, [timing, *rows()])]).read_text(encoding="utf-8")
    assert 'id="rows"' in both
    assert 'id="step-rows"' in both
    assert "They show that the suite works" in both


def test_of_rows_of_one_net_and_step_the_last_counts(tmp_path: Path) -> None:
    old, new = row("fsdd", "lif", 2.0, 1.0), row("fsdd", "lif", 2.0, 1.0, accuracy=0.5)
    (found,) = read_resolution_rows([written(tmp_path, [old], "a.jsonl"), written(tmp_path, [new], "b.jsonl")])
    assert found.accuracy == 0.5


def test_models_have_colours_of_their_own(tmp_path: Path) -> None:
    found = read_resolution_rows([written(tmp_path, [row("fsdd", "mine", 2.0, 2.0)])])
    colours = model_colours(found)
    assert len(set(colours.values())) == len(colours) == 4
    assert set(colours.values()) <= set(SERIES)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bench": "memory"}, "bench 'memory'"),
        ({"accuracy": None}, "row 2: accuracy"),
        ({"run_dt_ms": 0.0}, "row 2: run_dt_ms"),
        ({"mode": 3}, "row 2: mode"),
        ({"seeds": 0}, "row 2: seeds"),
    ],
)
def test_what_is_no_row_is_named_with_its_place(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    one = row("fsdd", "lif", 2.0, 2.0)
    with pytest.raises(SpikingGammaError, match=re.escape(says)):
        report.write_report([written(tmp_path, [one, one | change])])
    assert not (tmp_path / "rows.html").exists()
