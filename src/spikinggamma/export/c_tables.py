"""Constants of a layer as C code: tables, and the initialisers of the structures that point to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikinggamma.export.fixed_point import Widths, leak, scaled
from spikinggamma.export.program_net import ProgramLayer

__all__ = ["CLayer", "chain_powers", "fixed_layer", "float_layer", "real"]

_COLUMNS = 116
_GONE = 1e-26  # share of a bucket; times the content of all buckets it is below what the library treats as zero
_LARGEST_CHAIN = 32  # buckets; with more of them the table costs more than it saves


class CLayer(NamedTuple):
    """A layer's constants as C code, with the text about their units for the program's header comment."""

    neurons: int
    order: int
    tables: str
    memory: str
    code: str
    weight_shift: int = 0
    bucket_shift: int = 0


def float_layer(index: int, layer: ProgramLayer) -> CLayer:
    """Return the constants in single precision, as in the library."""
    single = np.float32
    keep = (1.0 - layer.take).astype(single)
    powers, count = chain_powers(layer.take)
    margin = 2.0**-22 * (layer.order + 4.0 * float((1.0 / layer.take).sum()))
    tables = [
        _table("weight", f"weights_{index}", _reals(layer.weight.T)),
        _table("weight", f"bucket_weights_{index}", _reals(layer.bucket_weight.T)),
        _table("number", f"bias_{index}", _reals(layer.bias)),
        _table("number", f"keep_{index}", _reals(keep)),
        _table("number", f"take_{index}", _reals(single(1) - keep)),
        _table("number", f"powers_{index}", _reals(powers) if count else ["0"]),
    ]
    memory = (
        f".keep = keep_{index}, .take = take_{index}, .powers = powers_{index}, .n_powers = {count}, "
        f".margin = {real(margin)}"
    )
    code = ".most = 0"
    if layer.code is not None:
        code = (
            f".threshold = {real(layer.code.threshold)}, .adaptation = {real(layer.code.adaptation)}, "
            f".fade = {real(layer.fade)}, .most = {layer.code.max_spikes or 0}"
        )
    return CLayer(layer.neurons, layer.order, "\n".join(tables), memory, code)


def fixed_layer(index: int, layer: ProgramLayer, widths: Widths, state_shift: int) -> CLayer:
    """Return the constants as integers; see `spikinggamma.export.fixed_point`."""
    weight = scaled(f"weights of layer {index}", layer.weight.T, widths.weight)
    bucket = scaled(f"bucket weights of layer {index}", layer.bucket_weight.T, widths.bucket_weight)
    bias = _units(layer.bias, state_shift)
    leaks = [leak(float(take), widths.leak) for take in layer.take]
    tables = [
        _table("weight", f"weights_{index}", _whole(weight.values)),
        _table("weight", f"bucket_weights_{index}", _whole(bucket.values)),
        _table("number", f"bias_{index}", _whole(bias)),
        _table("weight", f"leak_{index}", [str(value) for value, _ in leaks]),
        _table("unsigned char", f"leak_shift_{index}", [str(shift) for _, shift in leaks]),
    ]
    memory = (
        f".leak = leak_{index}, .leak_shift = leak_shift_{index}, .weight_shift = {weight.shift}, "
        f".bucket_shift = {bucket.shift}"
    )
    code = ".most = 0"
    if layer.code is not None:
        adaptation = scaled("adaptation", layer.code.adaptation, widths.bucket_weight)
        value, shift = leak(1.0 - layer.fade, widths.leak)
        code = (
            f".threshold = {round(layer.code.threshold * 2.0**state_shift)}, .adaptation = {adaptation.value}, "
            f".leak = {value}, .adaptation_shift = {adaptation.shift}, .leak_shift = {shift}, "
            f".most = {layer.code.max_spikes or 0}"
        )
    return CLayer(layer.neurons, layer.order, "\n".join(tables), memory, code, weight.shift, bucket.shift)


def chain_powers(take: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], int]:
    """Return the matrices of the chain over 1, 2, 4, ... silent steps as lower triangles row by row, and their number.

    There are none for chains so long that single steps are no slower.

    Example:
        >>> chain_powers(np.array([0.5]))[0][:3]
        array([0.5   , 0.25  , 0.0625])
    """
    if len(take) > _LARGEST_CHAIN:
        return np.zeros(0), 0
    power = np.diag(1.0 - take) + np.diag(take[1:], -1)
    lower = np.tril_indices(len(take))
    triangles = []
    while np.abs(power).max() > _GONE:
        triangles.append(np.where(power > _GONE, power, 0.0)[lower])
        power = power @ power
    return np.concatenate([*triangles, np.zeros(0)]), len(triangles)


def real(value: float) -> str:
    """Return the text of a single-precision constant, exact to the bit.

    Example:
        >>> real(0.1), real(2.0)
        ('0.1f', '2.0f')
    """
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    plain = np.format_float_positional(np.float32(value), unique=True, trim="0")
    return f"{plain if len(plain) <= len(text) else text}f"


def _units(values: npt.NDArray[np.float64], shift: int) -> npt.NDArray[np.int64]:
    """Return states in their units, clipped to the largest."""
    units = np.rint(values * 2.0**shift)
    return np.clip(units, -(2**31 - 1), 2**31 - 1).astype(np.int64)


def _reals(values: npt.NDArray[np.floating]) -> list[str]:
    return [real(value) for value in values.ravel().tolist()]


def _whole(values: npt.NDArray[np.int64]) -> list[str]:
    return [str(value) for value in values.ravel().tolist()]


def _table(kind: str, name: str, values: Iterable[str]) -> str:
    """Return `static const kind name[] = {...};` in lines of a readable length."""
    lines, line = [f"static const {kind} {name}[] = {{"], "   "
    for value in values:
        if len(line) + len(value) + 2 > _COLUMNS:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([*lines, line.removesuffix(","), "};"])
