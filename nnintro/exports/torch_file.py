"""torch.export: the network as a program that torch loads and runs without nnintro."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import cast

import torch
from torch import nn

from nnintro.exports.agreement import Program
from nnintro.models import input_precision

DESCRIPTION = "nnintro.json"
"""The description's name within the archive (``extra_files`` of torch.export.load)."""


def encode(model: nn.Module, description: dict[str, str]) -> bytes:
    """The archive's bytes; the batch dimension is free."""
    architecture = json.loads(description["architecture"])
    sizes = architecture["inputs"], *(architecture.get("image") or ())
    example = torch.zeros(2, *sizes, dtype=input_precision(model))
    batch = torch.export.Dim("batch")
    program = torch.export.export(_in_plain_order(model), (example,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names the folders of the machine it was written on
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={DESCRIPTION: json.dumps(description, indent=2)})
    return buffer.getvalue()


def _in_plain_order(model: nn.Module) -> nn.Module:
    """The model, or a copy where parameters lie in memory in an order that the archive lacks."""
    if all(parameter.is_contiguous() for parameter in model.parameters()):
        return model
    plain = copy.deepcopy(model)
    plain.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return plain


def load(path: Path) -> Program:
    """The program in a file."""
    return cast(Program, torch.export.load(io.BytesIO(path.read_bytes())).module())
