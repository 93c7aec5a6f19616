"""Energies: a price for each operation and word, and memories that cost more the larger they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.cost import ENERGY_TABLES, Work, energy, load_energy_table

FLOAT32 = ENERGY_TABLES["float32"]
OWN = """
name = "mine"
synapse_multiply_pj = 2.0
synapse_add_pj = 1.0
neuron_multiply_pj = 20.0
neuron_add_pj = 10.0
function_pj = 100.0
weight_bytes = 1
state_bytes = 2
dram_pj_per_64_bits = 800.0

[[memories]]
kib = 1.0
pj_per_64_bits = 8.0

[[memories]]
kib = 2.0
pj_per_64_bits = 16.0
"""


def test_the_figures_are_those_of_the_published_table() -> None:
    # Horowitz 2014, figure 1.1.9: fp32 multiply and add, an 8 KiB, a 32 KiB and a 1 MiB cache by 64 bits, DRAM.
    assert (FLOAT32.synapse_multiply_pj, FLOAT32.synapse_add_pj) == (3.7, 0.9)
    assert [FLOAT32.word_pj(1024.0 * kib, 8) for kib in (8, 32, 1024, 1025)] == [10.0, 20.0, 100.0, 1300.0]
    assert FLOAT32.word_pj(8192.1, 4) == 10.0


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_every_operation_has_its_price(own: Path) -> None:
    table = load_energy_table(own)
    synapses = Work(multiply_accumulates=3, accumulates=5, multiplies=7, functions=11, weight_reads=13)
    neurons = Work(
        multiply_accumulates=17, accumulates=19, multiplies=23, functions=29, state_reads=31, state_writes=37
    )
    # 1024 weights of one byte just fit the first memory, 513 states of two bytes do not.
    spent = energy(synapses, neurons, table, weights=1024, states=513)
    assert spent.arithmetic_pj == 3 * 3.0 + 5 + 7 * 2.0 + 11 * 100.0 + 17 * 30.0 + 19 * 10.0 + 23 * 20.0 + 29 * 100.0
    assert (spent.weights_pj, spent.states_pj) == (13 * 1.0, (31 + 37) * 4.0)
    assert spent.total_pj == spent.arithmetic_pj + 13.0 + 272.0
    assert spent.total_with_dram_pj == spent.arithmetic_pj + 13 * 100.0 + 272.0


def test_bad_tables_are_named(own: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"`energies`: got 'flaot32'.*float32, float16, int32, int8"):
        load_energy_table("flaot32")
    for old, new, message in (
        ("synapse_add_pj = 1.0", "synapse_add_pj = -1.0", r"`energies: synapse_add_pj`"),
        ("function_pj = 100.0", "", r"`energies: function_pj`"),
        ("kib = 1.0", "kb = 1.0", r"`energies: memories\.0\.(kib|kb)`"),
        ('name = "mine"', "name = mine", r"cannot be read"),
    ):
        own.write_text(OWN.replace(old, new), encoding="utf-8")
        with pytest.raises(SpikingGammaError, match=message):
            load_energy_table(own)


def test_the_example_of_the_documentation_is_a_table(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "cost.md"
    (example,) = page.read_text(encoding="utf-8").split("```toml\n")[1:]
    path = tmp_path / "chip.toml"
    path.write_text(example.split("```")[0], encoding="utf-8")
    assert load_energy_table(path).name == "my chip"
