"""What pages share: a place that is asked for first, text that is escaped, and no half-written file."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from spikinggamma import SpikingGammaError, __version__
from spikinggamma.report.html import page_path, versions_of, write_html
from spikinggamma.report.theme import PALETTE, Section

COSTS = {"sections": [], "headings": ["<one>"], "rows": [["<cell>"]], "count": 1, "seeds": [0], "commands": ["<typed>"]}


def test_a_page_goes_where_it_is_sent_or_to_its_own_place(tmp_path: Path) -> None:
    assert page_path(None, tmp_path / "rows.html") == tmp_path / "rows.html"
    assert page_path(str(tmp_path / "mine.html"), Path("nowhere") / "rows.html") == tmp_path / "mine.html"
    with pytest.raises(SpikingGammaError, match=r"`--out`: got .*none.*a folder that exists"):
        page_path(tmp_path / "none" / "page.html", tmp_path / "rows.html")


def test_a_template_is_filled_in_with_text_that_stays_text(tmp_path: Path) -> None:
    path = write_html(tmp_path / "page.html", "cost.html", **COSTS)
    html = path.read_text(encoding="utf-8")
    for name in ("one", "cell", "typed"):
        assert f"&lt;{name}&gt;" in html
        assert f"<{name}>" not in html
    assert html.startswith("<!DOCTYPE html>")
    assert f"Drawn by spikinggamma {__version__}." in html
    assert all(f"--{role}: {colour};" in html for role, pair in PALETTE.items() for colour in pair)


def test_what_a_template_lacks_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        write_html(tmp_path / "page.html", "cost.html", sections=[Section("key", "title", "")])
    assert list(tmp_path.iterdir()) == []


def test_versions_are_told_where_they_are_noted() -> None:
    assert versions_of({"versions": {"torch": "2.9.0", "numpy": "2.1"}}) == "torch 2.9.0, numpy 2.1"
    assert versions_of({}) == versions_of({"versions": None}) == "not noted"
