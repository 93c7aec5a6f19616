"""The tutorial, command by command, on a tiny task in place of the spoken digits."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from spikinggamma import evaluation
from spikinggamma.cli import app

pytestmark = pytest.mark.long

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
TINY = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.dt_ms=4.0", "net.tau_ms=[4.0, 4.0, 4.0]",
    "net.synapse=neuron", "training.batch_size=16",
]  # fmt: skip
ELSEWHERE = ("pip install", "spikinggamma data fetch")  # tested by installing, and beside the data sets
WORDS = re.findall(r"words/(\w+\.wav)", PAGE)


def scaled_down(words: list[str]) -> list[str]:
    """The same command for the task that is made on the spot, whose two ears have eight channels each."""
    words = ["localisation" if word == "fsdd" else word for word in words]
    if words[0] == "train":
        words += [part for setting in TINY for part in ("--set", setting)]
    return [*words, "--n-channels", "16"] if words[:2] == ["data", "convert"] else words


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, cc, and finds none")
def test_every_command_does_what_the_next_one_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words").mkdir()
    time_s = np.arange(800) / 8000
    for place, name in enumerate(WORDS):
        soundfile.write(tmp_path / "words" / name, 0.5 * np.sin(2 * np.pi * 300 * (place + 1) * time_s), 8000)

    answers: list[list[int]] = []  # of the program, each time that it is run
    for command in COMMANDS:
        if command.startswith(ELSEWHERE):
            continue
        program, *words = shlex.split(command)
        if program == "spikinggamma":
            result = CliRunner().invoke(app, scaled_down(words))
            assert result.exit_code == 0, f"{command}: {result.output}"
            continue
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        if program == "./digits":
            answers.append([int(line.split()[1]) for line in done.stdout.splitlines()])
        if "test.txt" in words:  # it is there now, so is the rest: the page's Python comes before the next command
            (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
            capsys.readouterr()
            exec(compile(code, "tutorial.md", "exec"), {})
            printed = capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} >= {"digits.html", "recording.png", "words.h5", "words.txt"}
    in_python = dict(line.split() for line in printed.splitlines())
    first, second = answers
    assert first == evaluation.evaluate("runs/digits", device="cpu")["predictions"][:3]
    assert sorted(in_python) == sorted(WORDS)
    assert second == [int(decision) for decision in in_python.values()]


@pytest.mark.slow
@pytest.mark.skipif("SPIKINGGAMMA_DATA" not in os.environ, reason="reads the spoken digits in SPIKINGGAMMA_DATA")
def test_the_words_become_the_spikes_that_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words").mkdir()
    for name in WORDS:
        shutil.copy(Path(os.environ["SPIKINGGAMMA_DATA"]) / "fsdd" / "recordings" / name, tmp_path / "words")
    (command,) = [command for command in COMMANDS if "data convert" in command]
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.output.strip() in PAGE
