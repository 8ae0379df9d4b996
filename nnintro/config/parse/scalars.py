"""What a plain (unquoted) scalar means: YAML 1.2's core schema, which is what people expect.

By YAML 1.1, PyYAML's own, ``no`` is false, ``1e-3`` a text, ``010`` is
eight and ``12:30:00`` a number.
"""

from __future__ import annotations

import math
import re

Scalar = None | bool | int | float | str


MOST_DIGITS = 308
"""Of an integer; beyond it the number is infinite as a float, and Python's ``int`` is slow."""


_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}

_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def scalar(text: str) -> Scalar:
    """The value of a plain scalar: nothing, true or false, a number, or else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else float(text)
    if _BASED.fullmatch(text):
        return int(text, 0) if len(text) <= MOST_DIGITS else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text


def is_text(value: str) -> bool:
    """Whether all characters are whole: half of a surrogate pair can be escaped, never written."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
