"""The tables of activations and losses: value and derivative as numpy, and as the formula that a reader sees.

Everything is float64. At a kink the derivative is torch's choice among the subgradients, so that an update is the one
that training makes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""Of float64; class numbers are int64."""


@dataclass(frozen=True)
class Activation:
    """u = s(z) of every neuron by itself."""

    value: Callable[[Array], Array]
    """z -> s(z)."""
    slope: Callable[[Array, Array], Array]
    """(z, u = s(z)) -> s'(z)."""
    formula: str
    """Of s(z)."""
    slope_formula: str
    """Of s'(z), in z and u."""


def logistic(z: Array) -> Array:
    """1/(1 + e^-z), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -z)))


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _normal(z: Array) -> Array:
    """P(z), the share of a standard normal distribution below z."""
    return np.asarray((1 + _erf(z / math.sqrt(2))) / 2)


def _bell(z: Array) -> Array:
    """P'(z)."""
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def _silu_slope(z: Array, u: Array) -> Array:
    p = logistic(z)
    return np.asarray(p + u * (1 - p))


def _softplus(z: Array) -> Array:
    # torch takes z itself above 20, where e^-z is 2e-9: more than the rounding that the check allows.
    return np.where(z > 20, z, np.log1p(np.exp(np.minimum(z, 20))))


_P = "p = 1/(1 + e^-z)"
LEAK = 0.01
"""leaky_relu's slope below 0."""

ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(lambda z: z, lambda z, _: np.ones_like(z), "z", "1"),
    "step": Activation(lambda z: 1.0 * (z > 0), lambda z, _: np.zeros_like(z), "1 if z > 0, else 0", "0"),
    "sigmoid": Activation(logistic, lambda _, u: u * (1 - u), "1/(1 + e^-z)", "u (1 - u)"),
    "tanh": Activation(np.tanh, lambda _, u: 1 - u**2, "tanh(z)", "1 - u^2"),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda z, _: 1.0 * (z > 0), "max(0, z)", "1 if z > 0, else 0"),
    "leaky_relu": Activation(
        lambda z: np.where(z > 0, z, LEAK * z),
        lambda z, _: np.where(z > 0, 1.0, LEAK),
        "z if z > 0, else 0.01 z",
        "1 if z > 0, else 0.01",
    ),
    "elu": Activation(
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z, _: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0))),
        "z if z > 0, else e^z - 1",
        "1 if z > 0, else e^z",
    ),
    "gelu": Activation(
        lambda z: z * _normal(z),
        lambda z, _: _normal(z) + z * _bell(z),
        "z P(z), P(z) = (1 + erf(z/sqrt(2)))/2",
        "P(z) + z P'(z), P'(z) = e^(-z^2/2)/sqrt(2 pi)",
    ),
    "silu": Activation(lambda z: z * logistic(z), _silu_slope, f"z p, {_P}", f"p + u (1 - p), {_P}"),
    "softplus": Activation(
        _softplus, lambda z, _: np.where(z > 20, 1.0, logistic(z)), "log(1 + e^z), above 20 z itself", "1/(1 + e^-z)"
    ),
    "sine": Activation(np.sin, lambda z, _: np.cos(z), "sin(z)", "cos(z)"),
}


@dataclass(frozen=True)
class Given:
    """A letter in a loss's formulas that is neither y nor t."""

    left: str
    right: str
    value: Callable[[Array, Array], Array]
    """(y, t) -> its numbers, (rows, outputs)."""


@dataclass(frozen=True)
class Loss:
    """L = the mean of l over the samples, and over the outputs too where each has an l of its own."""

    each: Callable[[Array, Array], Array]
    """(y (rows, outputs), t) -> l, (rows, outputs), or (rows, 1) where the outputs of a row have one together."""
    slope: Callable[[Array, Array], Array]
    """(y, t) -> dl/dy, (rows, outputs)."""
    formula: str
    """Of l."""
    slope_formula: str
    """Of dl/dy."""
    given: tuple[Given, ...] = ()
    """What is computed before l."""
    slope_words: tuple[str, ...] = ()
    """What the letters mean that are in the slope's formula alone."""


