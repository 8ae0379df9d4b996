"""Split a formula into tokens, and check that their sequence is valid.

Most mistakes are found here, where they can still be explained in the writer's own words. What
passes holds nothing but numbers, known names, ``+ - * / **``, commas and parentheses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from nnintro.formula.tree import CONSTANTS, FUNCTIONS, MAX_DEPTH, FormulaError, variable_names
from nnintro.wording import listed

TOKEN = re.compile(
    r" *(?:"
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<mark>\*\*|//|[<>=!:]=|[^ ])"
    r")"
)
SIGNS = frozenset("+-")
BINARY = SIGNS | {"*", "/", "**"}
MARKS = BINARY | {"(", ")", ","}
NAME_HINTS = {
    **dict.fromkeys(("arcsin", "arccos", "arctan"), "inverse trigonometric functions are not supported"),
    **{name: f"write sin(x), not {name}.sin(x)" for name in ("math", "np", "numpy", "torch")},
    "ceil": "write -floor(-z)",
    "fabs": "write abs(z)",
    "heaviside": "write step(z)",
    "lecture": "it is a whole formula and stands alone",
    "ln": "write log(z), the natural logarithm",
    "log10": "write log(z)/log(10)",
    "log2": "write log(z)/log(2)",
    "pow": "use ** for powers",
    "relu": "write max(0, z)",
    "sgn": "write sign(z)",
    "sigmoid": "write 1/(1 + exp(-z))",
}
MARK_HINTS = {
    "^": "use ** for powers",
    "//": "write floor(a/b)",
    "%": "write a - b*floor(a/b) for the remainder",
    "=": "write only the right-hand side",
    "[": "the inputs are x, or x1, x2, ... when there are several",
    "{": "use parentheses ( )",
    "|": "write abs(z)",
    "!": "there is no factorial",
    "<": "write step(b - a) for a < b",
    ">": "write step(a - b) for a > b",
    ".": "decimals read 0.5, functions have no prefix: sin(x)",
    ";": "a formula is one expression",
    "#": "comments belong to the YAML around it",
    **dict.fromkeys("'\"", "a formula holds no text"),
    **dict.fromkeys(
        "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019",
        "these are a word processor's quotes: leave them out, or type \" in YAML",
    ),
    **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}", "type the minus sign -"),
    **dict.fromkeys("\N{MULTIPLICATION SIGN}\N{MIDDLE DOT}\N{DOT OPERATOR}", "use * for products"),
    "\N{DIVISION SIGN}": "use / for quotients",
    "\N{SUPERSCRIPT TWO}": "write **2",
    "\N{SUPERSCRIPT THREE}": "write **3",
    "\N{SQUARE ROOT}": "write sqrt(z)",
    "\N{GREEK SMALL LETTER PI}": "write pi",
    "\N{NO-BREAK SPACE}": "type a plain space",
}


class Token(NamedTuple):
    """A word of the formula; ``kind`` is number, name, mark, start or end."""

    kind: str
    text: str
    column: int

    @property
    def ends_value(self) -> bool:
        """A number, a variable or a closed parenthesis: a value may end here."""
        return self.text == ")" or self.kind == "number" or self.is_plain_name

    @property
    def starts_value(self) -> bool:
        return self.text == "(" or self.kind in {"number", "name"}

    @property
    def is_plain_name(self) -> bool:
        return self.kind == "name" and self.text not in FUNCTIONS


def scan(text: str, variables: tuple[str, ...]) -> None:
    """Check the words of a formula; only single spaces of white space are expected in it.

    Raises:
        FormulaError: with the column of the first word that is wrong.
    """
    tokens = list(_tokens(text))
    names = frozenset({*variables, *FUNCTIONS, *CONSTANTS})
    for token in tokens:
        _check_word(token, names, variables)
    for left, right in pairwise([Token("start", "", 1), *tokens, Token("end", "", len(text))]):
        _check_neighbours(left, right)
    _check_parentheses(tokens)


def _tokens(text: str) -> Iterator[Token]:
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        assert kind is not None, "every branch of TOKEN is named"
        yield Token(kind, match[kind], match.start(kind) + 1)


def _check_word(token: Token, names: frozenset[str], variables: tuple[str, ...]) -> None:
    if token.kind == "number":
        shown = token.text if len(token.text) <= 20 else f"{token.text[:20]}..."
        if not math.isfinite(float(token.text)):
            raise FormulaError(f"the number {shown} is too large", token.column)
        if re.match("0[0-9]", token.text):
            raise FormulaError(f"the number {shown} starts with a needless 0", token.column)
    elif token.kind == "name" and token.text not in names:
        raise FormulaError(unknown_name(token.text, variables), token.column)
    elif token.kind == "mark" and token.text not in MARKS:
        raise FormulaError(foreign_mark(token.text), token.column)


def _check_neighbours(left: Token, right: Token) -> None:
    if left.kind == "name" and left.text in FUNCTIONS and right.text != "(":
        argument = right.text if right.starts_value else "..."
        message = f"{left.text} needs parentheses: {left.text}({argument})"
        raise FormulaError(message, left.column)
    if left.ends_value and right.starts_value:
        raise FormulaError(_missing_product(left, right), right.column)
    if right.text in BINARY | {",", ")"} and not (left.ends_value or right.text in SIGNS):
        _refuse_missing_value(left, right)
    if right.kind == "end" and not left.ends_value:
        raise FormulaError(f"'{left.text}' needs a value on its right", left.column)


def _missing_product(left: Token, right: Token) -> str:
    first = "(...)" if left.text == ")" else left.text
    is_group = right.text == "(" or right.text in FUNCTIONS
    second = f"{right.text.rstrip('(')}(...)" if is_group else right.text
    return f"a product needs *: {first}*{second}"


def _refuse_missing_value(left: Token, right: Token) -> None:
    if right.text in BINARY or left.kind == "start":
        raise FormulaError(f"'{right.text}' needs a value on its left", right.column)
    if left.text == "(":
        raise FormulaError(f"a value is missing between '(' and '{right.text}'", right.column)
    raise FormulaError(f"'{left.text}' needs a value on its right", left.column)


def _check_parentheses(tokens: list[Token]) -> None:
    """Balanced, bounded, and with commas only directly inside those of a call."""
    open_calls: list[bool] = []
    columns: list[int] = []
    for left, token in pairwise([Token("start", "", 1), *tokens]):
        if token.text == "(":
            open_calls.append(left.text in FUNCTIONS)
            columns.append(token.column)
        elif token.text == ")":
            if not columns:
                raise FormulaError("this ')' closes nothing", token.column)
            open_calls.pop()
            columns.pop()
        elif token.text == "," and not (open_calls and open_calls[-1]):
            wanted = "a comma separates arguments, as in max(x, 0); decimals take a point: 0.5"
            raise FormulaError(wanted, token.column)
        if len(columns) > MAX_DEPTH:
            raise FormulaError(f"nested more than {MAX_DEPTH} deep", token.column)
    if columns:
        raise FormulaError("this '(' is never closed", columns[-1])


# --- what to say about what no formula knows: the nearest thing that is right --------------------


def unknown_name(name: str, variables: tuple[str, ...]) -> str:
    """The message for a name that is neither variable, function nor constant."""
    from difflib import get_close_matches  # only a mistake pays for this import

    shown = name if len(name) <= 40 else f"{name[:40]}..."
    if name in NAME_HINTS:
        return f"unknown name '{shown}'; {NAME_HINTS[name]}"
    if name == "x" or (name[0] in "xX" and name[1:].strip("_").isdecimal()):
        return f"unknown name '{shown}'; {_inputs(variables)}"
    known = [*FUNCTIONS, *CONSTANTS, *variables[:100]]
    nearest = get_close_matches(name[:40].lower(), known, n=1)
    if nearest:
        return f"unknown name '{shown}'; did you mean '{nearest[0]}'?"
    return f"unknown name '{shown}'; {_inputs(variables)}"


def foreign_mark(mark: str) -> str:
    """The message for a mark that no formula holds; beyond ASCII, where looks deceive, by name."""
    from unicodedata import name  # only a mistake pays for this import

    shown = f"'{mark}'" if mark.isascii() and mark.isprintable() else repr(mark)
    if not mark.isascii():
        shown += f" ({name(mark, 'unnamed character').lower()})"
    hint = MARK_HINTS.get(mark) or MARK_HINTS.get(mark[0])
    return f"{shown} is not part of a formula" + (f"; {hint}" if hint else "")


def _inputs(variables: tuple[str, ...]) -> str:
    count = len(variables)
    if variables != variable_names(count):
        return f"the inputs are {listed(variables)}"
    if count == 1:
        return "with 1 input the variable is x"
    joint = "and" if count == 2 else "to"
    return f"with {count} inputs the variables are x1 {joint} x{count}"
