"""The page on one's own data, command by command, from an empty folder."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from own_data_files import make_forecast, make_motion, make_sounds, make_yinyang
from spikinggamma.cli import app
from spikinggamma.runs import load_run

pytestmark = pytest.mark.long

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "own_data.md").read_text(encoding="utf-8")
BLOCKS = [
    [line.removeprefix("$ spikinggamma ") for line in block.splitlines() if line.startswith("$ ")]
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
]
# So that each takes seconds: the page's own recipes train for a minute.
BRIEF = ["--set", "training.epochs=6", "--set", "training.threads=1", "--set", "net.hidden=[24]"]
FEW = ["--set", "data.options.n_channels=40"]


def called(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, f"{' '.join(words)}: {result.output}"
    return result.output


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_sounds(tmp_path / "sounds")
    make_yinyang(tmp_path / "yinyang.npz")
    make_motion(tmp_path / "motion.npz")
    make_forecast(tmp_path / "forecast.csv")
    return tmp_path


def test_each_block_is_three_commands_and_ends_in_a_report() -> None:
    assert len(BLOCKS) == 4
    for block in BLOCKS:
        assert len(block) == 3
        assert [shlex.split(line)[0] for line in block][::2] == ["data", "report"]


@pytest.mark.parametrize("number", range(4), ids=["sounds", "yinyang", "motion", "forecast"])
def test_the_commands_lead_from_files_to_a_page(number: int, here: Path) -> None:
    for line in BLOCKS[number]:
        words = shlex.split(line)
        if words[0] == "data":
            words += FEW if "sounds" in words else []
        if words[0] in ("train", "sweep"):
            words += BRIEF
        output = called(*words)
        if words[0] == "data":
            assert "nothing looks wrong" in output
    page = (here / output.strip()).read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    if number == 2:
        row = json.loads((here / "runs" / "motion" / "sweep.jsonl").read_text())
        assert list(row["accuracy_by_group"]) == ["s0", "s1", "s2", "s3"]
        assert row["samples"] == 48  # every recording is tested on once
        return
    (folder,) = (here / "runs").iterdir()
    run = load_run(folder)
    assert run.result is not None
    floors = [bound.why for bound in run.data_info().floors]
    if number == 3:
        assert {"r2", "rse", "mae"} <= set(run.result)
        assert "accuracy" not in run.result
        assert "Targets and predictions" in page
        return
    assert floors[0] == "chance"
    assert any("spike counts" in why for why in floors)
    assert all(why in page for why in floors)
    assert run.result["class_names"] == (["high", "low", "middle"] if number == 0 else ["yin", "yang", "dot"])


def test_every_command_takes_a_run_of_ones_own_recordings(here: Path) -> None:
    called("train", "sounds", *BRIEF, *FEW, "--out", "run", "--set", "training.epochs=1")
    assert "accuracy" in called("evaluate", "run", "--perturb", "jitter=5ms")
    assert Path(called("data", "show", "sounds", "0", *FEW).splitlines()[0]).read_bytes().startswith(b"\x89PNG")
    called("export", "run", "--to", "c", "--out", "net.c")
    (here / "events.txt").write_text("100 3\n30000 4\nend 50000\n", encoding="utf-8")
    rows = [json.loads(line) for line in called("stream", "run", "--in", "events.txt").splitlines() if "{" in line]
    assert rows[-1]["name"] in ("high", "low", "middle")
    assert "cramer2022" in called("cite", "run")
    # What is needed of the recordings is in the run: they may be gone.
    (here / "sounds").rename(here / "elsewhere")
    called("export", "run", "--to", "c", "--out", "again.c")
    assert (here / "again.c").read_text() == (here / "net.c").read_text().replace("net.c", "again.c")
    assert "could not be read" in Path(called("report", "run").strip()).read_text(encoding="utf-8")
