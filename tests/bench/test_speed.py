"""The speed bench: every subject does what it claims, with the gradients of the formula, and rows say what was measured."""

from __future__ import annotations

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.bench import speed
from spikinggamma.bench.rows import Row
from spikinggamma.bench.speed_competitors import SUBJECTS, installed
from spikinggamma.bench.speed_nets import NETS

pytestmark = pytest.mark.long

FIELDS = {"bench", "command", "seed", "device", "threads", "versions", "case", "library", "version", "batch", "steps"}
MEASURED = {"neurons", "density", "seconds", "step_mib", "ratio_to_matmul", "ratio_to_ours", "agreement"}
HERE = [name for name, subject in SUBJECTS.items() if installed(subject.package)]
NETS_HERE = [name for name, net in NETS.items() if installed(net.package)]
OURS = [name for name in ("lif", "lif_loop") if name in HERE]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(speed.run(quick=True, seed=0))


def test_rows_are_of_one_shape_and_say_what_was_measured(rows: list[Row]) -> None:
    on_torch = {case: [row["library"] for row in rows if row["case"] == case] for case in ("dense", "shd")}
    assert on_torch["dense"][: len(HERE)] == HERE
    assert on_torch["shd"][: len(NETS_HERE)] == NETS_HERE
    assert all(row.keys() >= FIELDS | MEASURED for row in rows)
    assert {row["command"] for row in rows} == {"spikinggamma bench speed --quick --seed 0"}
    shapes = {(row["case"], row["batch"], row["steps"], row["neurons"], row["density"]) for row in rows}
    assert shapes == {("dense", 16, 20, 32, 0.2), ("shd", 4, 20, 8, 0.2)}
    assert all(
        (row.get("inputs"), row.get("outputs")) == ((30, 3) if row["case"] == "shd" else (None, None)) for row in rows
    )


def test_ratios_are_those_of_the_seconds(rows: list[Row]) -> None:
    seconds = {(row["case"], row["library"]): row["seconds"] for row in rows}
    for row in rows:
        assert row["ratio_to_matmul"] == pytest.approx(row["seconds"] / seconds[row["case"], "matmul"])
        assert row["ratio_to_ours"] == pytest.approx(row["seconds"] / seconds[row["case"], "spikinggamma"])


def test_every_neuron_that_claims_a_formula_keeps_to_it(rows: list[Row]) -> None:
    agreements = {row["library"]: row["agreement"] for row in rows if row["case"] == "dense"}
    assert {row["agreement"] for row in rows if row["case"] == "shd"} == {None}
    assert agreements["matmul"] is None
    assert all(agreements[name] == 1.0 for name in OURS)
    assert all(found > 0.999 for found in agreements.values() if found is not None)


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
    assert {(shape.case, shape.neurons, shape.density) for shape in shapes if shape.steps == 500} >= {
        (name, neurons, density) for name, density in (("sparse", 0.02), ("dense", 0.2)) for neurons in (512, 2048)
    }
    assert [shape.steps for shape in shapes if shape.case == "steps"] == [125, 500, 2000, 8000]
    assert {shape.neurons for shape in speed._shapes("cuda", quick=False)} >= {4096, 16384}
