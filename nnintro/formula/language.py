"""What a formula may say: its names, its limits, and the one error it can be refused with."""

from __future__ import annotations

import math

LECTURE = "0.2 + 0.4*x**2 + 0.3*x*sin(15*x) + 0.1*cos(50*x)"
"""The function that the lecture approximates; ``lecture`` alone as a formula names it."""

FUNCTIONS = (
    *("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh"),
    *("min", "max", "sign", "step", "floor"),
)
"""Names a formula may call. ``log`` is the natural one; ``step(z)`` is 1 where z > 0, else 0."""

OF_SEVERAL = frozenset({"min", "max"})
"""Functions of two or more arguments; all others take one."""

OPERATORS = ("add", "multiply", "divide", "power", "negative")
"""What ``+ * / ** -`` become. A difference is a sum with a negative term: a - b = a + (-b)."""

CONSTANTS = {"pi": math.pi, "e": math.e}

MAX_LENGTH = 2_000
MAX_DEPTH = 100


class FormulaError(ValueError):
    """A formula that cannot be used: what is wrong, and the column (from 1; None for the whole)."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message, column)
        self.message = message
        self.column = column

    def __str__(self) -> str:
        return self.message if self.column is None else f"column {self.column}: {self.message}"


def variable_names(inputs: int) -> tuple[str, ...]:
    """``("x",)`` for one input, ``("x1", ..., "xd")`` for several."""
    if inputs < 1:
        raise ValueError(f"a formula needs at least one input, got {inputs}")
    return ("x",) if inputs == 1 else tuple(f"x{number}" for number in range(1, inputs + 1))
