"""Rows of a flat array as a vector or a matrix, at no cost.

numba's own slices and reshapes count references and check shapes, which takes longer than a small
layer's arithmetic.  These views are a pointer and a shape: whoever makes one keeps the array alive
and stays within it.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic


@intrinsic
def vector(_: Any, flat: Any, at: Any, count: Any) -> Any:
    """``flat[at : at + count]``."""
    del at, count  # numba looks at their types, and passes their values to ``_view``
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
    view = context.make_array(signature.return_type)(context, builder)
    itemsize = context.get_constant(
        types.intp, context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
    )
    strides = [itemsize]
    for size in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    context.populate_array(
        view,
        data=builder.gep(source.data, [at]),
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=itemsize,
        meminfo=None,
    )
    return view._getvalue()
