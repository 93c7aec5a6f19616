"""One tiny run and its page, shared by the tests of this room."""

from __future__ import annotations

import pytest

from spikinggamma import report
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import Run
from spikinggamma.training import train

_SMALL = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]", "data.dt_ms=2.0",
    "net.hidden=[6, 5]", "net.tau_ms=[4.0, 4.0, 6.0]", "training.epochs=2", "training.batch_size=16",
    "training.threads=1",
]  # fmt: skip


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two epochs, tested."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    return train(load_recipe("localisation", _SMALL), folder, device="cpu", command="spikinggamma train <first>")


@pytest.fixture(scope="session")
def page(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its page."""
    path = report.write_page([finished.path], tmp_path_factory.mktemp("page") / "page.html")
    return path.read_text(encoding="utf-8")
