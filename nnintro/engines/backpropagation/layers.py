"""One affine layer, z = u W^T + b, forward and backward.

With rows of samples u (rows, K), weights W (O, K), sums z (rows, O), and delta = dL/dz (rows, O):

    dL/dW = delta^T u        dL/db = sum of delta over the rows        dL/du = delta W

Small layers are plain loops, the inner one over numbers that lie side by side; large ones are
matrix products of the numerical library.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LOOPS = {"error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}, "forceinline": True}
"""Sums may be added up in another order, by several at a time."""

LARGE = 128
"""Weights of a layer from which on products are the library's."""


@njit(**LOOPS)
def forward(W, b, u, z):
    """z = u W^T + b."""
    rows, outputs, inputs = len(z), W.shape[0], W.shape[1]
    if inputs * outputs > LARGE:
        np.dot(u, W.T, z)
        for i in range(rows):
            for o in range(outputs):
                z[i, o] += b[o]
    elif inputs == 1:
        for i in range(rows):
            x = u[i, 0]
            for o in range(outputs):
                z[i, o] = b[o] + x * W[o, 0]
    else:
        for i in range(rows):
            for o in range(outputs):
                total = b[o]
                for k in range(inputs):
                    total += W[o, k] * u[i, k]
                z[i, o] = total


@njit(**LOOPS)
def backward_weights(delta, u, dW, db, product, first):
    """Add delta^T u to dW and the sum of delta's rows to db; ``first``: they begin here.

    ``product`` is working memory, as large as dW.
    """
    rows, outputs, inputs = len(delta), dW.shape[0], dW.shape[1]
    large = inputs * outputs > LARGE
    if first:
        for o in range(outputs):
            db[o] = 0
            if not large:
                for k in range(inputs):
                    dW[o, k] = 0
    for i in range(rows):
        for o in range(outputs):
            db[o] += delta[i, o]
    if large:
        np.dot(delta.T, u, dW if first else product)
        if not first:
            for o in range(outputs):
                for k in range(inputs):
                    dW[o, k] += product[o, k]
    elif inputs == 1:
        for i in range(rows):
            x = u[i, 0]
            for o in range(outputs):
                dW[o, 0] += delta[i, o] * x
    else:
        for i in range(rows):
            for o in range(outputs):
                d = delta[i, o]
                for k in range(inputs):
                    dW[o, k] += d * u[i, k]


@njit(**LOOPS)
def backward_inputs(delta, W, below, product):
    """Turn the slopes s'(z) of the layer below into its delta: (delta W) * s'(z), the chain rule.

    ``product`` is working memory, as large as ``below``.
    """
    rows, outputs, inputs = len(delta), W.shape[0], W.shape[1]
    if inputs * outputs > LARGE:
        np.dot(delta, W, product)
        for i in range(rows):
            for k in range(inputs):
                below[i, k] *= product[i, k]
    elif outputs == 1:
        for i in range(rows):
            d = delta[i, 0]
            for k in range(inputs):
                below[i, k] *= d * W[0, k]
    else:
        for i in range(rows):
            for k in range(inputs):
                product[i, k] = 0
            for o in range(outputs):
                d = delta[i, o]
                for k in range(inputs):
                    product[i, k] += d * W[o, k]
            for k in range(inputs):
                below[i, k] *= product[i, k]
