"""safetensors: the parameters by name, and in the metadata the rest of what the forward pass needs."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from nnintro.exports.agreement import Program
from nnintro.models.build import rebuilt


def encode(model: nn.Module, description: dict[str, str]) -> bytes:
    """The file's bytes: the state dict, standardisation's mean and scale among it."""
    from safetensors.torch import save

    tensors = {name: values.contiguous() for name, values in model.state_dict().items()}
    return _in_order(save(tensors, metadata=description), description)


def _in_order(data: bytes, description: dict[str, str]) -> bytes:
    """The same file with the metadata in a fixed order: the same run gives the same bytes."""
    length = int.from_bytes(data[:8], "little")
    tensors = json.loads(data[8 : 8 + length])
    header = json.dumps({**tensors, "__metadata__": description}, ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)  # the format wants the tensors aligned
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def load(path: Path) -> Program:
    """A network built from nothing but the file."""
    from safetensors.torch import load as tensors_of

    data = path.read_bytes()  # by its path it is not read where that is not UTF-8
    tensors = tensors_of(data)
    description = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    dtype = getattr(torch, description["precision"])
    model = rebuilt(json.loads(description["architecture"]), dtype)
    model.load_state_dict(tensors)
    return model.eval()
