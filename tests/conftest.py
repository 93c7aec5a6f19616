"""Shape types are checked while the tests run; real data is found, or its absence said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Without a GPU, its kernels run in Triton's interpreter; Triton asks when it is first imported, which torch may do.
if shutil.which("nvidia-smi") is None:
    os.environ.setdefault("TRITON_INTERPRET", "1")

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

pytest_plugins = ["lanes"]

# Nets of a dozen neurons gain nothing from threads, and handing work to one costs milliseconds on a busy machine.
torch.set_num_threads(1)

# Compiled kernels are left out (and of the cochlea what is compiled): numba must see the plain functions.
_CHECKED = [
    "functional",
    "nn",
    "learning",
    "events",
    "datasets",
    "encoders",
    "layouts",
    "tasks",
    "recipes",
    "data",
    "runs",
    "evaluation",
    "cost",
]
_CHECKED += [
    "training",
    "planning",
    "search",
    "stream",
    "bench",
    "export",
    "files",
    "distributed",
    "cochlea.bushy_cell",
    "cochlea.convert",
    "cochlea.filter_bank",
    "cochlea.hair_cell",
    "cochlea.membrane",
]
_CHECKED += ["report.activity"]
install_import_hook([f"spikinggamma.{room}" for room in _CHECKED], "beartype.beartype")

# A busy machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real recordings, from `SPIKINGGAMMA_DATA` or beside the checkout."""
    named = os.environ.get("SPIKINGGAMMA_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not root.is_dir():
        pytest.skip(f"needs real recordings, none at {root}: point SPIKINGGAMMA_DATA at a data root")
    return root.resolve()


@pytest.fixture(autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own cache."""
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