def one_hot(t: Array, classes: int) -> Array:
    """Class numbers (rows,) -> (rows, classes): 1 in the column of the class, else 0."""
    return np.asarray(np.eye(classes)[t])


def _huber(y: Array, t: Array) -> Array:
    r = np.abs(y - t)
    return np.asarray(np.where(r < 1, r**2 / 2, r - 0.5))


def _sign_of_class(t: Array) -> Array:
    return 2 * t - 1


def _softmax(y: Array) -> Array:
    powers = np.exp(y - y.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _cross_entropy(y: Array, t: Array) -> Array:
    """log(sum of e^y) - y_t: (rows, classes) and (rows,) -> (rows, 1)."""
    largest = y.max(1, keepdims=True)
    each = largest + np.log(np.exp(y - largest).sum(1, keepdims=True)) - np.take_along_axis(y, t[:, None], 1)
    return np.asarray(each)


MSE = Loss(lambda y, t: (y - t) ** 2, lambda y, t: 2 * (y - t), "(y - t)^2", "2 (y - t)")
MAE = Loss(lambda y, t: np.abs(y - t), lambda y, t: np.sign(y - t), "|y - t|", "1 where y > t, -1 where y < t, else 0")
HUBER = Loss(
    _huber,
    lambda y, t: np.clip(y - t, -1.0, 1.0),
    "r^2/2 if |r| < 1, else |r| - 1/2",
    "r, cut off at -1 and 1",
    given=(Given("r", "y - t", lambda y, t: y - t),),
)
TWO_CLASSES = Loss(
    lambda y, t: np.logaddexp(0.0, y) - t * y,
    lambda y, t: logistic(y) - t,
    "-(t log p + (1 - t) log(1 - p))",
    "p - t",
    given=(Given("p", "1/(1 + e^-y), the probability of class 1", lambda y, _: logistic(y)),),
)
SEVERAL_CLASSES = Loss(
    _cross_entropy,
    lambda y, t: _softmax(y) - one_hot(t, y.shape[1]),
    "-log p_t",
    "p - e_t",
    given=(Given("p", "e^y / (sum of the row's e^y), the probability of each class", lambda y, _: _softmax(y)),),
    slope_words=("e_t: 1 in the column of class t, else 0",),
)

PERCEPTRON = Loss(
    lambda y, t: np.maximum(0.0, -_sign_of_class(t) * y),
    lambda y, t: np.where((y > 0) == (t > 0.5), 0.0, -_sign_of_class(t)),
    "max(0, -c y)",
    "-c where the class is wrong (1 is y > 0), else 0",
    given=(Given("c", "2 t - 1, the class as -1 or 1", lambda _, t: _sign_of_class(t)),),
)


def against_one_hot(loss: Loss) -> Loss:
    """A loss of values between the outputs and the one-hot row of the class."""

    def of_row(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
        return lambda y, t: function(y, one_hot(t, y.shape[1]))

    row = Given("t", "1 in the column of the class, else 0", of_row(lambda _, t: t))
    given = [replace(letter, value=of_row(letter.value)) for letter in loss.given]
    return replace(loss, each=of_row(loss.each), slope=of_row(loss.slope), given=(row, *given))


LOSSES: dict[str, tuple[Loss, Loss]] = {
    "mse": (MSE, against_one_hot(MSE)),
    "mae": (MAE, against_one_hot(MAE)),
    "huber": (HUBER, against_one_hot(HUBER)),
    "cross_entropy": (TWO_CLASSES, SEVERAL_CLASSES),
    "bce": (TWO_CLASSES, SEVERAL_CLASSES),
    "perceptron": (PERCEPTRON, against_one_hot(PERCEPTRON)),
}
"""name -> the loss of targets that are values (0 or 1 of two classes), and that of class numbers."""
