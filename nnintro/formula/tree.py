"""The tree of a formula, and the way back from tree to text."""

from __future__ import annotations

from dataclasses import dataclass

from nnintro.formula.language import CONSTANTS

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
