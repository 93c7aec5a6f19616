"""How a process computes: freed memory is used again, and products are rounded to bfloat16 where a recipe asks for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from spikinggamma.recipes import load_recipe
from spikinggamma.runtime import product_precision

FAULTS = """
import resource, sys, torch
from spikinggamma.runtime import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    print("cannot")
    raise SystemExit
def work():
    torch.ones(3_000_000)  # 12 MB, then one too large for what is free
    torch.ones(12_000_000)
for _ in range(10):  # until the heap has grown to what it needs
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="page faults are counted on Linux")
def test_pages_are_not_asked_for_anew() -> None:
    def faults(how: str) -> str:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    kept = faults("kept")
    if kept == "cannot":
        pytest.skip("this C library cannot be told to keep memory")
    assert int(kept) < 100 < int(faults("by default"))


def test_it_holds_inside_and_ends_with_the_block() -> None:
    before = torch.get_float32_matmul_precision()
    with product_precision("bfloat16"):
        assert torch.get_float32_matmul_precision() == "medium"
        with product_precision("float32"):
            assert torch.get_float32_matmul_precision() == "highest"
    assert torch.get_float32_matmul_precision() == before


def test_a_product_is_wrong_by_no_more_than_the_rounding_of_what_goes_in() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(300, 400, generator=generator), torch.randn(400, 200, generator=generator)
    exact = left.double() @ right.double()
    with product_precision("bfloat16"):
        error = float((left @ right - exact).norm() / exact.norm())
    assert error <= 2.0**-8  # two factors, each within 2^-9 of its size
    rounded = left.bfloat16().double() @ right.bfloat16().double()
    expected = float((rounded - exact).norm() / exact.norm())
    # Either this processor rounds the factors and nothing else, or it does not round at all.
    assert abs(error - expected) <= 1e-3 * expected or error <= 1e-6


def test_recipes_ask_for_it() -> None:
    assert load_recipe("fsdd").training.products == "float32"
    assert load_recipe("fsdd", ["training.products=bfloat16"]).training.products == "bfloat16"
