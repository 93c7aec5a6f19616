"""Asking the processor for memory before it is needed, from compiled code."""

# Unannotated on purpose: numba gives these functions its own types.
# mypy: disable-error-code="no-untyped-def,call-arg"
from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["prefetch"]

_LINE = 64  # bytes
_BYTE, _NUMBER = ir.IntType(8).as_pointer(), ir.IntType(32)


@intrinsic
def _ask_for(_, array, index):
    """LLVM's `prefetch` of one element: to be read, to be kept, as data. Where a processor has none, it is nothing."""

    def generate(context, builder, signature, arguments):
        first = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(first, [arguments[1]]), _BYTE)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind)
        builder.call(ask, [place, *map(_NUMBER, (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, index), generate


@njit(nogil=True)
def prefetch(row):
    """A contiguous row, line by line; it returns at once."""
    for i in range(0, row.size, _LINE // row.itemsize):
        _ask_for(row, i)
