"""ONNX: the network as a graph of standard operators, standardisation included.

The graph is written module by module, and not by torch.onnx, which takes seconds and more packages
for the same few nodes, and in float64 writes operators that onnxruntime lacks (docs/LOG.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.errors import NnintroError
from nnintro.exports.agreement import Program
from nnintro.exports.onnx_graph import Graph
from nnintro.exports.onnx_modules import translate
from nnintro.version import __version__

OPSET, IR = 17, 8
"""Of 2022: nothing newer is needed, and older programs read it."""
LARGEST = 2**31 - 2**20
"""Bytes of parameters in a file: protobuf ends at 2 GiB, and the graph wants some of it."""


def encode(model: nn.Module, description: dict[str, str]) -> bytes:
    """The file's bytes: one graph, its batch dimension free, the parameters inside.

    Raises:
        NnintroError: the parameters do not fit into one file, or a module has no translation.
    """
    from onnx import helper

    _require_size(model)
    graph = Graph(model)
    translate(graph, model, description["input"])
    graph.end_with(description["output"])
    sizes = json.loads(description["architecture"])
    x, y = (
        helper.make_tensor_value_info(
            description[end], element, ["batch", sizes[f"{end}s"], *(sizes.get("image") or ())]
        )
        for end, element in (("input", graph.input_element), ("output", graph.output_element))
    )
    written = helper.make_model(
        helper.make_graph(graph.nodes, description["run"], [x], [y], [*graph.constants.values()]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="nnintro",
        producer_version=__version__,
    )
    helper.set_model_props(written, description)
    return cast(bytes, written.SerializeToString(deterministic=True))


def _require_size(model: nn.Module) -> None:
    size = sum(values.numel() * values.element_size() for values in model.parameters())
    if size > LARGEST:
        raise NnintroError(
            f"the parameters take {size / 2**30:.1f} GiB, and an ONNX file holds 2 GiB at most; "
            "export torch or safetensors"
        )


def _upsampling() -> Any:
    """A 2x2 transposed convolution of stride 2; the evaluator's own takes minutes on images."""
    from onnx.reference.op_run import OpRun

    class ConvTranspose(OpRun):  # type: ignore[misc, unused-ignore]
        op_domain = ""

        def _run(self, x: Any, weight: Any, bias: Any, **attributes: Any) -> tuple[Any]:
            assert attributes["kernel_shape"] == attributes["strides"] == [2, 2]
            squares = np.einsum("bchw,coij->bohiwj", x, weight, optimize=True)
            n, channels, height, _, width, _ = squares.shape
            y = squares.reshape(n, channels, 2 * height, 2 * width)
            return (y + bias[:, None, None],)

    return ConvTranspose


def load(path: Path) -> Program:
    """The program in a file, checked against the standard and run by onnx's own evaluator."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    with path.open("rb") as file:
        model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    evaluator = ReferenceEvaluator(model, new_ops=[_upsampling()])
    (x,) = model.graph.input

    def program(inputs: Tensor) -> Tensor:
        # The branch of a sigmoid that is not taken may leave the range.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            (outputs,) = evaluator.run(None, {x.name: inputs.numpy()})
        return torch.from_numpy(np.array(outputs))

    return program
