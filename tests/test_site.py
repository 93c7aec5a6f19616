"""The site builds without a warning, holds what the pages link to, and shows the command line's help as it is printed."""

from __future__ import annotations

import html
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikinggamma.cli.entries import COMMANDS
from spikinggamma.learning import RULES
from spikinggamma.options import Section
from spikinggamma.recipes import Recipe
from spikinggamma.registry import REGISTRIES

pytestmark = pytest.mark.long

pytest.importorskip("mkdocstrings_handlers", reason='needs the extra docs: pip install -e ".[docs]"')

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(path.parent.name for path in (ROOT / "src/spikinggamma").glob("*/__init__.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not (site / page).is_file()} == set()


def test_every_room_but_the_command_line_has_its_reference(site: Path) -> None:
    pages = {page.stem for page in (site / "reference").glob("*.html")}
    assert pages == {room for room in ROOMS if room != "cli"} | {"package"}
    assert "spikinggamma.nn.dense_net" in (site / "reference/nn.html").read_text(encoding="utf-8")


def test_every_key_of_a_recipe_and_every_entry_is_listed(site: Path) -> None:
    keys = (site / "recipe.html").read_text(encoding="utf-8")
    for table, field in Recipe.model_fields.items():
        assert f"[{table}]" in keys or table == "name"
        if isinstance(field.default, Section):
            listed = keys.partition(f"<code>[{table}]</code>")[2].partition("<h3")[0]
            assert [key for key in type(field.default).model_fields if f"<code>{key}</code>" not in listed] == []
    listed = (site / "entries.html").read_text(encoding="utf-8")
    for room, kind, _, _ in COMMANDS.values():
        importlib.import_module(room)
        for entry in REGISTRIES[kind].entries():
            part = listed.partition(f'<h3 id="{entry.name}')[2].partition("<h3")[0]
            assert [key for key in entry.options.model_fields if f"<code>{key}</code>" not in part] == [], entry.name


def test_the_readme_s_table_of_rules_is_among_the_concepts(site: Path) -> None:
    concepts = (site / "concepts.html").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"<td><code>{rule}</code></td>" not in concepts] == []


def test_links_lead_to_files_of_the_site(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        links = re.findall(r'(?:href|src)="?([^"\s>#]+)', page.read_text(encoding="utf-8"))
        inside = [html.unescape(link) for link in links if not re.match(r"[a-z]+:", link)]
        missing = {link for link in inside if not (page.parent / link.split("?")[0]).exists()}
        assert missing == set(), page.name


def test_formulas_are_mathml_and_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'class="arithmatex">(?!<math)', text) == [], page.name
        assert re.findall(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//", text) == [], page.name
    marked = {page.stem for page in site.glob("*.html") if "<math" in page.read_text(encoding="utf-8")}
    written = {
        page.stem for page in (ROOT / "docs").glob("*.md") if re.search(r"```math|\$\\", page.read_text("utf-8"))
    }
    assert marked == written != set()


@pytest.mark.parametrize("words", [["train"], ["data", "convert"], ["export"]], ids=" ".join)
def test_help_is_what_the_command_prints(site: Path, words: list[str]) -> None:
    told = html.unescape(re.sub(r"<[^>]+>", "", (site / "command_line.html").read_text(encoding="utf-8")))
    environment = os.environ | {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}
    # Under the name of the program, which `python -m` would print as its own.
    code = "import sys; from spikinggamma.cli import app; app(sys.argv[1:], prog_name='spikinggamma')"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--help"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    printed = "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())
    assert printed in told
