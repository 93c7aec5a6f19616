"""Whole examples of the documentation run as they are written, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EXAMPLES = [
    (page.name, number, code)
    for page in PAGES
    if page.name != "README.md"  # its example trains for a minute
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if code.startswith("import ")  # others are a line or two out of their context
]


@pytest.mark.long
@pytest.mark.parametrize(("page", "number", "code"), EXAMPLES, ids=lambda value: str(value)[:20])
def test_an_example_prints_what_its_comments_say(page: str, number: int, code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page}, example {number}: {done.stderr}"
    promised = re.findall(r"print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert done.stdout.splitlines() == promised


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith("http") and not (page.parent / t).exists()]
    assert missing == []
