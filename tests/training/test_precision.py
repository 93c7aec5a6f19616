"""Products rounded to bfloat16: set for a while, as wrong as that number is, and asked for by a recipe."""

from __future__ import annotations

import torch

from spikinggamma.training.precision import product_precision
from spikinggamma.training.recipe_file import load_recipe


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
