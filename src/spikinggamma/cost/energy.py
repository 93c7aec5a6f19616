"""Energy of counted work, by published figures of one technology, which a table of your own can replace.

The built-in tables hold figures of M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, Figure
1.1.9: rough energies of single operations in a 45 nm process at 0.9 V. Memory accesses are counted by the word: the smallest
memory that holds all weights, or all state, determines the energy of an access. Wires, control, clocks and leakage are left
out.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from spikinggamma.cost.operations import Work
from spikinggamma.errors import SpikingGammaError
from spikinggamma.options import Section

__all__ = ["ENERGY_TABLES", "Energy", "EnergyTable", "Memory", "energy", "load_energy_table"]


class Memory(Section):
    """A static memory: its largest size, and the energy of reading or writing 64 bits of it."""

    kib: float = Field(gt=0.0, description="size [KiB]")
    pj_per_64_bits: float = Field(ge=0.0, description="energy of an access [pJ]")


class EnergyTable(Section):
    """Energies of single operations, all in picojoules.

    Example:
        >>> ENERGY_TABLES["float32"].synapse_multiply_pj
        3.7
    """

    name: str = Field(description="name shown in rows and pages")
    synapse_multiply_pj: float = Field(ge=0.0, description="multiplication by a weight [pJ]")
    synapse_add_pj: float = Field(ge=0.0, description="addition to a sum over synapses [pJ]")
    neuron_multiply_pj: float = Field(ge=0.0, description="multiplication in the update of a neuron [pJ]")
    neuron_add_pj: float = Field(ge=0.0, description="addition or comparison in the update of a neuron [pJ]")
    function_pj: float = Field(ge=0.0, description="evaluation of σ or tanh [pJ]")
    weight_bytes: int = Field(ge=1, description="of a parameter")
    state_bytes: int = Field(ge=1, description="bytes of a state variable or message")
    memories: tuple[Memory, ...] = Field(min_length=1, description="from the smallest")
    dram_pj_per_64_bits: float = Field(ge=0.0, description="energy of an access to DRAM [pJ], where no memory suffices")

    def word_pj(self, size_bytes: int | float, word_bytes: int) -> float:
        """Return the energy [pJ] of accessing one word in the smallest memory that holds `size_bytes`."""
        fitting = [memory.pj_per_64_bits for memory in self.memories if size_bytes <= 1024.0 * memory.kib]
        return (min(fitting) if fitting else self.dram_pj_per_64_bits) * word_bytes / 8.0


class Energy(NamedTuple):
    """Energies in pJ of arithmetic, of reading weights, of accessing state, and of reading weights if they were in DRAM."""

    arithmetic_pj: float
    weights_pj: float
    states_pj: float
    weights_in_dram_pj: float

    @property
    def total_pj(self) -> float:
        """Total energy with weights in the smallest memory that holds them."""
        return self.arithmetic_pj + self.weights_pj + self.states_pj

    @property
    def total_with_dram_pj(self) -> float:
        """Total energy with weights in DRAM, read again for each use."""
        return self.arithmetic_pj + self.weights_in_dram_pj + self.states_pj


def energy(synapses: Work, neurons: Work, table: EnergyTable, *, weights: int, states: int) -> Energy:
    """Return the energy of work over synapses and work of neurons.

    Args:
        synapses: Work with weights.
        neurons: All other work.
        table: The energies of operations.
        weights: Number of words of parameters, which determines the memory that holds them.
        states: Number of words of state.
    """
    arithmetic = 0.0
    for work, multiply, add in (
        (synapses, table.synapse_multiply_pj, table.synapse_add_pj),
        (neurons, table.neuron_multiply_pj, table.neuron_add_pj),
    ):
        arithmetic += work.multiply_accumulates * (multiply + add) + work.accumulates * add + work.multiplies * multiply
        arithmetic += work.functions * table.function_pj
    work = synapses + neurons
    weight_pj = table.word_pj(weights * table.weight_bytes, table.weight_bytes)
    state_pj = table.word_pj(states * table.state_bytes, table.state_bytes)
    dram_pj = table.dram_pj_per_64_bits * table.weight_bytes / 8.0
    moved = work.state_reads + work.state_writes
    return Energy(arithmetic, work.weight_reads * weight_pj, moved * state_pj, work.weight_reads * dram_pj)


def load_energy_table(source: str | Path = "float32") -> EnergyTable:
    """Load a built-in table by name, or one from a TOML file with the keys of `EnergyTable`.

    Raises:
        SpikingGammaError: There is no such table or file, it is not TOML, or a key is missing, unknown or out of range.

    Example:
        >>> load_energy_table("int8").weight_bytes
        1
    """
    if str(source) in ENERGY_TABLES:
        return ENERGY_TABLES[str(source)]
    path = Path(source)
    expected = f"one of {', '.join(ENERGY_TABLES)}, or a .toml file with the keys of a table of energies"
    if path.suffix != ".toml" or not path.is_file():
        raise SpikingGammaError("energies", f"{str(source)!r}, which is no such file", expected)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        tables["memories"] = tuple(tables.get("memories", ()))
        return EnergyTable.model_validate(tables)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SpikingGammaError("energies", f"{path}, which cannot be read ({error})", expected) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        expected = f"as EnergyTable has it: {', '.join(EnergyTable.model_fields)}"
        raise SpikingGammaError(f"energies: {key}", f"{first['msg']} in {path}", expected) from None


def _table(
    name: str, synapse: tuple[float, float], neuron: tuple[float, float], weight_bytes: int, state_bytes: int
) -> EnergyTable:
    return EnergyTable(
        name=f"{name}, 45 nm, Horowitz 2014",
        synapse_multiply_pj=synapse[0],
        synapse_add_pj=synapse[1],
        neuron_multiply_pj=neuron[0],
        neuron_add_pj=neuron[1],
        # Not in the figure. A table of straight lines: a product and an addition.
        function_pj=sum(neuron),
        weight_bytes=weight_bytes,
        state_bytes=state_bytes,
        memories=(
            Memory(kib=8.0, pj_per_64_bits=10.0),
            Memory(kib=32.0, pj_per_64_bits=20.0),
            Memory(kib=1024.0, pj_per_64_bits=100.0),
        ),
        # 1300 to 2600 in the figure.
        dram_pj_per_64_bits=1300.0,
    )


# Multiply and add of each format; "int8" has weights of 8 bits, and sums and states of 32.
ENERGY_TABLES: dict[str, EnergyTable] = {
    "float32": _table("float32", (3.7, 0.9), (3.7, 0.9), 4, 4),
    "float16": _table("float16", (1.1, 0.4), (1.1, 0.4), 2, 2),
    "int32": _table("int32", (3.1, 0.1), (3.1, 0.1), 4, 4),
    "int8": _table("int8 weights, int32 states", (0.2, 0.1), (3.1, 0.1), 1, 4),
}
