"""A kernel on disk is used again as it is, and made anew when any source changes that it is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikinggamma.kernels.compilation import sources_of, stamp

KERNEL = """
from {package}.middle import add_some
from spikinggamma.kernels.compilation import compiled

@compiled
def kernel(share, shares, values):
    for i in range(values.size):
        values[i] = add_some(values[i])
"""
MIDDLE = """
from numba import njit
from {package}.deep import AMOUNT

@njit(nogil=True)
def add_some(value):
    return value + AMOUNT
"""
CALL = """
import numpy as np
from {package}.kernel import kernel
values = np.zeros(3)
kernel(0, 1, values)
print(values[0], sum(kernel.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of three modules: a kernel, the helper that it calls, and a number that the helper uses."""
    folder = tmp_path / "housed"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "kernel.py").write_text(KERNEL.format(package="housed"))
    (folder / "middle.py").write_text(MIDDLE.format(package="housed"))
    (folder / "deep.py").write_text("AMOUNT = 1.0\n")
    return folder


def called(package: Path) -> tuple[float, int]:
    """In a process of its own: what the kernel makes of zero, and how often it came from the cache."""
    path = os.pathsep.join([str(package.parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    call = [sys.executable, "-c", CALL.format(package=package.name)]
    made, hits = subprocess.run(call, env=environment, check=True, capture_output=True, text=True).stdout.split()
    return float(made), int(hits)


@pytest.mark.long
@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [("middle.py", "value + AMOUNT", "value - AMOUNT", -1.0), ("deep.py", "1.0", "2.0", 2.0)],
    ids=["a helper", "what a helper imports"],
)
def test_a_kernel_is_compiled_anew_when_a_source_changes(
    package: Path, file: str, old: str, new: str, wanted: float
) -> None:
    assert called(package) == (1.0, 0)
    assert called(package) == (1.0, 1), "the cache is not used"
    changed = package / file
    changed.write_text(changed.read_text().replace(old, new))
    assert called(package) == (wanted, 0)
    assert called(package) == (wanted, 1)


@pytest.mark.parametrize("name", ["cpu", "spike_products_cpu", "lif_cpu", "srm_alpha_cpu"])
def test_kernels_depend_on_the_intrinsics_that_they_call(name: str) -> None:
    sources = sources_of(f"spikinggamma.kernels.{name}")
    assert {"spikinggamma.kernels.intrinsics", "spikinggamma.kernels.compilation"} < sources.keys()
    assert "def _compress" in sources["spikinggamma.kernels.intrinsics"]


def test_a_stamp_is_that_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "spikinggamma.kernels.spike_products_cpu"
    before, sources = stamp(name), sources_of(name)
    assert stamp(name) == before
    other = sources | {"spikinggamma.kernels.intrinsics": sources["spikinggamma.kernels.intrinsics"] + "\n"}
    monkeypatch.setattr("spikinggamma.kernels.compilation.sources_of", lambda _: other)
    assert stamp(name) != before
