"""Formulas of the pages in MathML keep their symbols, and one that cannot be converted is an error."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

pytest.importorskip("latex2mathml", reason='needs the extra docs: pip install -e ".[docs]"')
pytest.importorskip("mkdocs", reason='needs the extra docs: pip install -e ".[docs]"')

MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture(scope="module")
def formulas() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "docs" / "site" / "formulas.py"
    spec = importlib.util.spec_from_file_location("formulas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\mathbb 1[x] \odot \mathbf 1_c", "𝟙[x]⊙𝟏c"),
        (r"\hat s^{\mathsf T}", "s^𝖳"),
        (r"\mathrm{diag}(v)", "diag(v)"),
        (r"a < b \tag{c}", "a<b(c)"),
    ],
)
def test_symbols_are_kept(formulas: ModuleType, tex: str, shown: str) -> None:
    assert "".join(ElementTree.fromstring(formulas.mathml(tex, display=False)).itertext()) == shown


def test_aligned_equations_become_a_table(formulas: ModuleType) -> None:
    tex = r"\begin{aligned} a &= b & c &= d \\ e &= f & g &= h \end{aligned}"
    rows = ElementTree.fromstring(formulas.mathml(tex, display=True)).findall(f".//{MATHML}mtr")
    assert [["".join(cell.itertext()) for cell in row] for row in rows] == [
        ["a", "=b", "c", "=d"],
        ["e", "=f", "g", "=h"],
    ]


@pytest.mark.parametrize("tex", [r"\nosuchcommand x", r"a & b"])
def test_what_cannot_be_converted_is_an_error_that_shows_it(formulas: ModuleType, tex: str) -> None:
    with pytest.raises(ValueError, match="the formula '") as found:
        formulas.mathml(tex, display=False)
    assert repr(tex) in str(found.value)


def test_a_fault_names_its_page(formulas: ModuleType) -> None:
    class Page:
        class file:
            src_uri = "page.md"

    with pytest.raises(formulas.PluginError, match=r"page\.md"):
        formulas.on_page_content(r'<span class="arithmatex">\(\nosuch\)</span>', Page, None, None)
