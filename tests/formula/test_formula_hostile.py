"""Formulas written to break something: each is refused at once, and nothing happens."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnintro.formula import FormulaError, parse
from nnintro.formula.parse import _Builder

CALLS_AND_ATTRIBUTES = [
    "__import__('os').system('touch hacked')",
    "import os",
    "from os import system",
    "open('hacked', 'w')",
    "exec('import this')",
    "eval('1')",
    "compile(x)",
    "globals()",
    "print(x)",
    "breakpoint()",
    "exit()",
    "getattr(x, x)",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "x.real",
    "sin.__globals__",
    "(1).bit_length()",
    "1.0.hex()",
    "np.sin(x)",
    "__builtins__",
    "__name__",
    "_",
]
SYNTAX = [
    "lambda: 0",
    "(lambda x: x)(x)",
    "(y := x)",
    "x := 1",
    "x = 1",
    "x += 1",
    "x == 1",
    "x < 1",
    "x if x else 2",
    "x and x",
    "not x",
    "~x",
    "x | x",
    "x & x",
    "x << 9",
    "x % 2",
    "x // 2",
    "x @ x",
    "x[0]",
    "[x]",
    "{x}",
    "{x: x}",
    "(x, x)",
    "x,",
    "()",
    "[x for x in x]",
    "max(x for x in x)",
    "(yield x)",
    "(await x)",
    "max(*x)",
    "max(*(x, x))",
    "max(x, **x)",
    "sin(x=1)",
    "max(x, x, key=x)",
    "max(x, 0,)",
    "x; x",
    "x # comment",
    "x \\\n + 1",
    "del x",
    "pass",
    "return x",
    "assert x",
    "def f(): pass",
    "while 1: pass",
    "@x",
    "...",
    "$x",
    "x!",
    "x ? 1 : 2",
    "`x`",
]
TEXT_AND_NUMBERS = [
    "'x'",
    '"x"',
    "'''x'''",
    "b'x'",
    "r'\\d'",
    "f'{x}'",
    "f'{open(1)}'",
    "'\\d'",
    "True",
    "None",
    "1j",
    "2.5e3j",
    "0x10",
    "0b1",
    "0o7",
    "010",
    "1_000",
    "1(2)",
    "1if x else 2",
    "1e999",
    "-1e999",
    "1e99999999999999999999",
    "1" * 400,
    "9" * 5_000,
    "nan",
    "inf",
    "Infinity",
]
SHAPES = [
    "",
    " ",
    " \t\r\n ",
    "-" * 100_000 + "x",
    "x" + "+x" * 100_000,
    "-" * 1_990 + "x",
    "x**" * 600 + "x",
    "x*" * 900 + "x",
    "(" * 100_000 + "x" + ")" * 100_000,
    "(" * 900 + "x" + ")" * 900,
    "(" * 1_999,
    ")" * 1_999,
    "sin(" * 300 + "x" + ")" * 300,
    "[" * 1_000,
    "not " * 499 + "x",
    "lambda:" * 280 + "x",
    "a" * 2_000,
    " " * 2_001,
    "x" * 100_000_000,
]
CHARACTERS = [
    "\N{FULLWIDTH LATIN SMALL LETTER X}",
    "\N{FULLWIDTH LATIN SMALL LETTER S}in(x)",
    "\N{MATHEMATICAL ITALIC SMALL X}",
    "\N{CYRILLIC SMALL LETTER HA}",
    "\N{LATIN SMALL LIGATURE FI}",
    "\N{FULLWIDTH DIGIT ONE}",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "x\N{SUPERSCRIPT TWO}",
    "2\N{MULTIPLICATION SIGN}x",
    "\N{MINUS SIGN}x",
    "\N{GREEK SMALL LETTER PI}",
    "x\N{NO-BREAK SPACE}+ 1",
    "x\N{ZERO WIDTH SPACE}",
    "x\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{BYTE ORDER MARK}x",
    "x\N{LINE SEPARATOR}+ 1",
    "x\x85+ 1",
    "x\0",
    "\0",
    "x\x0c+ 1",
    "x\x0b+ 1",
    "x\x1b[31m",
    "x\ud800",
]
HOSTILE = [*CALLS_AND_ATTRIBUTES, *SYNTAX, *TEXT_AND_NUMBERS, *SHAPES, *CHARACTERS]


def test_the_corpus_is_as_large_as_it_looks():
    assert len(HOSTILE) == len(set(HOSTILE)) == 141


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:25]))
@pytest.mark.parametrize("inputs", [1, 2])
def test_refused_at_once_and_in_words(text, inputs):
    begin = time.process_time()
    with pytest.raises(FormulaError) as refusal:
        parse(text, inputs)
    assert time.process_time() - begin < 1.0  # what is hostile would take for ever
    error = refusal.value
    assert isinstance(error, ValueError)
    assert error.message
    assert len(error.message) < 200
    assert error.message.isprintable(), "an escape sequence would reach the reader's terminal"
    assert error.column is None or 1 <= error.column <= len(text)


# In a process of its own, because an audit hook cannot be taken away again. It hears of every
# open, import, exec and process; reading a formula may only cause "compile", Python's parser.
LISTENER = """
import difflib, json, sys, unicodedata
from nnintro.formula import FormulaError, evaluate_float, first_non_finite, parse

