"""Every example runs as a script, in its short form, and ends by printing one line with a measured figure."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_a_figure(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if '"cc"' in example.read_text(encoding="utf-8") and shutil.which("cc") is None:
        pytest.skip("needs a C compiler, cc, and finds none")
    monkeypatch.chdir(tmp_path)  # runs/ is made here
    monkeypatch.setattr(sys, "argv", [str(example), "--quick"])
    with torch.random.fork_rng():
        runpy.run_path(str(example), run_name="__main__")
    (line,) = capsys.readouterr().out.splitlines()
    assert re.search(r"\d", line), line


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_shows(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert text.startswith('"""')
    assert f"python examples/{example.name}" in text
