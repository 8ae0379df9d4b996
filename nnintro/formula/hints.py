"""What to say about a name or a mark that no formula knows: the nearest thing that is right."""

from __future__ import annotations

from nnintro.formula.language import CONSTANTS, FUNCTIONS

NAMES = {
    "arcsin": "there are no inverse trigonometric functions",
    "arccos": "there are no inverse trigonometric functions",
    "arctan": "there are no inverse trigonometric functions",
    "ceil": "write -floor(-z)",
    "fabs": "write abs(z)",
    "heaviside": "write step(z)",
    "lecture": "it is a whole formula and stands alone",
    "ln": "write log(z), the natural logarithm",
    "log10": "write log(z)/log(10)",
    "log2": "write log(z)/log(2)",
    "math": "write sin(x), not math.sin(x)",
    "np": "write sin(x), not np.sin(x)",
    "numpy": "write sin(x), not numpy.sin(x)",
    "pow": "use ** for powers",
    "relu": "write max(0, z)",
    "sgn": "write sign(z)",
    "sigmoid": "write 1/(1 + exp(-z))",
    "torch": "write sin(x), not torch.sin(x)",
}
MARKS = {
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
    "'": "a formula holds no text",
    '"': "a formula holds no text",
    "\N{MINUS SIGN}": "type the minus sign -",
    "\N{EN DASH}": "type the minus sign -",
    "\N{MULTIPLICATION SIGN}": "use * for products",
    "\N{MIDDLE DOT}": "use * for products",
    "\N{DOT OPERATOR}": "use * for products",
    "\N{DIVISION SIGN}": "use / for quotients",
    "\N{SUPERSCRIPT TWO}": "write **2",
    "\N{SUPERSCRIPT THREE}": "write **3",
    "\N{SQUARE ROOT}": "write sqrt(z)",
    "\N{GREEK SMALL LETTER PI}": "write pi",
    "\N{NO-BREAK SPACE}": "type a plain space",
}


def unknown_name(name: str, variables: tuple[str, ...]) -> str:
    """The message for a name that is neither variable, function nor constant."""
    from difflib import get_close_matches  # only a mistake pays for this import

    shown = name if len(name) <= 40 else f"{name[:40]}..."
    if name in NAMES:
        return f"unknown name '{shown}'; {NAMES[name]}"
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
    hint = MARKS.get(mark) or MARKS.get(mark[0])
    return f"{shown} is not part of a formula" + (f"; {hint}" if hint else "")


def _inputs(variables: tuple[str, ...]) -> str:
    count = len(variables)
    if count == 1:
        return "with 1 input the variable is x"
    joint = "and" if count == 2 else "to"
    return f"with {count} inputs the variables are x1 {joint} x{count}"
