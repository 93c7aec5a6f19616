"""`spikinggamma export`: a trained run becomes a program that decides as the run does; what cannot be is one line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spikinggamma import evaluation, recipes, training
from spikinggamma.cli import app
from spikinggamma.runs import load_run

TINY = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=2.0", "data.n_channels=8", "net.synapse=neuron", "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]",
    "training.epochs=2", "training.batch_size=16", "training.threads=1",
]  # fmt: skip


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    training.train(recipes.load_recipe("localisation", TINY), folder)
    return folder


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, cc, and finds none")
@pytest.mark.parametrize("dt_ms", [2.0, 0.5])
def test_the_program_of_a_run_decides_as_the_run_does(run: Path, tmp_path: Path, dt_ms: float) -> None:
    out, events = tmp_path / "net.c", tmp_path / "test.txt"
    result = call("export", run, "--to", "c", "--out", out, "--test-vectors", events, "--dt-ms", dt_ms)
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(out), str(events)]
    subprocess.run(["cc", "-std=c99", "-o", tmp_path / "net", out], check=True)
    with events.open("rb") as given:
        said = subprocess.run([tmp_path / "net", "-q"], stdin=given, capture_output=True, text=True, check=True)
    decisions = [int(line.split()[1]) for line in said.stdout.splitlines()]
    assert decisions == evaluation.evaluate(run, dt_ms=dt_ms, device="cpu")["predictions"]


def test_numbers_and_parts_can_be_chosen(run: Path, tmp_path: Path) -> None:
    out, events = tmp_path / "net.c", tmp_path / "events.bin"
    options = ("--number", "int16", "--test-vectors", events, "--split", "validation")
    assert call("export", run, "--to", "c", "--out", out, *options).exit_code == 0
    assert "int16_t weight" in out.read_text()
    wanted = sum(recording.n_events + 1 for recording in load_run(run).splits().validation)
    assert events.stat().st_size == 8 * wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "d"), "`--to`"),
        (("--to", "c", "--number", "int8"), "float, int16, int32"),
        (("--to", "c", "--dt-ms", "5"), "4 ms, the time constant of bucket 0"),
        (("--to", "c", "--out", "nowhere/net.c"), "a folder that exists"),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    run: Path, tmp_path: Path, options: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("export", run, "--out", "net.c", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_other_nets_are_refused(tmp_path: Path) -> None:
    recipe = recipes.load_recipe(
        "localisation_lif", ["training.epochs=1", "data.options.n_train=20", "learning.schedule=constant"]
    )
    training.train(recipe, tmp_path / "run")
    result = call("export", tmp_path / "run", "--to", "c", "--out", tmp_path / "net.c")
    assert result.exit_code == 2
    assert "SurrogateNet" in result.stderr


def test_help_teaches() -> None:
    said = call("export", "--help").output
    for part in ("--to", "--number", "cc -std=c99", "standard input", "--test-vectors"):
        assert part in said
