"""The integer codes and the argument layout of the compiled kernel.

Does not import numba: callers of the machine code need only these numbers.
"""

from __future__ import annotations

ACTIVATIONS = (
    "identity", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus",
    "sine",
)  # fmt: skip
IDENTITY, STEP, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, SINE = range(11)

LOSSES = ("mse", "mae", "huber", "binary", "multiclass", "perceptron")
MSE, MAE, HUBER, BINARY, MULTICLASS, PERCEPTRON = range(6)

OPTIMIZERS = ("sgd", "adagrad", "rmsprop", "adam", "adamw")
SGD, ADAGRAD, RMSPROP, ADAM, ADAMW = range(5)

DONE, LOSS_IS_NOT_FINITE, PARAMETERS_ARE_NOT_FINITE = range(3)
"""How a call ends."""

LINE = 8
"""float64 numbers in a cache line: values written by two threads are at least this far apart."""
ARRAYS = (
    "parameters", "gradient", "one", "two", "widths", "codes", "offsets", "x", "t", "orders",
    "plan", "rates", "settings", "u", "delta", "scratch", "targets", "report", "found", "counters",
)  # fmt: skip
"""A call's arrays, in order: see ``descend``.  Each is passed as address, rows, columns."""
NUMBERS = (
    "loss", "one_hot", "optimizer", "start", "stop", "part", "until", "parts", "library",
    "yielding",
)  # fmt: skip
"""Its integers, behind the arrays."""
FIRST_NUMBER = 3 * len(ARRAYS)
MADE = FIRST_NUMBER + len(NUMBERS)
"""The word that receives the updates made in all."""
WORDS = MADE + 1
ENTRY = "descend"
"""The kernel's name in the machine code: (address of the words, clip) -> how it ended."""
