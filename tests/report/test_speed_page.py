"""Rows of the speed bench on their page: what took turns stays together, and every row is drawn once."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.bench import speed
from spikinggamma.report.figures.speed import time_words
from spikinggamma.report.rows.speed_rows import library_colours, over_steps, read_speed_rows, side_by_side

LIBRARIES = {"matmul": 0.1, "spikinggamma": 0.12, "lif": 0.11, "snntorch": 0.5}


def row(library: str, seconds: float, **more: Any) -> dict[str, Any]:
    return {
        "bench": "speed", "command": "spikinggamma bench speed <all>", "seed": 0, "device": "cpu", "threads": 2,
        "versions": {"torch": "2.9"}, "case": "sparse", "library": library, "version": "1.2.3", "batch": 16, "steps": 500,
        "neurons": 512, "density": 0.02, "seconds": seconds, "rounds": 5, "step_mib": 100.0 * seconds,
        "ratio_to_matmul": seconds / 0.1, "ratio_to_ours": seconds / 0.12, "agreement": None,
    } | more  # fmt: skip


def rows() -> list[dict[str, Any]]:
    made = [row(name, s, density=density) for density in (0.2, 0.02) for name, s in LIBRARIES.items()]
    made += [
        row(name, s * steps / 500, steps=steps, case="steps")
        for steps in (125, 500, 2000)
        for name, s in LIBRARIES.items()
    ]
    return [*made, row("spikinggamma", 0.08, command="spikinggamma bench speed again")]


def written(folder: Path, made: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    path = report.write_report([written(folder, rows())])
    assert path == folder / "rows.html"
    return path.read_text(encoding="utf-8")


def drawings(html: str) -> dict[str, str]:
    found = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    return {re.search(r'data-figure="([^"]+)"', one).group(1): one for one in found}  # type: ignore[union-attr]


def words(drawing: str) -> list[str]:
    return [text.strip() for text in ET.fromstring(drawing).itertext() if text.strip()]


def test_a_page_of_speed_is_whole(page: str) -> None:
    assert list(drawings(page)) == ["speed-0", "speed-1", "speed-steps-0-time", "speed-steps-0-memory"]
    table = page[page.index('id="rows"') :]
    assert len(re.findall(r"<tr><td", table)) == len(rows())
    assert "1. spikinggamma bench speed &lt;all&gt;\n2. spikinggamma bench speed again\ntorch 2.9" in page
    assert "--quick" not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'<a href="#([^"]+)"', page)) <= set(ids)


def test_bars_say_what_rows_say_and_ours_stands_out(page: str) -> None:
    sparse, dense = drawings(page)["speed-0"], drawings(page)["speed-1"]
    assert {"run 1:", "run 2:", "1.20, 120\u00a0ms", "0.80, 80.0\u00a0ms", "5.00, 500\u00a0ms"} <= set(words(sparse))
    assert words(sparse).count("SpikingGamma") == 2
    assert not [text for text in words(dense) if text.startswith("run")]  # nothing to tell apart
    for drawing, ours in ((sparse, 2), (dense, 1)):
        assert len(re.findall(r"<path[^>]*fill: var\(--s0\)", drawing)) == ours


def test_every_row_is_drawn_once(tmp_path: Path) -> None:
    found = read_speed_rows([written(tmp_path, rows())])
    drawn = [one for own in (*side_by_side(found), *over_steps(found)) for one in own]
    assert len(drawn) == len(found) == len(rows())
    assert {id(one) for one in drawn} == {id(one) for one in found}
    assert [len(own) for own in side_by_side(found)] == [5, 4]
    assert [sorted({one.shape.steps for one in own}) for own in over_steps(found)] == [[125, 500, 2000]]


def test_of_rows_of_one_measurement_the_last_counts_and_other_commands_stay(tmp_path: Path) -> None:
    old, new = row("lif", 0.3), row("lif", 0.2)
    other = row("lif", 0.1, command="spikinggamma bench speed again")
    found = read_speed_rows([written(tmp_path, [old, other], "a.jsonl"), written(tmp_path, [new], "b.jsonl")])
    assert [(one.run, one.seconds) for one in found] == [(1, 0.2), (2, 0.1)]
    assert len(read_speed_rows([written(tmp_path, [old, old | {"dtype": "bfloat16"}, old | {"threads": 1}])])) == 3


def test_a_library_has_one_colour_whatever_else_is_there(tmp_path: Path) -> None:
    few = library_colours(read_speed_rows([written(tmp_path, [row("lif", 0.1)])]))
    many = library_colours(read_speed_rows([written(tmp_path, [*rows(), row("mine", 0.1)])]))
    assert few["lif"] == many["lif"]
    assert "mine" in many


@pytest.mark.slow
def test_what_the_bench_writes_can_be_drawn(tmp_path: Path) -> None:
    made = list(speed.run(quick=True, seed=0, models=["lif"]))
    html = report.write_report([written(tmp_path, made)]).read_text(encoding="utf-8")
    assert len(re.findall(r"<tr><td", html)) == len(made) == 3
    assert "a tiny layer, one round" in html
    assert list(drawings(html)) == ["speed-0"]


def test_memory_that_cannot_be_seen_leaves_a_gap(tmp_path: Path) -> None:
    made = [row("lif", 0.1, steps=steps, step_mib=mib) for steps, mib in ((125, 0.0), (500, 20.0), (2000, 80.0))]
    shown = drawings(report.write_speed_page([written(tmp_path, made)]).read_text(encoding="utf-8"))
    assert list(shown) == ["speed-steps-0-time", "speed-steps-0-memory"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.00123456, "1.23 ms"), (0.9994, "999 ms"), (0.9996, "1.00 s"), (18.52, "18.5 s")]
)
def test_times_have_three_digits(seconds: float, said: str) -> None:
    assert time_words(seconds) == said.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seconds": "long"}, "row 2: seconds"),
        ({"seconds": 0.0}, "row 2: seconds"),
        ({"ratio_to_matmul": math.inf}, "row 2: ratio_to_matmul"),
        ({"steps": None}, "row 2: steps"),
        ({"library": 3}, "row 2: library"),
        ({"command": None}, "row 2: command"),
        ({"step_mib": True}, "row 2: step_mib"),
    ],
)
def test_what_is_no_row_is_named_with_its_place(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = written(tmp_path, [row("lif", 0.1), row("lif", 0.1) | change])
    with pytest.raises(SpikingGammaError, match=re.escape(says)):
        report.write_report([path])
    assert not (tmp_path / "rows.html").exists()


def test_rows_of_other_pages_and_files_without_rows_are_named(tmp_path: Path) -> None:
    path, other = written(tmp_path, rows()), written(tmp_path, [{"bench": "timing"}], "other.jsonl")
    with pytest.raises(SpikingGammaError, match="rows of other benches and of speed together"):
        report.write_report([path, other])
    with pytest.raises(SpikingGammaError, match="at least one row"):
        report.write_speed_page([written(tmp_path, [], "none.jsonl")])
    with pytest.raises(SpikingGammaError, match="no such file"):
        report.write_speed_page([tmp_path / "nowhere.jsonl"])
    with pytest.raises(SpikingGammaError, match="a folder that exists"):
        report.write_report([path], tmp_path / "none" / "page.html")
