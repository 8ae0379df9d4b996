"""The grammar's functions and constants, the tree of a formula, and its conversion to text and to a value.

There is one way to evaluate a formula, over any kind of value: an algebra says what numbers and
operations mean, the tree in which order they are used.

    floats.py         one point at a time, plain Python: the reference, needs no torch
    tensors.py        all points at once, differentiable
    proofs/balls.py   rigorous enclosures of values and slopes; needs python-flint
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LECTURE = "0.2 + 0.4*x**2 + 0.3*x*sin(15*x) + 0.1*cos(50*x)"
"""The function that the lecture approximates; ``lecture`` alone as a formula names it."""
FUNCTIONS = (*("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh"), *("min", "max", "sign", "step", "floor"))
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


SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(1, 6)
"""How strongly an expression holds together, from loosest to tightest, as in Python."""


@dataclass(frozen=True)
class Number:
    """A constant: finite and not negative (``-2`` is the negative of 2)."""

    value: float

    def __str__(self) -> str:
        for name, value in CONSTANTS.items():
            if self.value == value:
                return name
        whole = self.value.is_integer() and self.value < 1e16
        return str(int(self.value)) if whole else repr(self.value)


@dataclass(frozen=True)
class Variable:
    """One of the inputs, counted from 0."""

    name: str
    index: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Call:
    """A function or an operator (see ``OPERATORS``) with what it is applied to.

    A whole chain of sums is one ``add``, so that a long series is wide and not deep.
    """

    function: str
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        return _render(self)[0]


Node = Number | Variable | Call


@dataclass(frozen=True)
class Formula:
    """A checked formula: its text, the variables it may use (in order), and its tree.

    ``str(formula.root)`` is text that parses to the same tree again.
    """

    text: str
    variables: tuple[str, ...]
    root: Node

    def __str__(self) -> str:
        return self.text


def _render(node: Node) -> tuple[str, int]:
    """Text of a node, and how strongly that text holds together."""
    if not isinstance(node, Call):
        return str(node), ATOM
    match node.function, node.arguments:
        case "add", (first, *others):
            return _held(first, PRODUCT) + "".join(map(_signed, others)), SUM
        case ("multiply" | "divide") as name, (left, right):
            mark = "*" if name == "multiply" else "/"
            return f"{_held(left, PRODUCT)}{mark}{_held(right, NEGATIVE)}", PRODUCT
        case "negative", (operand,):
            return f"-{_held(operand, NEGATIVE)}", NEGATIVE
        case "power", (base, exponent):
            return f"{_held(base, ATOM)}**{_held(exponent, NEGATIVE)}", POWER
        case name, arguments:
            return f"{name}({', '.join(map(str, arguments))})", ATOM
    raise AssertionError("unreachable: the last case takes everything")


def _held(node: Node, strength: int) -> str:
    """Text of a node, in parentheses unless it holds together at least this strongly."""
    text, own = _render(node)
    return text if own >= strength else f"({text})"


def _signed(term: Node) -> str:
    """A later term of a sum, with its sign."""
    if isinstance(term, Call) and term.function == "negative":
        return f" - {_held(term.arguments[0], PRODUCT)}"
    return f" + {_held(term, PRODUCT)}"


Value = TypeVar("Value")


@dataclass(frozen=True)
class Algebra(Generic[Value]):
    """The meaning of a formula's words: ``operations`` has every name of OPERATORS and FUNCTIONS.

    ``add``, ``min`` and ``max`` take two or more values, ``multiply``, ``divide`` and ``power`` two, the others one.
    """

    number: Callable[[float], Value]
    operations: Mapping[str, Callable[..., Value]]


def evaluate(formula: Formula, algebra: Algebra[Value], variables: Sequence[Value]) -> Value:
    """The value of a formula, given one value per variable.

    Raises:
        ValueError: the number of values is not the number of variables.
    """
    if len(variables) != len(formula.variables):
        raise ValueError(f"a formula of {len(formula.variables)} variables got {len(variables)} values")
    return _value(formula.root, algebra, variables)


def _value(node: Node, algebra: Algebra[Value], variables: Sequence[Value]) -> Value:
    # Plain recursion: parse lets no tree be deeper than MAX_DEPTH.
    if isinstance(node, Number):
        return algebra.number(node.value)
    if isinstance(node, Variable):
        return variables[node.index]
    values = [_value(argument, algebra, variables) for argument in node.arguments]
    return algebra.operations[node.function](*values)
