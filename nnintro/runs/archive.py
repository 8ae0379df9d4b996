"""The bytes of a checkpoint -> tensors and plain values, whatever somebody has put there.

``torch.load(weights_only=True)`` runs no code. It does unpack archives that are small only while they are packed, and
makes tensors whose million elements share one number, and lists that hold one another; none of that comes through.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import torch
from torch import Tensor

from nnintro.errors import memory_for

LARGEST_PICKLE = 1 << 23
"""Bytes of what says how the tensors belong together: thirty thousand of them have fewer."""
MOST_VALUES = 1 << 20
"""Values beside tensors, each character of a text counted as one."""
MOST_DEPTH = 20
WHOLE = 1 << 63
DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool, torch.uint8, torch.int32, torch.bfloat16)


def unpacked(data: bytes) -> Any:
    """What ``torch.save`` made the bytes of, on the CPU.

    Raises:
        ValueError: it holds more than tensors and plain values, or far more than it has bytes; or torch cannot read it.
        OutOfMemoryError: not enough memory for it.
    """
    _require_stored(data)
    with memory_for("a checkpoint"):
        try:
            value = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
        except MemoryError:
            raise
        except Exception as error:
            # What torch advises of a file with code in it, to load it all the same, is not passed on.
            foreign = "weights_only" in str(error)
            raise ValueError("it holds more than tensors and plain values" if foreign else str(error)) from error
    _require_plain(value)
    return value


def _require_stored(data: bytes) -> None:
    """Raise ValueError unless the archive's parts lie in it as they are, each for itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise ValueError(f"it is no archive: {error}") from error
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise ValueError("its parts are compressed")
    if sum(part.file_size for part in parts) > len(data):
        raise ValueError("its parts are larger than it is")
    if any(part.file_size > LARGEST_PICKLE for part in parts if part.filename.endswith(".pkl")):
        raise ValueError("it holds too many values")


def _require_plain(value: Any) -> None:
    """Raise ValueError unless it is made of tensors, numbers, texts, lists and mappings, in bounds."""
    waiting, count = [(value, 0)], 0
    while waiting:
        item, depth = waiting.pop()
        count += 1 + (len(item) if isinstance(item, str | list | dict) else 0)
        if count > MOST_VALUES or depth > MOST_DEPTH:
            raise ValueError("it holds too many values, or too deep in one another")
        if isinstance(item, dict):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
        elif isinstance(item, Tensor):
            _require_plain_tensor(item)
        elif isinstance(item, str):
            item.encode(errors="surrogateescape")  # ValueError where it has halves of characters (paths may: PEP 383)
        elif not (item is None or isinstance(item, bool | float) or (isinstance(item, int) and abs(item) < WHOLE)):
            raise ValueError(f"it holds a {type(item).__name__} out of place")


def _require_plain_tensor(tensor: Tensor) -> None:
    """Raise ValueError unless each element has a place of its own in memory."""
    is_plain = (
        type(tensor) is Tensor
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and tensor.dtype in DTYPES
        and not tensor.requires_grad
        and not tensor.is_neg()
    )
    if not is_plain:
        raise ValueError("it holds a tensor of a strange kind")
    has_places = tensor.is_contiguous() or tensor.is_contiguous(memory_format=torch.channels_last)
    if not has_places or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError("it holds a tensor whose elements share their places")
