"""Text -> checked tree.

Nothing is ever run: Python's own parser only says how the words belong together, and of what it
can say only the handful of kinds below are taken.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from nnintro.formula.scan import scan
from nnintro.formula.tree import (
    CONSTANTS,
    FUNCTIONS,
    LECTURE,
    MAX_DEPTH,
    MAX_LENGTH,
    OF_SEVERAL,
    Call,
    Formula,
    FormulaError,
    Node,
    Number,
    Variable,
    variable_names,
)

BLANKS = str.maketrans("\t\r\n", "   ")
TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
BINARY: dict[type[ast.operator], str] = {ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}


def parse(text: str, inputs: int | Sequence[str]) -> Formula:
    """Read a formula of ``x`` (one input), of ``x1`` to ``xd`` (several), or of names of your own.

    ``lecture`` alone names the lecture's function of one input. Line ends count as spaces, and
    every number is read as a float.

    Raises:
        FormulaError: the text is not a formula; with the column where, if there is one.
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"longer than {MAX_LENGTH:,} characters")
    variables = variable_names(inputs) if isinstance(inputs, int) else tuple(inputs)
    blanked = text.translate(BLANKS)  # character for character, so that columns stay true
    source = blanked.strip(" ")
    if not source:
        raise FormulaError("the formula is empty")
    if source == "lecture":
        if len(variables) != 1:
            raise FormulaError(f"'lecture' is a function of 1 input, not of {len(variables)}", 1)
        return Formula("lecture", variables, parse(LECTURE, 1).root)
    scan(blanked, variables)
    # Leading blanks would be an indentation to Python's parser.
    offset = len(blanked) - len(blanked.lstrip(" "))
    root = _Builder(source, offset, variables).tree(_parsed(source))
    return Formula(" ".join(source.split()), variables, root)


def _parsed(source: str) -> ast.expr:
    try:
        return ast.parse(source, mode="eval").body
    except (MemoryError, RecursionError):  # the parser's own stack; long runs of signs or powers
        raise FormulaError(TOO_DEEP) from None
    except (SyntaxError, ValueError):
        raise FormulaError("not a formula") from None


def _unsigned(node: ast.expr) -> ast.expr:
    """The expression without plus signs before it, which mean nothing."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
        node = node.operand
    return node


class _Builder:
    """Python's syntax tree -> ours; recursion ends at MAX_DEPTH whatever the text."""

    def __init__(self, source: str, offset: int, variables: tuple[str, ...]) -> None:
        self.source, self.offset = source, offset
        self.variables = {name: Variable(name, index) for index, name in enumerate(variables)}

    def tree(self, node: ast.expr, depth: int = 0) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(node, TOO_DEEP)
        match node := _unsigned(node):
            case ast.Constant():
                return self.number(node)
            case ast.Name(id=name):
                return self.named(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Call("negative", (self.tree(operand, depth + 1),))
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.sum(node, depth)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                operands = (self.tree(left, depth + 1), self.tree(right, depth + 1))
                return Call(BINARY[type(op)], operands)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(node, name, arguments, depth)
            case _:
                raise self.error(node, "not part of a formula")

    def sum(self, node: ast.expr, depth: int) -> Call:
        """a + b - c, which Python reads as (a + b) - c, flat: walked down the left in a loop."""
        terms: list[Node] = []
        while True:
            match node := _unsigned(node):
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    terms.append(self.tree(right, depth + 1))
                    node = left
                case ast.BinOp(left=left, op=ast.Sub(), right=right):
                    terms.append(Call("negative", (self.tree(right, depth + 1),)))
                    node = left
                case _:
                    terms.append(self.tree(node, depth + 1))
                    return Call("add", tuple(reversed(terms)))

    def call(self, node: ast.expr, name: str, arguments: list[ast.expr], depth: int) -> Call:
        if name not in FUNCTIONS:
            raise self.error(node, f"'{name}' cannot be called")
        if name in OF_SEVERAL and len(arguments) < 2:
            raise self.error(node, f"{name} takes two or more arguments")
        if name not in OF_SEVERAL and len(arguments) != 1:
            raise self.error(node, f"{name} takes one argument, got {len(arguments)}")
        return Call(name, tuple(self.tree(argument, depth + 1) for argument in arguments))

    def number(self, node: ast.Constant) -> Number:
        # From the text and not from Python's value, which may be an integer of any size.
        try:
            value = float(self.source[node.col_offset : node.end_col_offset])
        except ValueError:
            raise self.error(node, "not a number") from None
        if not math.isfinite(value):
            raise self.error(node, "this number is too large")
        return Number(value)

    def named(self, node: ast.expr, name: str) -> Node:
        if name in self.variables:
            return self.variables[name]
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        raise self.error(node, f"unknown name '{name}'")

    def error(self, node: ast.expr, message: str) -> FormulaError:
        return FormulaError(message, self.offset + node.col_offset + 1)
