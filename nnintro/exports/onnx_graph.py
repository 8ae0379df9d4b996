"""An ONNX graph that grows node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nnintro.models import input_precision, output_precision, precision_of

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto


class Graph:
    """Nodes in the order of computation, and the constants they use.

    Attributes:
        double: whether it computes in float64.
        element: ONNX's number of its type.
        input_element: that of the input's, float64 where it is standardised.
        output_element: that of the output's, float64 where it is in the targets' own units.
    """

    def __init__(self, model: nn.Module) -> None:
        from onnx import TensorProto

        self.double = precision_of(model) == torch.float64
        self.element, self.input_element, self.output_element = (
            int(TensorProto.DOUBLE if of(model) == torch.float64 else TensorProto.FLOAT)
            for of in (precision_of, input_precision, output_precision)
        )
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
