"""Activations: the output u = s(z) of a neuron and the slope s'(z) for backpropagation.

The definitions are torch's, at the kinks too: relu'(0) = 0, leaky_relu'(0) = 0.01.
"""

from __future__ import annotations

import math

from numba import njit

from nnintro.engines.backpropagation.codes import (
    ELU,
    GELU,
    IDENTITY,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    SILU,
    SINE,
    SOFTPLUS,
    STEP,
    TANH,
)
from nnintro.engines.backpropagation.elementary import PLAIN, exp, sigmoid, tanh


@njit(**PLAIN)
def activate(code, u, slope):
    """Replace the sums z in ``u`` by s(z), and put s'(z) into ``slope``; both are vectors."""
    kind = u.dtype.type
    zero, one = kind(0), kind(1)
    if code == IDENTITY:
        for i in range(len(u)):
            slope[i] = one
    elif code == STEP:  # I{z > 0}: flat on both sides
        for i in range(len(u)):
            u[i] = one if u[i] > zero else u[i] * zero
            slope[i] = zero
    elif code == SIGMOID:  # s' = s (1 - s)
        for i in range(len(u)):
            s = sigmoid(u[i])
            u[i] = s
            slope[i] = s * (one - s)
    elif code == TANH:  # s' = 1 - s^2
        for i in range(len(u)):
            s = tanh(u[i])
            u[i] = s
            slope[i] = one - s * s
    elif code == RELU:
        for i in range(len(u)):
            z = u[i]
            u[i] = zero if z < zero else z
            slope[i] = one if z > zero else zero
    elif code == LEAKY_RELU:
        for i in range(len(u)):
            z = u[i]
            slope[i] = one if z > zero else kind(0.01)
            u[i] = z * slope[i]
    elif code == ELU:  # e^z - 1 on the left
        for i in range(len(u)):
            z = u[i]
            left = exp(z if z < zero else zero)
            u[i] = z if z > zero else left - one + zero * z
            slope[i] = one if z > zero else left
    else:
        _activate_smoothly(code, u, slope)


@njit(**PLAIN)
def _activate_smoothly(code, u, slope):
    """Those that need functions of the C library, one value at a time."""
    kind = u.dtype.type
    one, half = kind(1), kind(0.5)
    if code == GELU:  # z P(Z < z) of a standard normal Z
        for i in range(len(u)):
            z = u[i]
            below = half * (one + kind(math.erf(z * kind(math.sqrt(0.5)))))
            u[i] = z * below
            slope[i] = below + z * exp(-half * z * z) * kind(1 / math.sqrt(2 * math.pi))
    elif code == SILU:  # z s(z)
        for i in range(len(u)):
            z = u[i]
            s = sigmoid(z)
            u[i] = z * s
            slope[i] = s * (one + z * (one - s))
    elif code == SOFTPLUS:  # log(1 + e^z), by torch z itself beyond 20; its slope is the sigmoid
        for i in range(len(u)):
            z = u[i]
            beyond = z > kind(20)
            slope[i] = one if beyond else sigmoid(z)
            u[i] = z if beyond else kind(math.log1p(exp(z)))
    elif code == SINE:
        for i in range(len(u)):
            z = u[i]
            u[i] = kind(math.sin(z))
            slope[i] = kind(math.cos(z))
