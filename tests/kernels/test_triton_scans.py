"""Every scan in Triton compiles to code for a GPU, also where there is none: the interpreter takes more than the compiler."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="Triton is not installed")

# In a process of its own: Triton is either interpreted or compiled, from its first import on.
COMPILE = """
import warnings
warnings.simplefilter("ignore")
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from spikinggamma.kernels import triton_delays, triton_neurons, triton_scans

for kernel in (getattr(module, name) for module in (triton_delays, triton_neurons, triton_scans) for name in module.__all__):
    for gated in (True, False) if "GATED" in kernel.arg_names else (True,):
        constants = {"K": ORDER, "BLOCK": 64, "COUNTING": True, "KEEPING": True, "GATED": gated}
        sizes = dict.fromkeys(("T", "S", "D", "B", "C", "N"), "i32")
        kinds = sizes | {"counts": "*i32", "whole": "*i64"} | dict.fromkeys(constants, "constexpr")
        signature = {argument: kinds.get(argument, "*KIND") for argument in kernel.arg_names}
        fixed = {(place,): constants[a] for place, a in enumerate(kernel.arg_names) if a in constants}
        made = compile(ASTSource(kernel, signature, fixed), target=GPUTarget("cuda", 90, 32), options={"num_warps": 2})
        assert len(made.asm["cubin"]) > 1000
    print(kernel.__name__)
"""


@pytest.mark.long
@pytest.mark.parametrize(("kind", "order"), [("fp32", 8), ("fp64", 1)])
def test_it_compiles(kind: str, order: int, tmp_path: object) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    program = COMPILE.replace("KIND", kind).replace("ORDER", str(order))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"TRITON_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.split()) == 19
