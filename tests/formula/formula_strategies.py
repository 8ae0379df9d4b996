"""Random formulas, as trees and as text."""

from __future__ import annotations

from hypothesis import strategies as st

from nnintro.formula import FUNCTIONS
from nnintro.formula.tree import OF_SEVERAL, Call, Node, Number, Variable, variable_names

OF_ONE = sorted(set(FUNCTIONS) - OF_SEVERAL)
# With a point, so that Python, too, reads floats: its integers would take 10**10**10 at its word.
TAME = ["0.0", "1.0", "2.0", "3.0", "0.5", "1.5", "10.0", "1e-3", "pi", "e"]


def trees(inputs: int) -> st.SearchStrategy[Node]:
    """Trees as ``parse`` builds them: numbers without a sign, sums flat on the left."""
    numbers = st.floats(0, allow_infinity=False, allow_nan=False).map(abs).map(Number)
    names = variable_names(inputs)
    variables = st.sampled_from([Variable(name, i) for i, name in enumerate(names)])
    return st.recursive(numbers | variables, _calls, max_leaves=25)


def _calls(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def call(names: list[str], least: int, most: int) -> st.SearchStrategy[Call]:
        arguments = st.lists(nodes, min_size=least, max_size=most).map(tuple)
        return st.builds(Call, st.sampled_from(names), arguments)

    return st.one_of(
        st.lists(nodes, min_size=2, max_size=4).map(_flat_sum),
        call(["multiply", "divide", "power"], 2, 2),
        call(["negative", *OF_ONE], 1, 1),
        call(sorted(OF_SEVERAL), 2, 4),
    )


def _flat_sum(terms: list[Node]) -> Call:
    first, *others = terms
    is_sum = isinstance(first, Call) and first.function == "add"
    return Call("add", (*(first.arguments if is_sum else [first]), *others))


def texts(inputs: int) -> st.SearchStrategy[str]:
    """Formulas of tame numbers, with spaces and parentheses that need not be there."""
    leaves = st.sampled_from([*variable_names(inputs), *TAME])
    operators = st.sampled_from(["+", " - ", "*", " / ", "**"])
    powers = st.sampled_from(["**2.0", " ** 0.5", "**-1.0", "**(1.0/3.0)"])

    def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(parts, min_size=2, max_size=3).map(", ".join)
        return st.one_of(
            st.builds("{}{}{}".format, parts, operators, parts),
            st.builds("{}{}".format, parts, powers),
            st.builds("{}{}".format, st.sampled_from(["-", "+", "- "]), parts),
            st.builds("({})".format, parts),
            st.builds("( {}\n)".format, parts),
            st.builds("{}({})".format, st.sampled_from(OF_ONE), parts),
            st.builds("{}({})".format, st.sampled_from(sorted(OF_SEVERAL)), several),
        )

    return st.recursive(leaves, combined, max_leaves=12)
