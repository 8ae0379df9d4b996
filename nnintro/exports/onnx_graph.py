"""Build an ONNX graph node by node, with helpers for operations that need several operators.

onnxruntime computes Elu and Erf in float32 alone, and the slope of LeakyRelu is a float32 in every
file; in float64 these are spelled out in operators that every program has.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.polynomial import chebyshev
from torch import Tensor, nn

from nnintro.models import input_precision, output_precision, precision_of

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto


Size = tuple[int, int]
"""Height and width of maps."""


class Graph:
    """Nodes in the order of computation, and the constants they use.

    Attributes:
        double: whether it computes in float64.
        element: ONNX's number of its type.
        input_element: that of the input's, float64 where it is standardised.
        output_element: that of the output's, float64 where it is in the targets' own units.
        size: of the maps at this point of a network on images.
    """

    def __init__(self, model: nn.Module) -> None:
        from onnx import TensorProto

        self.double = precision_of(model) == torch.float64
        self.element, self.input_element, self.output_element = (
            int(TensorProto.DOUBLE if of(model) == torch.float64 else TensorProto.FLOAT)
            for of in (precision_of, input_precision, output_precision)
        )
        self.size: Size = (1, 1)
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        tensors = [*model.named_parameters(), *model.named_buffers()]
        self._names = {id(values): name for name, values in tensors}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Apply an operator; the name of its result."""
        from onnx import helper

        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def tensor(self, values: Tensor) -> str:
        """A parameter or buffer of the model, under its name there."""
        return self.constant(self.name_of(values), values.detach())

    def name_of(self, values: Tensor) -> str:
        """The name of a parameter or buffer in the model."""
        return self._names[id(values)]

    def number(self, value: float) -> str:
        """A constant of the graph's precision."""
        dtype = torch.float64 if self.double else torch.float32
        return self.constant(f"number {value!r}", torch.tensor(value, dtype=dtype))

    def integers(self, *values: int) -> str:
        """A constant row of int64: a shape, a place."""
        return self.constant(f"integers {values!r}", torch.tensor(values, dtype=torch.int64))

    def constant(self, name: str, values: Tensor) -> str:
        """A constant of that name, which stands for the same values wherever it is used."""
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(values.contiguous().numpy(), name)
        return name

    def end_with(self, name: str) -> None:
        """Call the last node's result ``name``."""
        self.nodes[-1].output[0] = name


def where_above(graph: Graph, z: str, threshold: float, above: str, below: str) -> str:
    """``above`` where z > threshold, else ``below``."""
    return graph.node("Where", graph.node("Greater", z, graph.number(threshold)), above, below)


_FAR = 6.0
"""Where 1 - erf is below float64's rounding."""
_MIDDLE, _HALF = 0.625, 0.375
"""The interval that 2 / (2 + a) fills for 0 <= a <= 6."""
_DEGREE = 18


@functools.cache
def _erfcx_coefficients() -> list[float]:
    """Of the polynomial p, lowest power first: p(u) = exp(a^2) erfc(a), within 2e-15.

    2 / (2 + a) = 0.625 + 0.375 u maps [0, 6] to [-1, 1], and makes the function so smooth that
    degree 18 is enough (Numerical Recipes, 3rd edition, section 6.2.2).
    """
    u = chebyshev.chebpts1(_DEGREE + 1)
    places = 2 / (_MIDDLE + _HALF * u) - 2
    erfcx = np.array([math.erfc(a) * math.exp(a * a) for a in places])
    through = chebyshev.chebfit(u, erfcx, _DEGREE)
    return [float(c) for c in chebyshev.cheb2poly(through)]


def erf_in_double(graph: Graph, x: str) -> str:
    """sign(x) (1 - exp(-a^2) p(u)) with a = min(|x|, 6)."""
    a = graph.node("Min", graph.node("Abs", x), graph.number(_FAR))
    fraction = graph.node("Div", graph.number(2.0), graph.node("Add", a, graph.number(2.0)))
    centred = graph.node("Sub", fraction, graph.number(_MIDDLE))
    u = graph.node("Div", centred, graph.number(_HALF))
    *lower, highest = _erfcx_coefficients()
    polynomial = graph.number(highest)
    for coefficient in reversed(lower):
        product = graph.node("Mul", polynomial, u)
        polynomial = graph.node("Add", product, graph.number(coefficient))
    bell = graph.node("Exp", graph.node("Neg", graph.node("Mul", a, a)))
    size = graph.node("Sub", graph.number(1.0), graph.node("Mul", bell, polynomial))
    return graph.node("Mul", graph.node("Sign", x), size)


def neighbourhoods(graph: Graph, x: str) -> str:
    """(b, c, H, W) -> (b, 9 c, H, W): the pixels around each, zeros beyond the edge."""
    padded = graph.node("Pad", x, graph.integers(0, 0, 1, 1, 0, 0, 1, 1))
    height, width = graph.size
    corners = itertools.product(range(3), repeat=2)
    shifted = [cropped(graph, padded, (i, j), (i + height, j + width)) for i, j in corners]
    return graph.node("Concat", *shifted, axis=1)


def product_by_pixel(graph: Graph, name: str, matrix: Tensor, x: str, size: Size) -> str:
    """(b, inputs, H, W) -> (b, outputs, H, W) by a matrix (outputs, inputs) at each pixel."""
    outputs, inputs = matrix.shape
    flat = graph.node("Reshape", x, graph.integers(-1, inputs, size[0] * size[1]))
    y = graph.node("MatMul", graph.constant(name, matrix), flat)
    return graph.node("Reshape", y, graph.integers(-1, outputs, *size))


def cropped(graph: Graph, x: str, start: Size, stop: Size) -> str:
    """The rows and columns of maps from ``start`` up to ``stop``."""
    return graph.node("Slice", x, graph.integers(*start), graph.integers(*stop), graph.integers(2, 3))


def by_channel(graph: Graph, values: Tensor) -> str:
    """A parameter or buffer (channels,) as it meets (b, channels, H, W)."""
    return graph.constant(f"{graph.name_of(values)} by channel", values.detach()[:, None, None])
