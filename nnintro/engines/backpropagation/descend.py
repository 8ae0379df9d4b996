"""Gradient descent by backpropagation: any number of updates in one compiled call."""

from __future__ import annotations

import math

from numba import njit

from nnintro.engines.backpropagation.activations import activate
from nnintro.engines.backpropagation.codes import DONE, LINE, LOSS_IS_NOT_FINITE, PARAMETERS_ARE_NOT_FINITE
from nnintro.engines.backpropagation.elementary import PLAIN
from nnintro.engines.backpropagation.layers import LOOPS, backward_inputs, backward_weights, forward
from nnintro.engines.backpropagation.losses import loss_and_delta
from nnintro.engines.backpropagation.together import add_up, meet, share, share_of_parameters, sum_of
from nnintro.engines.backpropagation.updates import update
from nnintro.engines.backpropagation.views import matrix, vector

LOSS, CHECK = range(2)
"""What every part finds out for all: its rows' loss, and whether its parameters are finite."""


@njit(**PLAIN)
def gradient_of_rows(
    library, parameters, gradient, widths, codes, offsets, loss, one_hot, u, delta, scratch,
    targets, low, rows, weight, capacity, first,
):  # fmt: skip
    """Add ``weight`` times the gradient of the mean loss over ``rows`` of the memory's rows.

    Returns that part of the loss.

    Args:
        library: the address of BLAS's matrix product.
        widths: (layers + 1,) inputs, hidden widths, outputs.
        codes: (layers,) activations.
        offsets: (layers, 2) where each layer's W and b begin in ``parameters``.
        loss, one_hot: see ``losses``.
        u: outputs of every layer, ``capacity`` rows each; the first holds the samples' inputs.
        delta: of the same shape: first the slopes s'(z), then dL/dz.
        targets: the samples' targets.
        low: the first of the memory's rows that are meant.
        first: whether the gradient begins here, or is added to.
    """
    layers, kinds, widest = len(codes), len(targets) // capacity, len(scratch) // capacity
    at = 0
    for layer in range(layers):  # forward: u_l = s_l(u_(l-1) W_l^T + b_l)
        inputs, outputs = widths[layer], widths[layer + 1]
        to = at + capacity * inputs
        z = to + low * outputs
        forward(library, parameters, offsets[layer, 0], offsets[layer, 1], u, at + low * inputs,
                z, rows, inputs, outputs)  # fmt: skip
        activate(codes[layer], vector(u, z, rows * outputs), vector(delta, z, rows * outputs))
        at = to
    outputs = widths[layers]
    here = at + low * outputs
    y, slopes = matrix(u, here, rows, outputs), matrix(delta, here, rows, outputs)
    t = matrix(targets, low * kinds, rows, kinds)
    found = loss_and_delta(loss, one_hot, y, t, slopes, weight)
    for layer in range(layers - 1, -1, -1):  # backward: delta_(l-1) = (delta_l W_l) * s'_(l-1)
        inputs, outputs = widths[layer], widths[layer + 1]
        to, at = at, at - capacity * inputs
        above, below = to + low * outputs, at + low * inputs
        backward_weights(library, gradient, offsets[layer, 0], offsets[layer, 1], delta, above, u,
                         below, rows, inputs, outputs, first)  # fmt: skip
        if layer > 0:
            backward_inputs(library, parameters, offsets[layer, 0], delta, above, below, scratch,
                            low * widest, rows, inputs, outputs)  # fmt: skip
    return found


@njit(**LOOPS)
def length(gradient):
    """The Euclidean norm of the whole gradient."""
    squares = 0.0
    for i in range(len(gradient)):
        squares += float(gradient[i]) * float(gradient[i])
    return math.sqrt(squares)


@njit(**PLAIN)
def take(x, t, order, start, u, targets):
    """Copy the rows ``order[start:]`` (or those from ``start`` on) to the block's place."""
    for i in range(len(u)):
        row = order[start + i] if len(order) else start + i
        for k in range(x.shape[1]):
            u[i, k] = x[row, k]
        for k in range(t.shape[1]):
            targets[i, k] = t[row, k]