texts = json.load(sys.stdin)
heard = set()
listening = False
sys.addaudithook(lambda event, _: heard.add(event) if listening else None)
modules = set(sys.modules)
refused = 0
for text in texts:
    listening = True
    try:
        parse(text, 1)
    except FormulaError:
        refused += 1
    finally:
        listening = False
added = sorted(set(sys.modules) - modules)
assert evaluate_float(parse("2*x", 1), [3]) == 6
assert first_non_finite(parse("1/x", 1), [[1], [0]]) == [0]
heavy = sorted({"torch", "numpy"} & set(sys.modules))
print(json.dumps({"refused": refused, "heard": sorted(heard), "added": added, "heavy": heavy}))
"""


def test_nothing_happens(tmp_path: Path):
    corpus = [text[:200_000] for text in HOSTILE] + ["1/x + sin(x)"]
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{LISTENER}"],
        input=json.dumps(corpus),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    seen = json.loads(answer.stdout)
    assert seen == {"refused": len(HOSTILE), "heard": ["compile"], "added": [], "heavy": []}
    assert answer.stderr == ""
    assert list(tmp_path.iterdir()) == []


SECOND_WALL = [
    *("x.real", "x[0]", "[x]", "(x, x)", "{x}", "{x: x}", "'x'", "b'x'", "f'{x}'", "True", "None"),
    *("...", "1j", "0x10", "x < 1", "x and x", "not x", "~x", "x % x", "x // x", "x @ x", "x | x"),
    *("lambda: x", "(x := 1)", "x if x else x", "[x for x in x]", "(x for x in x)", "sin(x=1)"),
    *("max(*x)", "max(x, **x)", "sin(x)(x)", "x(1)", "open(1)", "sin", "y", "9" * 400, "1e999"),
    *("sin.real(x)", "(yield)", "sin()", "max(x)", "sin(x, x)"),
]


@pytest.mark.parametrize("text", SECOND_WALL)
def test_the_tree_is_checked_on_its_own(text):
    """Even a text that the scan had let pass would find no way through the tree."""
    node = ast.parse(text, mode="eval").body
    with pytest.raises(FormulaError):
        _Builder(text, 0, ("x",)).tree(node)


def test_the_second_wall_was_tried():
    assert len(SECOND_WALL) == 42


def test_a_lower_limit_on_the_digits_of_integers_changes_nothing():
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        with pytest.raises(FormulaError, match="too large"):
            parse("9" * 1_999, 1)
    finally:
        sys.set_int_max_str_digits(before)
