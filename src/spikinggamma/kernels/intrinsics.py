"""Intrinsics of LLVM that numba does not offer: prefetching, wide vectors, and compression of nonzero values."""

# Unannotated on purpose: numba gives these functions its own types.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["LANES", "compress", "prefetch", "wide_vectors"]

LANES = 16  # of `compress`
_LINE = 64  # bytes
_BIT, _BYTE, _NUMBER, _SIZE = ir.IntType(1), ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)


def _place(context, builder, kind, array, index):
    """Return the address of an element of a contiguous array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


def _bytes(number):
    """Return the size in bytes of a floating-point type."""
    return 4 if isinstance(number, ir.FloatType) else 8


def _declared(module, name, kind):
    return module.globals.get(name) or ir.Function(module, kind, name)


@intrinsic
def _ask_for(_, array, index):
    """Call LLVM's `prefetch` for one element, as data to be read and kept; some processors ignore it."""

    def generate(context, builder, signature, arguments):
        place = builder.bitcast(_place(context, builder, signature.args[0], *arguments), _BYTE)
        kind = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind)
        builder.call(ask, [place, *map(_NUMBER, (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, index), generate


@njit(nogil=True)
def prefetch(row):
    """Prefetch a contiguous row, line by line; the call returns at once."""
    for i in range(0, row.size, _LINE // row.itemsize):
        _ask_for(row, i)


def _wide_vectors(_):
    """Let the loops of this function use the widest vectors of the processor.

    By default LLVM uses only half of AVX-512, since early processors slowed down with it; matrix products use all of it
    anyway.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite supports attributes of one word; this one has a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


def _compress(_, line, start, columns, values, place):
    """Compress `LANES` numbers of `line` from `start` on: write nonzero ones to `values` from `place` on.

    Their indices in the line are written to `columns`, and their number is returned. Some processors have an
    instruction for it.
    """

    def generate(context, builder, signature, arguments):
        line, start, columns, values, place = arguments
        kind_of = signature.args
        number = context.get_data_type(kind_of[0].dtype)
        vector, whole, mask = (ir.VectorType(kind, LANES) for kind in (number, _NUMBER, _BIT))
        source = _place(context, builder, kind_of[0], line, start)
        heard = builder.load(builder.bitcast(source, vector.as_pointer()), align=_bytes(number))
        speaks = builder.fcmp_unordered("!=", heard, ir.Constant(vector, [0.0] * LANES))
        bits = builder.bitcast(speaks, ir.IntType(LANES))
        # If spikes are few, most lines of this length have none, and on some processors these stores are slow.
        with builder.if_then(builder.icmp_unsigned("!=", bits, bits.type(0))):
            # start, start + 1, ...
            first = builder.insert_element(ir.Constant(whole, ir.Undefined), builder.trunc(start, _NUMBER), _NUMBER(0))
            spread = builder.shuffle_vector(first, ir.Constant(whole, ir.Undefined), ir.Constant(whole, [0] * LANES))
            numbers = builder.add(spread, ir.Constant(whole, list(range(LANES))))
            for part, kind, array, to in ((numbers, whole, columns, kind_of[2]), (heard, vector, values, kind_of[3])):
                target = _place(context, builder, to, array, place)
                put = ir.FunctionType(ir.VoidType(), [kind, target.type, mask])
                name = f"llvm.masked.compressstore.v{LANES}{'i32' if kind is whole else 'f' + str(8 * _bytes(number))}"
                builder.call(_declared(builder.module, name, put), [part, target, speaks])
        return builder.zext(builder.ctpop(bits), _SIZE)

    return types.int64(line, start, columns, values, place), generate


wide_vectors: Any = intrinsic(_wide_vectors)
compress: Any = intrinsic(_compress)
