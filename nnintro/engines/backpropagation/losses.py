"""The loss of a block of rows and its gradient dL/dy, where the backward pass begins.

Each function takes the outputs y (rows, outputs) and the slopes s'(z) of the output layer, of the
same shape, which it turns into delta = dL/dy * s'(z); it returns the block's mean loss.  Both are
times ``weight``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from nnintro.engines.backpropagation.codes import BINARY, MAE, MSE, MULTICLASS, PERCEPTRON
from nnintro.engines.backpropagation.elementary import PLAIN, exp, sigmoid


@njit(**PLAIN)
def loss_and_delta(code, one_hot, y, targets, delta, weight):
    """Dispatch; ``targets`` is (rows, outputs), or (rows, 1) class numbers where ``one_hot``."""
    if code == BINARY:
        return _binary(y, targets, delta, weight)
    if code == MULTICLASS:
        return _multiclass(y, targets, delta, weight)
    if code == PERCEPTRON:
        return _perceptron(y, targets, delta, weight)
    return _elementwise(code, one_hot, y, targets, delta, weight)


@njit(**PLAIN)
def _elementwise(code, one_hot, y, targets, delta, weight):
    """mse: r^2; mae: |r|; huber: r^2 / 2 within 1, |r| - 1/2 beyond; of the residual r = y - t."""
    kind = y.dtype.type
    rows, outputs = y.shape
    one, half, total = kind(1), kind(0.5), kind(0)
    share = kind(weight) / kind(rows * outputs)
    for i in range(rows):
        for o in range(outputs):
            if one_hot:
                target = one if targets[i, 0] == o else kind(0)
            else:
                target = targets[i, o]
            r = y[i, o] - target
            sign = np.sign(r)
            if code == MSE:
                total += r * r
                slope = kind(2) * r
            elif code == MAE:
                total += abs(r)
                slope = sign
            else:
                inside = abs(r) < one
                total += half * r * r if inside else abs(r) - half
                slope = r if inside else sign
            delta[i, o] *= share * slope
    return total * share


@njit(**PLAIN)
def _binary(y, targets, delta, weight):
    """-(t log s(y) + (1-t) log(1-s(y))) = max(y, 0) - t y + log(1 + e^-|y|); slope s(y) - t."""
    kind = y.dtype.type
    zero, total = kind(0), kind(0)
    share = kind(weight) / kind(len(y))
    for i in range(len(y)):
        z, target = y[i, 0], targets[i, 0]
        total += (z if z > zero else zero) - target * z + kind(math.log1p(exp(-abs(z)))) + zero * z
        delta[i, 0] *= share * (sigmoid(z) - target)
    return total * share


@njit(**PLAIN)
def _perceptron(y, targets, delta, weight):
    """max(0, -t y), t = -1 or 1; slope -t at a mistake, which y = 0 is where t = 1."""
    kind = y.dtype.type
    zero, total = kind(0), kind(0)
    share = kind(weight) / kind(len(y))
    for i in range(len(y)):
        z = y[i, 0]
        if targets[i, 0] > kind(0.5):
            if not z > zero:
                total -= z
                delta[i, 0] *= -share
            else:
                delta[i, 0] = zero
        elif not z <= zero:
            total += z
            delta[i, 0] *= share
        else:
            delta[i, 0] = zero
    return total * share


@njit(**PLAIN)
def _multiclass(y, targets, delta, weight):
    """log(sum of e^y_o) - y_class; its slope is softmax(y) - the one-hot vector."""
    kind = y.dtype.type
    total = kind(0)
    rows, outputs = y.shape
    share = kind(weight) / kind(rows)
    for i in range(rows):
        largest = y[i, 0]
        for o in range(outputs):
            largest = max(largest, y[i, o])
        norm = kind(0)
        for o in range(outputs):
            norm += exp(y[i, o] - largest) + kind(0) * y[i, o]
        label = int(targets[i, 0])
        total += kind(math.log(norm)) + largest - y[i, label]
        for o in range(outputs):
            hit = kind(1) if o == label else kind(0)
            delta[i, o] *= share * (exp(y[i, o] - largest) / norm - hit)
    return total * share
