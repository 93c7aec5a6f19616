"""The page is whole, asks nothing of the network, and says what is missing; what is broken is named."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.recipes import dump_recipe, load_recipe
from spikinggamma.runs import Best, Checkpoint, Run, build_net, save_checkpoint

pytestmark = pytest.mark.long

_VOID = {"meta", "link", "br", "img", "hr", "input"}


class _Reader(HTMLParser):
    """Checks that tags close in order, and collects them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_well_formed_and_every_figure_has_a_caption(page: str) -> None:
    reader = _Reader(page)
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert reader.tags["figure"] == reader.tags["figcaption"] == len(drawings) >= 20
    for drawing in drawings:
        ET.fromstring(drawing)
    assert all(len(caption) > 30 for caption in re.findall(r"<figcaption>(.*?)</figcaption>", page))


def test_it_asks_nothing_of_the_network_and_runs_nothing(page: str) -> None:
    reader = _Reader(page)
    assert not {"script", "link", "iframe", "img", "object"} & set(reader.tags)
    places = [value for _, name, value in reader.attributes if name in ("src", "href", "xlink:href", "action")]
    assert all(place.startswith(("#", "data:image/png;base64,")) for place in places)
    assert not re.search(r"url\((?!#)|@import", page)


def test_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    reader = _Reader(page)
    ids = Counter(value for _, name, value in reader.attributes if name == "id")
    assert max(ids.values()) == 1
    assert {value[1:] for tag, name, value in reader.attributes if tag == "a" and name == "href"} <= set(ids)


def test_it_tells_what_a_repetition_needs(page: str, finished: Run) -> None:
    row = finished.result
    assert row is not None
    for text in (f"{100 * row['accuracy']:.1f}\u00a0%", f"{100 * row['ci_low']:.1f}\u00a0%", row["versions"]["torch"]):
        assert text in page
    assert "spikinggamma train &lt;first&gt;" in page  # and escapes it
    for title in ("Learning", "Confusions", "Rasters", "Signals", "Learnt delays", "Spike rates", "Tuning"):
        assert title in page


@pytest.mark.long
def test_it_goes_into_the_runs_folder_and_leaves_nothing_beside_it(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    for checkpoint in ("best.pt", "last.pt"):
        (copy / checkpoint).unlink()
    before = {path.name for path in copy.iterdir()}
    path = report.write_page([copy])
    assert path == copy / "report.html"
    assert {path.name for path in copy.iterdir()} == before | {"report.html"}
    assert "There is no best.pt yet" in path.read_text(encoding="utf-8")


def test_several_runs_are_compared_at_the_top(finished: Run, tmp_path: Path) -> None:
    copies = [shutil.copytree(finished.path, tmp_path / name) for name in ("a", "b", "c", "d")]
    text = (copies[1] / "recipe.toml").read_text(encoding="utf-8")
    (copies[1] / "recipe.toml").write_text(re.sub(r"(?m)^clip_norm = .*$", "clip_norm = 0.5", text), encoding="utf-8")
    html = report.write_page(copies, tmp_path / "page.html").read_text(encoding="utf-8")
    _Reader(html)
    assert "4 runs compared" in html
    assert "learning.clip_norm" in html
    assert html.index("<table>") < html.index("Training run a")
    assert "training.seed" not in html.split("</table>")[0]


def test_an_unfinished_run_is_drawn_as_far_as_it_got(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    for name in ("result.json", "best.pt"):
        (copy / name).unlink()
    with (copy / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "train_l')  # the writer was killed here
    html = report.write_page([copy]).read_text(encoding="utf-8")
    assert "not finished" in html
    assert f"spikinggamma train --resume {copy}" in html
    assert "validation accuracy" in html


def test_missing_recordings_are_named_with_a_remedy_and_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPIKINGGAMMA_DATA", raising=False)
    recipe = load_recipe("fsdd", ["net.hidden=[3]"])
    (tmp_path / "recipe.toml").write_text(dump_recipe(recipe), encoding="utf-8")
    weights = build_net(recipe).state_dict()
    save_checkpoint(tmp_path / "best.pt", Checkpoint(1, weights, None, Best(1, 0.5, 1.0)), recipe)
    html = report.write_page([tmp_path]).read_text(encoding="utf-8")
    assert "spikinggamma data fetch fsdd" in html
    assert "Learnt delays" in html
    assert "No epoch is finished yet" in html


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="no such folder"):
        report.write_page([tmp_path / "nowhere"])
    with pytest.raises(SpikingGammaError, match="at least one run"):
        report.write_page([])


def test_a_page_that_cannot_be_written_is_named(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    (copy / "best.pt").unlink()
    with pytest.raises(SpikingGammaError, match="a folder that exists"):
        report.write_page([copy], tmp_path / "nowhere" / "page.html")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [{**rows[0], "train_loss": "low"}, rows[1]], r"metrics.jsonl, row 1.*train_loss = 'low'"),
        (lambda rows: [rows[0], {"epoch": 2}], r"metrics.jsonl, row 2.*train_loss = None"),
        (lambda rows: [{**rows[0], "spikes_per_neuron_s": [1.0]}, rows[1]], r"metrics.jsonl, row 1.*2 numbers"),
    ],
)
def test_a_row_that_cannot_be_drawn_is_named(finished: Run, tmp_path: Path, change: object, said: str) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    assert callable(change)
    (copy / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in change(finished.metrics)))
    with pytest.raises(SpikingGammaError, match=said):
        report.write_page([copy])


def test_damaged_files_are_named(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    (copy / "metrics.jsonl").write_text('{"epoch": 1\n{"epoch": 2}\n')
    with pytest.raises(SpikingGammaError, match=r"metrics.jsonl, line 1"):
        report.write_page([copy])
    shutil.copy(finished.path / "metrics.jsonl", copy)
    (copy / "best.pt").write_bytes((finished.path / "best.pt").read_bytes()[:400])
    with pytest.raises(SpikingGammaError, match=r"best.pt.*cut short"):
        report.write_page([copy])
