"""The speed bench: every subject does what it claims, with the gradients of the formula, and rows say what was measured."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.bench import speed, speed_case
from spikinggamma.bench.rows import Row
from spikinggamma.bench.speed_competitors import BUCKETS_MS, SUBJECTS, installed
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Dense, Timescales

FIELDS = {"bench", "command", "seed", "device", "threads", "versions", "case", "library", "version", "batch", "steps"}
MEASURED = {"neurons", "density", "seconds", "step_mib", "ratio_to_matmul", "ratio_to_ours", "agreement"}
HERE = [name for name in SUBJECTS if installed(name)]
OURS = [name for name in ("lif", "lif_loop") if name in HERE]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(speed.run(quick=True, seed=0))


def test_rows_are_of_one_shape_and_say_what_was_measured(rows: list[Row]) -> None:
    assert [row["library"] for row in rows] == HERE
    assert all(row.keys() >= FIELDS | MEASURED for row in rows)
    assert {row["command"] for row in rows} == {"spikinggamma bench speed --quick --seed 0"}
    assert len({(row["batch"], row["steps"], row["neurons"], row["density"], row["device"]) for row in rows}) == 1


def test_ratios_are_those_of_the_seconds(rows: list[Row]) -> None:
    seconds = {row["library"]: row["seconds"] for row in rows}
    for row in rows:
        assert row["ratio_to_matmul"] == pytest.approx(row["seconds"] / seconds["matmul"])
        assert row["ratio_to_ours"] == pytest.approx(row["seconds"] / seconds["spikinggamma"])


def test_every_neuron_that_claims_a_formula_keeps_to_it(rows: list[Row]) -> None:
    agreements = {row["library"]: row["agreement"] for row in rows}
    assert agreements["matmul"] is None
    assert all(agreements[name] == 1.0 for name in OURS)
    assert all(found > 0.999 for found in agreements.values() if found is not None)


def test_the_check_sees_a_wrong_neuron() -> None:
    subject = SUBJECTS["lif"]
    generator = torch.Generator().manual_seed(0)
    assert speed_case._agreement(subject._replace(reset="zero"), generator, "cpu") < 0.999
    silent = subject._replace(spiking=lambda: torch.zeros_like)
    assert speed_case._agreement(silent, generator, "cpu") < 0.999


@pytest.mark.parametrize("name", HERE)
def test_a_step_leaves_both_gradients(name: str) -> None:
    torch.manual_seed(0)
    weight = torch.randn(20, 20)
    spikes = (torch.rand(30, 2, 20) < 0.3).float()
    found = SUBJECTS[name].make(weight)(spikes, torch.randn_like(spikes))
    assert found.shape == spikes.shape
    assert found.abs().sum() > 0


def test_the_two_lifs_have_one_gradient() -> None:
    torch.manual_seed(0)
    weight, grad = torch.randn(20, 20, dtype=torch.float64), torch.randn(30, 2, 20, dtype=torch.float64)
    spikes = (torch.rand(30, 2, 20) < 0.3).double()
    torch.testing.assert_close(*(SUBJECTS[name].make(weight)(spikes, grad) for name in OURS))


def test_the_step_of_our_layer_is_that_of_autograd() -> None:
    """The path that `train` runs has the gradients of the module."""
    torch.manual_seed(0)
    weight, grad = torch.randn(20, 20, dtype=torch.float64), torch.randn(30, 2, 20, dtype=torch.float64)
    spikes = (torch.rand(30, 2, 20) < 0.3).double().requires_grad_()
    torch.manual_seed(1)
    layer = Dense((20,), 20, Timescales(BUCKETS_MS), code=SigmaDelta()).to(weight)
    layer.weight = torch.nn.Parameter(weight)
    torch.autograd.backward(layer(spikes, layer.initial_state(2), 1.0)[0], grad)
    torch.manual_seed(1)
    torch.testing.assert_close(SUBJECTS["spikinggamma"].make(weight)(spikes.detach(), grad), spikes.grad)


def test_some_are_chosen_and_a_wrong_name_is_refused() -> None:
    rows = list(speed.run(quick=True, seed=0, only=["dense"], models=["lif"]))
    assert [row["library"] for row in rows] == ["matmul", "spikinggamma", "lif"]
    for option, given in (("--only", {"only": ["wide"]}), ("--models", {"models": ["brain"]})):
        with pytest.raises(SpikingGammaError, match=option):
            next(speed.run(quick=True, seed=0, **given))


@pytest.mark.skipif(len(HERE) == len(SUBJECTS), reason="every library is installed")
def test_a_library_that_is_not_installed_is_named() -> None:
    absent = next(name for name in SUBJECTS if name not in HERE)
    with pytest.raises(SpikingGammaError, match=f"{absent}.*installed"):
        next(speed.run(quick=True, seed=0, models=[absent]))


def test_shapes_of_the_full_bench() -> None:
    shapes = speed._shapes("cpu", quick=False)
    assert {(name, neurons, density) for name, steps, neurons, density in shapes if steps == 500} >= {
        (name, neurons, density) for name, density in (("sparse", 0.02), ("dense", 0.2)) for neurons in (512, 2048)
    }
    assert [steps for name, steps, *_ in shapes if name == "steps"] == [125, 500, 2000, 8000]
    assert {neurons for _, _, neurons, _ in speed._shapes("cuda", quick=False)} >= {4096, 16384}
