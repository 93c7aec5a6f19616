"""`spikinggamma export`: parses, calls, says where the file is; what cannot be said exactly ends with two."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from spikinggamma import recipes, training
from spikinggamma.cli import app
from spikinggamma.export import read_nir

SETTINGS = [
    "data.options.n_train=20", "data.options.n_validation=9", "data.options.n_test=9",
    "data.options.duration_ms=40.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=4.0", "net.hidden=[4]", "net.tau_ms=[4.0, 6.0]", "training.epochs=1", "training.threads=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "run"
    return training.train(recipes.load_recipe("localisation", SETTINGS), folder, device="cpu").path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_a_run_becomes_a_file_that_is_read_back(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.nir"
    result = call(run, "--to", "nir", "--out", out, "--without-adaptation", "--max-spikes", "4", "--dt-ms", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}\n"
    assert read_nir(out).dt_ms == 2.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "`layer0`: got a threshold that adapts"),
        (["--without-adaptation"], "`layer0`: got no limit on the spikes"),
        (["--without-adaptation", "--max-spikes", "0"], "`max_spikes`: got 0"),
        (["--without-adaptation", "--max-spikes", "2", "--dt-ms", "9"], "`dt_ms`: got 9.0"),
    ],
)
def test_what_cannot_be_said_is_refused_and_leaves_nothing(
    run: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = call(run, "--to", "nir", "--out", tmp_path / "net.nir", *arguments)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert not list(tmp_path.iterdir())


def test_help_teaches() -> None:
    printed = call("--help").output
    for part in ("--to nir", "--without-adaptation", "--max-spikes 16", "pip install nir"):
        assert part in printed
