"""Whole examples of the documentation run as they are written, and what its pages name exists."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from spikinggamma.cli import app
from spikinggamma.learning import RULES
from spikinggamma.recipes import Recipe, parse_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
ROOMS = sorted(path.parent.name for path in (ROOT / "src/spikinggamma").glob("*/__init__.py"))
NOW = [name for name in TEXTS if name != "CHANGELOG.md"]  # which also tells what things were called


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)


EXAMPLES = [
    (page, number, code)
    for page in TEXTS
    if page != "README.md"  # its example trains for a minute
    for number, code in enumerate(blocks(page, "python"))
    if code.startswith("import ")  # others are a line or two out of their context
]


@pytest.mark.long
@pytest.mark.parametrize(("page", "number", "code"), EXAMPLES, ids=lambda value: str(value)[:20])
def test_an_example_prints_what_its_comments_say(page: str, number: int, code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page}, example {number}: {done.stderr}"
    promised = re.findall(r"print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert done.stdout.splitlines() == promised


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith("http") and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ["recipe.md", "training.md"])
def test_recipes_in_pages_are_recipes(page: str) -> None:
    found = [parse_recipe(text) for text in blocks(page, "toml")]
    assert found != []
    assert all(recipe != Recipe() for recipe in found)


@pytest.mark.long
@pytest.mark.parametrize("page", NOW)
def test_commands_in_pages_exist_with_their_options(page: str) -> None:
    wrong = [line for line in _command_lines(TEXTS[page]) if not _is_known(line)]
    assert wrong == []


def test_an_unknown_command_or_option_is_noticed() -> None:
    lines = _command_lines(
        "`spikinggamma trane`, `spikinggamma bench speed --only dense`, `spikinggamma cite --nought`"
    )
    assert [_is_known(line) for line in lines] == [False, True, False]


@pytest.mark.parametrize("page", NOW)
def test_names_of_the_library_in_pages_exist(page: str) -> None:
    missing = [name for name in _names(TEXTS[page]) if not _exists(name)]
    assert missing == []


def test_a_name_that_is_gone_is_noticed() -> None:
    names = _names("`nn.SpikingNet`, `nn.dense_net(...)`, `learning.rule` and `spikinggamma.runs.load_run`")
    assert [_exists(name) for name in names] == [False, True, True, True]


def test_the_readme_has_a_row_for_each_rule_and_names_each_room() -> None:
    table = re.search(r"<!-- rules -->\n(.*?)\n<!-- /rules -->", TEXTS["README.md"], re.DOTALL)
    assert table is not None
    assert sorted(re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE)) == sorted(RULES)
    rooms = TEXTS["README.md"].partition("## Map of the code")[2].partition("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", rooms, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(ROOMS)


def _command_lines(text: str) -> list[str]:
    """Each call of the program in code, without what a comment, a pipe or a second column adds."""
    inline = re.findall(r"`(spikinggamma [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    fenced = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    called = [match[1] for line in fenced if (match := re.search(r"(?:^|\$ |&& |-m |\| )(spikinggamma [a-z].*)", line))]
    return [re.split(r"  +| #| > | \| | && ", line)[0] for line in (*inline, *called)]


def _is_known(line: str) -> bool:
    """Whether every word that must be a command is one, and every option one of that command."""
    command: Any = get_command(app)
    for word in shlex.split(line.replace("[", " ").replace("]", " "))[1:]:
        below = getattr(command, "commands", None)
        if below is not None and re.fullmatch(r"[a-z|]+", word):
            if not set(word.split("|")) <= set(below):
                return False
            command = below[word.split("|")[0]]
        elif word.startswith("--"):
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            if word.partition("=")[0] not in known:
                return False
    return True


def _names(text: str) -> list[str]:
    """Names that begin with a room, in code between the lines; those of files are left to the check of links."""
    found = re.findall(rf"`(?:spikinggamma\.)?((?:{'|'.join(ROOMS)})(?:\.[A-Za-z_]\w*)+)(?=[`(])", text)
    return [name for name in found if not name.endswith((".jsonl", ".json", ".toml"))]


def _exists(name: str) -> bool:
    """Whether a room holds it, or a recipe has a key of this name: some rooms are called as tables are."""
    room, *parts = name.split(".")
    found: Any = importlib.import_module(f"spikinggamma.{room}")
    for depth, part in enumerate(parts):
        try:
            found = getattr(found, part)
        except AttributeError:
            path = ".".join((room, *parts[: depth + 1]))
            if importlib.util.find_spec(f"spikinggamma.{path}") is None:
                return hasattr(getattr(Recipe(), room, None), parts[0])
            found = importlib.import_module(f"spikinggamma.{path}")
    return True
