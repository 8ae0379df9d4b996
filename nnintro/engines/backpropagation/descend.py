"""Gradient descent by backpropagation: as many updates as are asked for in one compiled call."""

from __future__ import annotations

import math

from numba import njit

from nnintro.engines.backpropagation.activations import activate
from nnintro.engines.backpropagation.elementary import PLAIN
from nnintro.engines.backpropagation.layers import (
    LOOPS,
    backward_inputs,
    backward_weights,
    forward,
)
from nnintro.engines.backpropagation.losses import loss_and_delta
from nnintro.engines.backpropagation.updates import update
from nnintro.engines.backpropagation.views import matrix, vector

DONE, LOSS_IS_NOT_FINITE, PARAMETERS_ARE_NOT_FINITE = range(3)


@njit(**PLAIN)
def gradient_of_block(
    parameters, gradient, widths, codes, offsets, loss, one_hot, u, delta, scratch, t, rows, weight,
    first, capacity,
):  # fmt: skip
    """Add ``weight`` times the gradient of the block's mean loss; returns that part of the loss.

    Args:
        widths: (layers + 1,) inputs, hidden widths, outputs.
        codes: (layers,) activations.
        offsets: (layers, 2) where each layer's W and b begin in ``parameters``.
        loss, one_hot: see ``losses``.
        u: outputs of every layer, ``capacity`` rows each; the first holds the block's inputs.
        delta: of the same shape: first the slopes s'(z), then dL/dz.
        t: (rows, ...) the block's targets.
    """
    layers = len(codes)
    at = 0
    for layer in range(layers):  # forward: u_l = s_l(u_(l-1) W_l^T + b_l)
        inputs, outputs = widths[layer], widths[layer + 1]
        to = at + capacity * inputs
        W = matrix(parameters, offsets[layer, 0], outputs, inputs)
        b = vector(parameters, offsets[layer, 1], outputs)
        forward(W, b, matrix(u, at, rows, inputs), matrix(u, to, rows, outputs))
        activate(codes[layer], vector(u, to, rows * outputs), vector(delta, to, rows * outputs))
        at = to
    outputs = widths[layers]
    y, slopes = matrix(u, at, rows, outputs), matrix(delta, at, rows, outputs)
    total = loss_and_delta(loss, one_hot, y, t, slopes, weight)
    for layer in range(layers - 1, -1, -1):  # backward: delta_(l-1) = (delta_l W_l) * s'_(l-1)
        inputs, outputs = widths[layer], widths[layer + 1]
        to, at = at, at - capacity * inputs
        above = matrix(delta, to, rows, outputs)
        dW = matrix(gradient, offsets[layer, 0], outputs, inputs)
        db = vector(gradient, offsets[layer, 1], outputs)
        product = matrix(scratch, 0, outputs, inputs)
        backward_weights(above, matrix(u, at, rows, inputs), dW, db, product, first)
        if layer > 0:
            W = matrix(parameters, offsets[layer, 0], outputs, inputs)
            product = matrix(scratch, 0, rows, inputs)
            backward_inputs(above, W, matrix(delta, at, rows, inputs), product)
    return total


@njit(**LOOPS)
def length(gradient):
    """The Euclidean norm of the whole gradient."""
    total = 0.0
    for i in range(len(gradient)):
        total += float(gradient[i]) * float(gradient[i])
    return math.sqrt(total)


@njit(**PLAIN)
def take(x, t, order, start, u, targets):
    """Copy the rows ``order[start:]`` (or those from ``start`` on) to the block's place."""
    for i in range(len(u)):
        row = order[start + i] if len(order) else start + i
        for k in range(x.shape[1]):
            u[i, k] = x[row, k]
        for k in range(t.shape[1]):
            targets[i, k] = t[row, k]


@njit(cache=True, nogil=True, **PLAIN)
def descend(
    parameters, gradient, one, two, widths, codes, offsets, loss, one_hot, x, t, orders, plan,
    rates, optimizer, settings, clip, start, stop, u, delta, scratch, targets, report,
):  # fmt: skip
    """Make updates ``start`` to ``stop``; returns how it ended, and the updates made in all.

    Args:
        parameters, gradient, one, two: (parameters,) the network's, flat; ``one`` and ``two``
            are the optimizer's memory.
        x, t: (samples, inputs) and (samples, targets), the training data.
        orders: (epochs, samples), the order of each epoch from that of ``start`` on; (epochs, 0)
            for the data's own.
        plan: (updates in an epoch, samples, samples in a block, blocks in an update).
        rates: (stop - start,) learning rates.
        clip: the longest gradient allowed, 0 for any.
        u, delta, scratch, targets: working memory for one block.
        report: (2,) receives the last update's gradient norm, before clipping, and its loss.
    """
    per_epoch, samples, size, blocks = plan[0], plan[1], plan[2], plan[3]
    inputs, first_epoch = widths[0], start // per_epoch
    for step in range(start, stop):
        order = orders[step // per_epoch - first_epoch]
        begin = step % per_epoch * size
        total = 0.0
        for block in range(blocks):
            low = begin + block * size
            high = min(low + size, samples)
            rows = high - low
            wanted = matrix(targets, 0, rows, t.shape[1])
            take(x, t, order, low, matrix(u, 0, rows, inputs), wanted)
            weight = rows / samples if blocks > 1 else 1.0
            total += gradient_of_block(
                parameters, gradient, widths, codes, offsets, loss, one_hot, u, delta, scratch,
                wanted, rows, weight, block == 0, size,
            )  # fmt: skip
        report[1] = total
        if not math.isfinite(total):
            return LOSS_IS_NOT_FINITE, step
        if clip > 0 or step == stop - 1:
            report[0] = length(gradient)
        if clip > 0:
            factor = clip / (report[0] + 1e-6)
            if factor < 1:
                for i in range(len(gradient)):
                    gradient[i] *= factor
        check = update(
            optimizer, settings, rates[step - start], step + 1, parameters, gradient, one, two
        )  # fmt: skip
        if check != 0:
            return PARAMETERS_ARE_NOT_FINITE, step
    return DONE, stop
