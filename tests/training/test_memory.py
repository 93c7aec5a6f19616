"""Memory that a training process freed is used again."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, torch
from spikinggamma.training.memory import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    print("cannot")
    raise SystemExit
def work():
    torch.ones(3_000_000)  # 12 MB, then one too large for what is free
    torch.ones(12_000_000)
for _ in range(3):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="page faults are counted on Linux")
def test_pages_are_not_asked_for_anew() -> None:
    def faults(how: str) -> str:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    kept = faults("kept")
    if kept == "cannot":
        pytest.skip("this C library cannot be told to keep memory")
    assert int(kept) < 100 < int(faults("by default"))
