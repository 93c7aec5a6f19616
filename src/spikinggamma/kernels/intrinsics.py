"""What compiled code asks of LLVM that numba has no words for: memory before it is needed, wide vectors, what is not zero."""

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
    """The address of an element of a contiguous array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


def _bytes(number):
    """Of a number of a floating-point type."""
    return 4 if isinstance(number, ir.FloatType) else 8


def _declared(module, name, kind):
    return module.globals.get(name) or ir.Function(module, kind, name)


@intrinsic
def _ask_for(_, array, index):
    """LLVM's `prefetch` of one element: to be read, to be kept, as data. Where a processor has none, it is nothing."""

    def generate(context, builder, signature, arguments):
        place = builder.bitcast(_place(context, builder, signature.args[0], *arguments), _BYTE)
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


def _wide_vectors(_):
    """Let the loops of this function use the widest vectors that the processor has.

    By default LLVM keeps to half of AVX-512, since early processors with it slowed down; matrix products use all of it anyway.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite knows attributes that are one word; this one has a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


def _compress(_, line, start, columns, values, place):
    """Of the `LANES` numbers of `line` from `start` on, those that are not zero, to `values` from `place` on, and where in the
    line they were to `columns`; returns how many they are. Some processors have an instruction for it.
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
        # Where spikes are few, most lines of this length have none, and on some processors those stores are slow.
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
