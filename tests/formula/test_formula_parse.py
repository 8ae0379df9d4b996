"""Text -> tree -> text, and what a learner is told when the text is not quite a formula."""

from __future__ import annotations

import copy
import pickle
import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnintro.formula import FUNCTIONS, LECTURE, Formula, FormulaError, parse
from nnintro.formula.tree import MAX_DEPTH, MAX_LENGTH, Call, Node, Number, Variable
from tests.formula.formula_strategies import texts, trees

X = Variable("x", 0)


def add(*terms: Node) -> Call:
    return Call("add", terms)


def negative(node: Node) -> Call:
    return Call("negative", (node,))


def power(base: Node, exponent: Node) -> Call:
    return Call("power", (base, exponent))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("x", X),
        ("2", Number(2.0)),
        (".5e1", Number(5.0)),
        ("+x", X),
        ("-x", negative(X)),
        ("1 - x + 2", add(Number(1.0), negative(X), Number(2.0))),
        ("+(1 + x) + 2", add(Number(1.0), X, Number(2.0))),
        ("1 - (x + 2)", add(Number(1.0), negative(add(X, Number(2.0))))),
        ("2*x/3", Call("divide", (Call("multiply", (Number(2.0), X)), Number(3.0)))),
        ("-x**2", negative(power(X, Number(2.0)))),
        ("x**-1", power(X, negative(Number(1.0)))),
        ("2**3**x", power(Number(2.0), power(Number(3.0), X))),
        ("max(x, 0, 1)", Call("max", (X, Number(0.0), Number(1.0)))),
        (" \n2\t*\r\n  x ", Call("multiply", (Number(2.0), X))),
    ],
)
def test_trees(text, root):
    assert parse(text, 1).root == root


def test_names():
    assert parse("pi", 1).root == Number(3.141592653589793)
    assert parse("e", 1).root == Number(2.718281828459045)
    formula = parse("x1 + x3", 3)
    assert formula.variables == ("x1", "x2", "x3")
    assert formula.root == add(Variable("x1", 0), Variable("x3", 2))
    assert len(FUNCTIONS) == 13


def test_the_lecture():
    formula = parse(" lecture\n", 1)
    assert str(formula) == formula.text == "lecture"
    assert formula.root == parse(LECTURE, 1).root
    assert str(formula.root) == LECTURE


def test_text_is_kept_on_one_line():
    assert parse("  x\n  + 1 ", 1).text == "x + 1"


def test_inputs_are_at_least_one():
    with pytest.raises(ValueError, match="at least one input, got 0"):
        parse("1", 0)


MISTAKES = [
    ("sine(x)", 1, 1, "unknown name 'sine'; did you mean 'sin'?"),
    ("1 + Sin(x)", 1, 5, "unknown name 'Sin'; did you mean 'sin'?"),
    ("sqr(x)", 1, 1, "unknown name 'sqr'; did you mean 'sqrt'?"),
    ("2*PI", 1, 3, "unknown name 'PI'; did you mean 'pi'?"),
    ("ln(x)", 1, 1, "unknown name 'ln'; write log(z), the natural logarithm"),
    ("np.sin(x)", 1, 1, "unknown name 'np'; write sin(x), not np.sin(x)"),
    ("pow(x, 2)", 1, 1, "unknown name 'pow'; use ** for powers"),
    ("x^2", 1, 2, "'^' is not part of a formula; use ** for powers"),
    ("2x", 1, 2, "a product needs *: 2*x"),
    ("2 sin(x)", 1, 3, "a product needs *: 2*sin(...)"),
    ("3(x + 1)", 1, 2, "a product needs *: 3*(...)"),
    ("x(x + 1)", 1, 2, "a product needs *: x*(...)"),
    ("(x + 1)(x - 1)", 1, 8, "a product needs *: (...)*(...)"),
    ("x1 x2", 2, 4, "a product needs *: x1*x2"),
    ("2 + sin x", 1, 5, "sin needs parentheses: sin(x)"),
    ("sin**2(x)", 1, 1, "sin needs parentheses: sin(...)"),
    ("cos", 1, 1, "cos needs parentheses: cos(...)"),
    ("sin()", 1, 5, "a value is missing between '(' and ')'"),
    ("sin(x, 2)", 1, 1, "sin takes one argument, got 2"),
    ("1 + max(x)", 1, 5, "max takes two or more arguments"),
    ("x +", 1, 3, "'+' needs a value on its right"),
    ("x + * 2", 1, 5, "'*' needs a value on its left"),
    ("/ x", 1, 1, "'/' needs a value on its left"),
    ("(x + )", 1, 4, "'+' needs a value on its right"),
    ("  (x + 1", 1, 3, "this '(' is never closed"),
    ("x + 1)", 1, 6, "this ')' closes nothing"),
    ("0,5*x", 1, 2, "a comma separates arguments, as in max(x, 0); decimals take a point: 0.5"),
    ("y = x", 1, 1, "unknown name 'y'; with 1 input the variable is x"),
    ("x = 2", 1, 3, "'=' is not part of a formula; write only the right-hand side"),
    ("|x|", 1, 1, "'|' is not part of a formula; write abs(z)"),
    ("x1", 1, 1, "unknown name 'x1'; with 1 input the variable is x"),
    ("X", 1, 1, "unknown name 'X'; did you mean 'x'?"),
    ("2*x", 2, 3, "unknown name 'x'; with 2 inputs the variables are x1 and x2"),
    ("x1 + x3", 2, 6, "unknown name 'x3'; with 2 inputs the variables are x1 and x2"),
    ("x_1", 3, 1, "unknown name 'x_1'; with 3 inputs the variables are x1 to x3"),
    ("x\n+\nfoo", 1, 5, "unknown name 'foo'; did you mean 'floor'?"),
    ("1e400", 1, 1, "the number 1e400 is too large"),
    ("lecture", 2, 1, "'lecture' is a function of 1 input, not of 2"),
    ("lecture + 1", 1, 1, "unknown name 'lecture'; it is a whole formula and stands alone"),
    (" ", 1, None, "the formula is empty"),
    ("x" * 2_001, 1, None, "longer than 2,000 characters"),
    ("x\N{SUPERSCRIPT TWO}", 1, 2, "'\N{SUPERSCRIPT TWO}' (superscript two) is not part of a formula; write **2"),
]


