"""Rows of a flat array as a vector or a matrix, at no cost.

numba's own slices and reshapes count references and check shapes, which takes longer than a small
layer's arithmetic.  These views are a pointer and a shape: whoever makes one keeps the array alive
and stays within it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WORD = ir.IntType(64)


@intrinsic
def word(_: Any, address: Any, place: Any) -> Any:
    """The ``place``-th of the 64-bit integers at a memory address."""
    del place  # numba looks at its type, and passes its value to ``generate``

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _word(builder, *arguments)

    return types.int64(address, types.int64), generate


@intrinsic
def vector_at(_: Any, address: Any, which: Any, like: Any) -> Any:
    """The array that the words from ``3 * which`` on tell of: its address, rows and columns.

    Its numbers are of the type of ``like``.
    """
    del which
    return types.Array(like, 1, "C")(address, types.int64, like), _told


@intrinsic
def matrix_at(_: Any, address: Any, which: Any, like: Any) -> Any:
    """The same, with its rows and columns."""
    del which
    return types.Array(like, 2, "C")(address, types.int64, like), _told


def _told(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    address, which, _ = arguments
    kind = signature.return_type
    first = builder.mul(which, WORD(3))
    at, *shape = (_word(builder, address, builder.add(first, WORD(k))) for k in range(1 + kind.ndim))
    data = builder.inttoptr(at, context.get_data_type(kind.dtype).as_pointer())
    return _array(context, builder, kind, data, shape)


def _word(builder: Any, address: Any, place: Any) -> Any:
    words = builder.inttoptr(address, WORD.as_pointer())
    return builder.load(builder.gep(words, [place]))


@intrinsic
def set_word(_: Any, address: Any, place: Any, value: Any) -> Any:
    """Write the ``place``-th of the 64-bit integers at a memory address."""
    del place, value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = builder.inttoptr(arguments[0], WORD.as_pointer())
        builder.store(arguments[2], builder.gep(words, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(address, types.int64, types.int64), generate


@intrinsic
def vector(_: Any, flat: Any, at: Any, count: Any) -> Any:
    """``flat[at : at + count]``."""
    del at, count
    signature = types.Array(flat.dtype, 1, "C")(flat, types.intp, types.intp)
    return signature, _view


@intrinsic
def matrix(_: Any, flat: Any, at: Any, rows: Any, columns: Any) -> Any:
    """``flat[at : at + rows * columns].reshape(rows, columns)``."""
    del at, rows, columns
    signature = types.Array(flat.dtype, 2, "C")(flat, types.intp, types.intp, types.intp)
    return signature, _view


def _view(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    flat, at, *shape = arguments
    source = context.make_array(signature.args[0])(context, builder, flat)
    data = builder.gep(source.data, [at])
    return _array(context, builder, signature.return_type, data, shape)


def _array(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    view = context.make_array(kind)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for size in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    context.populate_array(
        view,
        data=data,
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=itemsize,
        meminfo=None,
    )
    return view._getvalue()