@njit(**PLAIN)
def gradient_of_update(
    library, parameters, gradient, widths, codes, offsets, loss, one_hot, x, t, order, begin, plan,
    u, delta, scratch, targets, part, parts,
):  # fmt: skip
    """One part's share of an update's gradient, over its share of the rows of every block.

    It goes through them a tile at a time, few enough that what is known of them stays in the cache.
    A part may be a block ahead of another: each has a tile of its own in the working memory.
    """
    samples, size, blocks, tile = plan[1], plan[2], plan[3], plan[4]
    inputs, kinds, empty, found = widths[0], t.shape[1], True, 0.0
    here, capacity = part * tile, parts * tile
    for block in range(blocks):
        start = begin + block * size
        rows = min(start + size, samples) - start
        share_of_block = rows / samples if blocks > 1 else 1.0
        low, high = share(rows, part, parts), share(rows, part + 1, parts)
        while low < high:
            some = min(tile, high - low)
            take(x, t, order, start + low, matrix(u, here * inputs, some, inputs),
                 matrix(targets, here * kinds, some, kinds))  # fmt: skip
            found += gradient_of_rows(
                library, parameters, gradient, widths, codes, offsets, loss, one_hot, u, delta,
                scratch, targets, here, some, share_of_block * (some / rows), capacity, empty,
            )  # fmt: skip
            empty = False
            low += some
    if empty:  # fewer rows than parts
        for i in range(len(gradient)):
            gradient[i] = 0
    return found


@njit(**PLAIN)
def descend(
    parameters, gradient, one, two, widths, codes, offsets, x, t, orders, plan, rates, settings,
    u, delta, scratch, targets, report, found, counters, loss, one_hot, optimizer, start, stop,
    part, until, parts, library, yielding, clip,
):  # fmt: skip
    """Make updates ``start`` to ``stop``; returns how it ended, and the updates made in all.

    An update has ``parts`` parts, each a share of every block's rows and then a share of the
    parameters.  Called by one thread for all of them, or by as many at once, on the same arrays.

    Args:
        parameters, one, two: (parameters,) the network's, flat; ``one`` and ``two`` are the
            optimizer's memory.
        gradient: (parts * parameters,) what each part adds up.
        x, t: (samples, inputs) and (samples, targets), the training data.
        orders: (epochs, samples), the order of each epoch from that of ``start`` on; (epochs, 0)
            for the data's own.
        plan: (updates in an epoch, samples, samples in a block, blocks in an update, in a tile).
        rates: (stop - start,) learning rates.
        u, delta, scratch, targets: working memory for a tile of every part.
        report: (2,) receives the last update's gradient norm, before clipping, and its loss.
        found: (parts * LINE,) what the parts tell each other.
        counters: (1,) arrivals at meetings; 0 to begin with.
        part, until: the parts of this thread.
        clip: the longest gradient allowed, 0 for any.
    """
    per_epoch, size, total, met = plan[0], plan[2], len(parameters), 0
    threads = parts if until - part == 1 else 1
    low = share_of_parameters(total, part, parts)
    count = share_of_parameters(total, until, parts) - low
    kept_one, kept_two = min(count, len(one)), min(count, len(two))
    for step in range(start, stop):
        for of in range(part, until):
            found[of * LINE + LOSS] = gradient_of_update(
                library, parameters, vector(gradient, of * total, total), widths, codes, offsets,
                loss, one_hot, x, t, orders[step // per_epoch - start // per_epoch],
                step % per_epoch * size, plan, u, delta, scratch, targets, of, parts,
            )  # fmt: skip
        met = meet(counters, threads, met, yielding)
        loss_of_all = sum_of(found, LOSS, parts)
        if part == 0:
            report[1] = loss_of_all
        if not math.isfinite(loss_of_all):
            return LOSS_IS_NOT_FINITE, step
        add_up(gradient, total, low, count, parts)
        shrink = 1.0
        if clip > 0 or step == stop - 1:
            met = meet(counters, threads, met, yielding)
            norm = length(vector(gradient, 0, total))
            if part == 0:
                report[0] = norm
            if clip > 0:
                shrink = min(clip / (norm + 1e-6), 1.0)
        found[part * LINE + CHECK] = update(
            optimizer, settings, rates[step - start], step + 1, shrink,
            vector(parameters, low, count), vector(gradient, low, count),
            vector(one, min(low, len(one)), kept_one), vector(two, min(low, len(two)), kept_two),
        )  # fmt: skip
        met = meet(counters, threads, met, yielding)
        if sum_of(found, CHECK, threads) != 0:
            return PARAMETERS_ARE_NOT_FINITE, step
    return DONE, stop