@pytest.mark.parametrize(("text", "inputs", "column", "message"), MISTAKES)
def test_mistakes_are_explained(text, inputs, column, message):
    with pytest.raises(FormulaError) as refusal:
        parse(text, inputs)
    assert refusal.value.message == message
    assert refusal.value.column == column
    assert str(refusal.value) == (message if column is None else f"column {column}: {message}")


def test_errors_survive_a_process_boundary():
    error = pickle.loads(pickle.dumps(FormulaError("wrong", 3)))
    assert (error.message, error.column) == ("wrong", 3)


def test_a_long_series_is_wide_and_not_deep():
    formula = parse("x" + "-x" * 999, 1)
    assert isinstance(formula.root, Call)
    assert len(formula.root.arguments) == 1_000


@pytest.mark.parametrize("layer", ["sin(", "(", "2*(", "2**(", "-("])
def test_depth_has_a_limit(layer):
    def nested(depth: int) -> str:
        return layer * depth + "x" + ")" * depth

    parse(nested(MAX_DEPTH), 1)
    with pytest.raises(FormulaError, match="nested more than 100 deep"):
        parse(nested(MAX_DEPTH + 1), 1)


def test_length_has_a_limit():
    parse("x" + " " * (MAX_LENGTH - 1), 1)
    with pytest.raises(FormulaError, match="longer than"):
        parse("x" + " " * MAX_LENGTH, 1)


@settings(deadline=None)
@given(trees(inputs=2))
def test_a_tree_renders_to_text_that_parses_to_it(tree: Node):
    text = str(tree)
    assume(len(text) <= MAX_LENGTH)
    assert parse(text, 2).root == tree


@settings(deadline=None)
@given(texts(inputs=2))
def test_a_text_and_its_rendering_mean_the_same(text: str):
    formula = parse(text, 2)
    assert parse(str(formula.root), 2).root == formula.root
    assert parse(formula.text, 2) == formula
    assert pickle.loads(pickle.dumps(formula)) == copy.deepcopy(formula) == formula


@settings(deadline=None)
@given(st.text(st.sampled_from("x1 2.0e+-*/(),\n") | st.sampled_from(string.printable)))
def test_any_text_is_a_formula_or_refused(text: str):
    _is_formula_or_refused(text)


WORDS = ["x", "2", "0.5", ".5", "1e3", "e", "sin", "max", "if", "(", ")", ",", "+", "-", "*", "**", "/", " "]


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_any_words_are_a_formula_or_refused(text: str):
    _is_formula_or_refused(text)


def _is_formula_or_refused(text: str) -> None:
    refusal = None
    try:
        assert isinstance(parse(text, 1), Formula)
    except FormulaError as error:
        refusal = error.message
    assert refusal != "not a formula", "the scan explains all that Python's parser would refuse"
