"""Nets whose speed is compared: every step leaves gradients of all weights, and rules that are exact agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikinggamma.bench import speed, speed_jax
from spikinggamma.bench.speed_competitors import installed
from spikinggamma.bench.speed_jax import JAX_SUBJECTS, command_of, environment_of
from spikinggamma.bench.speed_nets import NETS
from spikinggamma.bench.speed_protocol import BETA, Case, by_the_formula

SIZES = (30, 12, 3)
HERE = [name for name, net in NETS.items() if installed(net.package)]
CASE = Case("jaxpike", 4, 20, 8, 0.2, 1, "cpu", 0, 30, 3)


def gradients(name: str, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Gradients of all weights after one step, of whatever parameters it made."""
    made: list[nn.Parameter] = []
    plain = nn.Parameter.__new__

    def noted(cls: type[nn.Parameter], *args: object, **kwargs: object) -> nn.Parameter:
        made.append(plain(cls, *args, **kwargs))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(nn.Parameter, "__new__", noted)
    generator = torch.Generator().manual_seed(0)
    spikes = (torch.rand(150, 5, SIZES[0], generator=generator) < 0.3).float()
    step = NETS[name].make(SIZES, spikes[:40], torch.Generator().manual_seed(1))
    monkeypatch.undo()
    for _ in range(2):  # gradients of the step before are forgotten
        step(spikes, torch.arange(5) % SIZES[2])
    return [one.grad for one in made if one.grad is not None]


@pytest.mark.parametrize("name", HERE)
def test_a_step_leaves_a_gradient_of_both_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {tuple(grad.shape): grad for grad in gradients(name, monkeypatch)}
    for shape in ((12, 30), (3, 12)):
        assert float(found[shape].norm()) > 0.0


def test_online_and_through_time_have_one_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window is exact up to the tail of the kernels, whatever the chunk; 150 steps are several chunks."""
    online, whole = (gradients(name, monkeypatch) for name in ("spikinggamma", "spikinggamma_bptt"))
    for one, two in zip(online, whole, strict=True):
        assert float((one - two).norm() / two.norm()) < 1e-2


def test_the_formula_spikes_and_resets() -> None:
    drive = np.full((3, 1, 1), 1.0 / (1.0 - BETA) + 1e-3, dtype=np.float32)
    assert by_the_formula(drive, to_zero=False).ravel().tolist() == [1.0, 1.0, 1.0]
    weaker = np.full((14, 1, 1), 1.5, dtype=np.float32)  # v(t) = 1.5 (1 - βᵗ), above 1 from t = 11 on
    assert by_the_formula(weaker, to_zero=True).ravel().tolist() == [0.0] * 10 + [1.0] + [0.0] * 3
    with pytest.raises(RuntimeError, match="no spike"):
        by_the_formula(0.1 * weaker, to_zero=True)


def test_what_jax_needs_is_without_torch() -> None:
    """So that its interpreter needs none."""
    code = "import sys, spikinggamma.bench.speed_jax; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_interpreter_of_jax_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert command_of(CASE)[0] == sys.executable
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\nexit 0\n")
    other.chmod(0o755)
    monkeypatch.setenv("SPIKINGGAMMA_JAX_PYTHON", str(other))
    speed_jax.has_jax_subject.cache_clear()
    assert command_of(CASE)[0] == str(other)
    assert all(speed_jax.has_jax_subject(name) for name in JAX_SUBJECTS)
    speed_jax.has_jax_subject.cache_clear()
    environment = environment_of(CASE)
    assert Path(environment["PYTHONPATH"].split(":")[0], "spikinggamma").is_dir()
    assert "multi_thread_eigen=false" in environment["XLA_FLAGS"]
    assert "XLA_FLAGS" not in environment_of(CASE._replace(threads=2))


def test_long_inputs_do_not_wait_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[list[str]] = []

    def noted(cases: list[Case], rounds: int) -> dict[str, speed._Found]:
        groups.append([case.library for case in cases])
        return {case.library: speed._Found([1.0] * rounds, 2.0, "1", None) for case in cases}

    monkeypatch.setattr(speed, "_side_by_side", noted)
    shape = speed._Shape("shd", 256, 256, 128, 0.03, 700, 20)
    names = ["matmul", "spikinggamma", "lif"]
    rows = list(speed._measured(shape, names, "cpu", 0, False))
    rows += list(speed._measured(shape._replace(steps=8000), names, "cpu", 0, False))
    assert groups == [names, ["matmul"], ["spikinggamma"], ["lif"]]
    assert [(row["library"], row["steps"], row["rounds"]) for row in rows] == [
        *((name, 256, 5) for name in names),
        *((name, 8000, 3) for name in names),
    ]
