"""One affine layer, z = u W^T + b, forward and backward.

With rows of samples u (rows, K), weights W (O, K), sums z (rows, O), and delta = dL/dz (rows, O):

    dL/dW = delta^T u        dL/db = sum of delta over the rows        dL/du = delta W

Small layers are plain loops, the inner one over numbers that lie side by side; large ones are
matrix products of the numerical library.  What a matrix is a view of comes with it: ``u, u_at`` is
a matrix (rows, K) that begins at ``u[u_at]``.
"""

from __future__ import annotations

from numba import njit

from nnintro.engines.backpropagation.elementary import INSIDE
from nnintro.engines.backpropagation.machine import gemm
from nnintro.engines.backpropagation.views import matrix, vector

LOOPS = {**INSIDE, "fastmath": {"contract", "reassoc", "nsz"}}
"""Sums may be added up in another order, by several at a time."""
LARGE = 128
"""Weights of a layer from which on products are the library's."""


@njit(**LOOPS)
def forward(library, p, W_at, b_at, u, u_at, z_at, rows, inputs, outputs):
    """z = u W^T + b; W and b stand in p, u and z in the array u."""
    b = vector(p, b_at, outputs)
    z = matrix(u, z_at, rows, outputs)
    if inputs * outputs > LARGE:
        for i in range(rows):
            for o in range(outputs):
                z[i, o] = b[o]
        gemm(library, False, True, rows, outputs, inputs, u, u_at, inputs, p, W_at, inputs, 1.0,
             u, z_at, outputs)  # fmt: skip
        return
    W, x = matrix(p, W_at, outputs, inputs), matrix(u, u_at, rows, inputs)
    if inputs == 1:
        for i in range(rows):
            only = x[i, 0]
            for o in range(outputs):
                z[i, o] = b[o] + only * W[o, 0]
    else:
        for i in range(rows):
            for o in range(outputs):
                total = b[o]
                for k in range(inputs):
                    total += W[o, k] * x[i, k]
                z[i, o] = total


@njit(**LOOPS)
def backward_weights(
    library, g, W_at, b_at, delta, delta_at, u, u_at, rows, inputs, outputs, first
):  # fmt: skip
    """Add delta^T u to dW and the sum of delta's rows to db; ``first``: they begin here."""
    d, x = matrix(delta, delta_at, rows, outputs), matrix(u, u_at, rows, inputs)
    dW, db = matrix(g, W_at, outputs, inputs), vector(g, b_at, outputs)
    large = inputs * outputs > LARGE
    if first:
        for o in range(outputs):
            db[o] = 0
            if not large:
                for k in range(inputs):
                    dW[o, k] = 0
    for i in range(rows):
        for o in range(outputs):
            db[o] += d[i, o]
    if large:
        gemm(library, True, False, outputs, inputs, rows, delta, delta_at, outputs, u, u_at,
             inputs, 0.0 if first else 1.0, g, W_at, inputs)  # fmt: skip
    elif inputs == 1:
        for i in range(rows):
            only = x[i, 0]
            for o in range(outputs):
                dW[o, 0] += d[i, o] * only
    else:
        for i in range(rows):
            for o in range(outputs):
                slope = d[i, o]
                for k in range(inputs):
                    dW[o, k] += slope * x[i, k]


@njit(**LOOPS)
def backward_inputs(
    library, p, W_at, delta, delta_at, below_at, scratch, scratch_at, rows, inputs, outputs
):  # fmt: skip
    """Turn the slopes s'(z) of the layer below into its delta: (delta W) * s'(z), the chain rule.

    ``scratch`` is working memory for a matrix (rows, K).
    """
    below = matrix(delta, below_at, rows, inputs)
    product = matrix(scratch, scratch_at, rows, inputs)
    if inputs * outputs > LARGE:
        gemm(library, False, False, rows, inputs, outputs, delta, delta_at, outputs, p, W_at,
             inputs, 0.0, scratch, scratch_at, inputs)  # fmt: skip
        for i in range(rows):
            for k in range(inputs):
                below[i, k] *= product[i, k]
        return
    d, W = matrix(delta, delta_at, rows, outputs), matrix(p, W_at, outputs, inputs)
    if outputs == 1:
        for i in range(rows):
            slope = d[i, 0]
            for k in range(inputs):
                below[i, k] *= slope * W[0, k]
    else:
        for i in range(rows):
            for k in range(inputs):
                product[i, k] = 0
            for o in range(outputs):
                slope = d[i, o]
                for k in range(inputs):
                    product[i, k] += slope * W[o, k]
            for k in range(inputs):
                below[i, k] *= product[i, k]
