"""torch.export: the network as a program that torch loads and runs without nnintro."""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from nnintro.inference.agreement import Program
from nnintro.models import input_precision

DESCRIPTION = "nnintro.json"
"""The description's name within the archive (``extra_files`` of torch.export.load)."""


def encode(model: nn.Module, description: dict[str, str]) -> bytes:
    """The archive's bytes; the batch dimension is free."""
    inputs = json.loads(description["architecture"])["inputs"]
    example = torch.zeros(2, inputs, dtype=input_precision(model))
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (example,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names the folders of the machine it was written on
    buffer = io.BytesIO()
    extra = {DESCRIPTION: json.dumps(description, indent=2)}
    torch.export.save(program, buffer, extra_files=extra)
    return buffer.getvalue()


def load(path: Path) -> Program:
    """The program in a file."""
    with path.open("rb") as file:
        module = torch.export.load(io.BytesIO(file.read())).module()

    def program(inputs: Tensor) -> Tensor:
        outputs: Tensor = module(inputs)
        return outputs

    return program
