"""The file formats of ``nnintro export``, a row each; knows no torch."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from nnintro.errors import UsageError


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        module: has ``encode(model, description) -> bytes`` and ``load(path) -> Program``; named and
            not imported, for it loads torch.
        package: what it needs beside torch.
    """

    suffix: str
    module: str
    package: str | None = None


FORMATS: dict[str, Format] = {
    "onnx": Format(".onnx", "nnintro.exports.onnx", package="onnx"),
    "torch": Format(".pt2", "nnintro.exports.torch_file"),
    "safetensors": Format(".safetensors", "nnintro.exports.safetensors_file", "safetensors"),
}

SUFFIXES = {name: (row.suffix,) for name, row in FORMATS.items()}


def require_package(name: str) -> None:
    """Load what the format needs.

    Raises:
        UsageError: it is not installed, or does not load; says how to install it.
    """
    package = FORMATS[name].package
    if package is None:
        return
    try:
        importlib.import_module(package)
    except ImportError as error:
        message = f"nnintro export --format {name} needs {package}: pip install 'nnintro[export]'"
        missing = isinstance(error, ModuleNotFoundError) and error.name == package
        raise UsageError(message if missing else f"{message} ({error})") from error
