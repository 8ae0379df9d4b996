"""The optimizers: torch.optim's equations, applied to all parameters.

Every function returns 0 where all new parameters are finite, and NaN otherwise.
"""

from __future__ import annotations

import math

from numba import njit

from nnintro.engines.backpropagation.codes import ADAGRAD, ADAMW, RMSPROP, SGD
from nnintro.engines.backpropagation.layers import LOOPS


@njit(**LOOPS)
def update(code, settings, rate, step, shrink, p, g, one, two):
    """The parameters p move along their gradient g; ``one`` and ``two`` are the optimizer's memory.

    Args:
        settings: weight_decay, momentum, nesterov, epsilon, first, second (the decay rates of the two memories).
        step: updates made, this one counted in.
        shrink: what the gradient is multiplied by, 1 unless it was clipped.
    """
    decay, momentum, nesterov = settings[0], settings[1], settings[2] != 0
    shrink = p.dtype.type(shrink)
    if code == SGD:
        return _sgd(rate, decay, momentum, nesterov, shrink, p, g, one)
    if code == ADAGRAD:
        return _adagrad(rate, decay, settings[3], shrink, p, g, one)
    if code == RMSPROP:
        return _rmsprop(rate, decay, momentum, settings[3], settings[4], shrink, p, g, one, two)
    return _adam(code == ADAMW, rate, decay, settings, step, shrink, p, g, one, two)


@njit(**LOOPS)
def _sgd(rate, decay, momentum, nesterov, shrink, p, g, velocity):
    """v <- m v + g;  p <- p - rate v (Polyak, 1964); Nesterov's: p <- p - rate (g + m v)."""
    kind = p.dtype.type
    rate, decay, momentum, check = kind(rate), kind(decay), kind(momentum), kind(0)
    if momentum == 0:
        for i in range(len(p)):
            p[i] -= rate * (shrink * g[i] + decay * p[i])
            check += p[i] * kind(0)
    else:
        look_ahead = momentum if nesterov else kind(0)
        weight = kind(0) if not nesterov else kind(1)
        for i in range(len(p)):
            gradient = shrink * g[i] + decay * p[i]
            v = momentum * velocity[i] + gradient
            velocity[i] = v
            along = weight * gradient + look_ahead * v if nesterov else v
            p[i] -= rate * along
            check += p[i] * kind(0)
    return check


@njit(**LOOPS)
def _adagrad(rate, decay, epsilon, shrink, p, g, total):
    """G <- G + g^2;  p <- p - rate g / (sqrt(G) + eps) (Duchi and others, 2011)."""
    kind = p.dtype.type
    rate, decay, epsilon, check = kind(rate), kind(decay), kind(epsilon), kind(0)
    for i in range(len(p)):
        gradient = shrink * g[i] + decay * p[i]
        total[i] += gradient * gradient
        p[i] -= rate * gradient / (math.sqrt(total[i]) + epsilon)
        check += p[i] * kind(0)
    return check


@njit(**LOOPS)
def _rmsprop(rate, decay, momentum, epsilon, smoothing, shrink, p, g, square, velocity):
    """S <- a S + (1-a) g^2;  p <- p - rate g / (sqrt(S) + eps) (Tieleman and Hinton, 2012)."""
    kind = p.dtype.type
    keep, add = kind(smoothing), kind(1 - smoothing)
    rate, decay, epsilon, check = kind(rate), kind(decay), kind(epsilon), kind(0)
    momentum = kind(momentum)
    for i in range(len(p)):
        gradient = shrink * g[i] + decay * p[i]
        square[i] = keep * square[i] + add * gradient * gradient
        along = gradient / (math.sqrt(square[i]) + epsilon)
        if momentum != 0:
            along += momentum * velocity[i]
            velocity[i] = along
        p[i] -= rate * along
        check += p[i] * kind(0)
    return check


@njit(**LOOPS)
def _adam(decoupled, rate, decay, settings, step, shrink, p, g, mean, square):
    """m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g^2;  p <- p - rate m^ / (sqrt(v^) + eps).

    m^ = m / (1 - b1^step), v^ = v / (1 - b2^step) (Kingma and Ba, 2015).  ``decoupled``: the
    weights decay by themselves (Loshchilov and Hutter, 2019), not through the gradient.
    """
    kind = p.dtype.type
    epsilon, first, second = kind(settings[3]), settings[4], settings[5]
    size = kind(rate / (1 - math.pow(first, step)))
    root = kind(1 / math.sqrt(1 - math.pow(second, step)))
    add1, keep2, add2, check = kind(1 - first), kind(second), kind(1 - second), kind(0)
    keep = kind(1 - rate * decay) if decoupled else kind(1)
    penalty = kind(0) if decoupled else kind(decay)
    for i in range(len(p)):
        value = keep * p[i]
        gradient = shrink * g[i] + penalty * value
        m = mean[i] + add1 * (gradient - mean[i])
        v = keep2 * square[i] + add2 * gradient * gradient
        mean[i] = m
        square[i] = v
        p[i] = value - size * m / (math.sqrt(v) * root + epsilon)
        check += p[i] * kind(0)
    return check
