"""Translate basis functions into ONNX operators, in float64 whatever the network's precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import torch

from nnintro.exports.onnx_graph import Graph
from nnintro.formula import Formula
from nnintro.formula.tree import Algebra, evaluate

OPERATORS = {
    "multiply": "Mul", "divide": "Div", "power": "Pow", "negative": "Neg", "sin": "Sin", "cos": "Cos", "exp": "Exp",
    "log": "Log", "sqrt": "Sqrt", "abs": "Abs", "tanh": "Tanh", "floor": "Floor",
}  # fmt: skip
"""What a formula's function is by itself; the others are made of several operators."""


def with_basis(graph: Graph, formulas: Sequence[Formula], x: str) -> str:
    """(batch, inputs) -> (batch, formulas), both in float64; the name of the result."""
    count = len(formulas[0].variables)
    columns = [graph.node("Gather", x, graph.integers(index), axis=1) for index in range(count)]
    algebra = _names(graph)
    # A formula without a variable is one number: it becomes a column like the others.
    shape = graph.node("Shape", columns[0])
    values = [graph.node("Expand", evaluate(formula, algebra, columns), shape) for formula in formulas]
    return graph.node("Concat", *values, axis=1)


def _names(graph: Graph) -> Algebra[str]:
    """The algebra whose values are names of results in the graph, (batch, 1) or () each."""
    from onnx import TensorProto

    def number(value: float) -> str:
        return graph.constant(f"double {value!r}", torch.tensor(value, dtype=torch.float64))

    def operator(name: str) -> Callable[..., str]:
        return lambda *values: graph.node(OPERATORS[name], *values)

    def keeping_nan(z: str, value: str) -> str:
        # A comparison with NaN is false, and what is not a number must not come out as 0.
        return graph.node("Where", graph.node("IsNaN", z), z, value)

    def step(z: str) -> str:
        above = graph.node("Greater", z, number(0.0))
        return keeping_nan(z, graph.node("Cast", above, to=int(TensorProto.DOUBLE)))

    return Algebra(
        number=number,
        operations={
            "add": lambda *terms: reduce(lambda a, b: graph.node("Add", a, b), terms),
            **{name: operator(name) for name in OPERATORS},
            # onnxruntime has no Tan for float64.
            "tan": lambda z: graph.node("Div", graph.node("Sin", z), graph.node("Cos", z)),
            "min": lambda *values: reduce(lambda a, b: graph.node("Min", a, b), values),
            "max": lambda *values: reduce(lambda a, b: graph.node("Max", a, b), values),
            "sign": lambda z: keeping_nan(z, graph.node("Sign", z)),
            "step": step,
        },
    )
