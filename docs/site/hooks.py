"""What the site adds to the pages: files outside docs/ as a part of it, and the command line's own help."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.main import get_command
from typer.testing import CliRunner

from spikinggamma.cli import app

ROOT = Path(__file__).resolve().parents[2]
_OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")
_HELP = "<!-- help -->"
_WIDTH = "100"


def on_files(files: Files, config: Any) -> Files:
    """Files of the repository to which a page links go into the site under `repository/`, as they are."""
    wanted = set()
    for page in files.documentation_pages():
        wanted |= {path for path, _ in _OUTSIDE.findall(page.content_string) if not _on_home(path)}
    for path in sorted(wanted):
        place = ROOT / path
        if place.is_file():  # what is not there is left to the check of links
            files.append(File.generated(config, f"repository/{path}", content=place.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Links out of docs/ lead into `repository/`, those to the README home; help comes where a page asks for it."""
    up = posixpath.relpath(".", posixpath.dirname(page.file.src_uri) or ".")

    def inside(link: re.Match[str]) -> str:
        path = link[1]
        return f"]({up}/index.md)" if _on_home(path) else f"]({up}/repository/{path}{link[2] or ''})"

    markdown = _OUTSIDE.sub(inside, markdown)
    return markdown.replace(_HELP, help_of_all()) if _HELP in markdown else markdown


def help_of_all() -> str:
    """Every command's `--help`, as it prints it, a section each."""
    return "\n\n".join(
        f"## {' '.join(['spikinggamma', *words])}\n\n```text\n{help_of(words)}\n```" for words in commands()
    )


def commands() -> list[list[str]]:
    """The words of every command, in the order in which the help lists them; the program itself first."""

    def below(command: Any, words: list[str]) -> list[list[str]]:
        own = getattr(command, "commands", {})
        return [words, *(found for name, sub in own.items() for found in below(sub, [*words, name]))]

    return below(get_command(app), [])


def help_of(words: list[str]) -> str:
    """What `spikinggamma WORDS --help` prints on a terminal 100 columns wide."""
    environment = {"COLUMNS": _WIDTH, "TERMINAL_WIDTH": _WIDTH, "NO_COLOR": "1", "TERM": "dumb"}
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="spikinggamma", env=environment)
    if result.exit_code:
        raise RuntimeError(f"spikinggamma {' '.join(words)} --help ends with {result.exit_code}: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.strip("\n").splitlines())


def _on_home(path: str) -> bool:
    return path == "README.md"
