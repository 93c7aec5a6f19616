"""The gauge of memory: it sees a block come and go, and its process loads only what it measures."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from spikinggamma.bench import memory_case
from spikinggamma.process_memory import peak_mib, reset_peak, resident_mib


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak can be reset on Linux only")
def test_the_gauge_sees_a_block_come_and_go() -> None:
    reset_peak()
    before = resident_mib()
    with mmap.mmap(-1, 2**25) as block:  # 32 MiB of the system's own, whatever this process has kept
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
        assert resident_mib() - before == pytest.approx(32.0, abs=4.0)
    assert peak_mib() - before == pytest.approx(32.0, abs=4.0)
    reset_peak()
    assert peak_mib() - before < 4.0


def test_the_measuring_process_loads_only_what_it_measures() -> None:
    source = Path(memory_case.__file__).read_text()
    assert "spikinggamma.training" not in source
