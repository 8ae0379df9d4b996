"""One way to evaluate a formula, over any kind of value.

An algebra says what numbers and operations mean; the tree says in which order they are used.

    floats.py     one point at a time, plain Python: the reference, needs no torch
    tensors.py    all points at once, differentiable
    balls.py      rigorous enclosures of values and slopes; needs python-flint
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from nnintro.formula.tree import Formula, Node, Number, Variable

Value = TypeVar("Value")


@dataclass(frozen=True)
class Algebra(Generic[Value]):
    """The meaning of a formula's words: ``operations`` has every name of OPERATORS and FUNCTIONS.

    ``add``, ``min`` and ``max`` take two or more values, ``multiply``, ``divide`` and ``power``
    two, the others one.
    """

    number: Callable[[float], Value]
    operations: Mapping[str, Callable[..., Value]]


def evaluate(formula: Formula, algebra: Algebra[Value], variables: Sequence[Value]) -> Value:
    """The value of a formula, given one value per variable.

    Raises:
        ValueError: the number of values is not the number of variables.
    """
    if len(variables) != len(formula.variables):
        raise ValueError(
            f"a formula of {len(formula.variables)} variables got {len(variables)} values"
        )
    return _value(formula.root, algebra, variables)


def _value(node: Node, algebra: Algebra[Value], variables: Sequence[Value]) -> Value:
    # Plain recursion: parse lets no tree be deeper than MAX_DEPTH.
    if isinstance(node, Number):
        return algebra.number(node.value)
    if isinstance(node, Variable):
        return variables[node.index]
    values = [_value(argument, algebra, variables) for argument in node.arguments]
    return algebra.operations[node.function](*values)
