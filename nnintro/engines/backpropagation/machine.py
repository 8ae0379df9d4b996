"""Operations that plain Python does not have: the BLAS matrix product, and threads that wait for each other.

Functions outside are called by their address, which comes with each call of the kernel: its machine
code then refers to nothing but the C library and can be loaded without numba.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from nnintro.engines.backpropagation.views import WORD

BYTES = ir.IntType(8).as_pointer()
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def gemm(
    _: Any, address: Any, transpose_a: Any, transpose_b: Any, m: Any, n: Any, k: Any, a: Any,
    a_at: Any, lda: Any, b: Any, b_at: Any, ldb: Any, beta: Any, c: Any, c_at: Any, ldc: Any,
) -> Any:  # fmt: skip
    """C = op(A) op(B) + beta C by BLAS, for matrices in rows.

    op(A) is (m, k), op(B) is (k, n), C is (m, n); each begins at an index of an array of one
    dimension, its rows ``ld`` numbers apart.
    """
    signature = types.void(
        address, transpose_a, transpose_b, types.int64, types.int64, types.int64, a, types.int64,
        types.int64, b, types.int64, types.int64, types.float64, c, types.int64, types.int64,
    )  # fmt: skip
    return signature, _gemm


def _gemm(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    address, ta, tb, m, n, k, a, a_at, lda, b, b_at, ldb, beta, c, c_at, ldc = arguments
    kind = context.get_data_type(signature.args[6].dtype)

    def place(value: Any) -> Any:
        return builder.bitcast(cgutils.alloca_once_value(builder, value), BYTES)

    def letter(transposed: Any) -> Any:
        code = builder.select(transposed, ir.IntType(8)(ord("T")), ir.IntType(8)(ord("N")))
        return place(code)

    def start(index: int, array: Any, at: Any) -> Any:
        data = context.make_array(signature.args[index])(context, builder, array).data
        return builder.bitcast(builder.gep(data, [at]), BYTES)

    # BLAS counts in columns, where our matrices are their own transposes: C' = op(B)' op(A)'.
    # Sizes are 64 bits wide; a library of 32-bit sizes reads the lower half.
    beta = beta if kind == ir.DoubleType() else builder.fptrunc(beta, kind)
    call = ir.FunctionType(ir.VoidType(), [BYTES] * 13)
    builder.call(
        builder.inttoptr(address, call.as_pointer()),
        [letter(tb), letter(ta), place(n), place(m), place(k), place(kind(1.0)),
         start(9, b, b_at), place(ldb), start(6, a, a_at), place(lda), place(beta),
         start(13, c, c_at), place(ldc)],
    )  # fmt: skip
    return context.get_dummy_value()


@intrinsic
def arrive(_: Any, counters: Any) -> Any:
    """Add 1 to the first of ``counters``, at once for everybody."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.atomic_rmw("add", data, WORD(1), "seq_cst")
        return context.get_dummy_value()

    return types.void(counters), generate


@intrinsic
def arrived(_: Any, counters: Any) -> Any:
    """The first of ``counters`` as it is now, whoever wrote it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load_atomic(data, "seq_cst", 8)

    return types.int64(counters), generate


@intrinsic
def give_way(_: Any, address: Any) -> Any:
    """Sleep as shortly as the system can, so that another thread has this core."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        call = ir.FunctionType(ir.IntType(32), [ir.IntType(32)])
        function = builder.inttoptr(arguments[0], call.as_pointer())
        builder.call(function, [ir.IntType(32)(1)])
        return context.get_dummy_value()

    return types.void(address), generate


@intrinsic
def pause(_: Any) -> Any:
    """Tell the processor that this is a loop that waits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if IS_X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate
