"""The table of export formats, one row per format; does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from nnintro.errors import require_package


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


def require_format(name: str) -> None:
    """Load what a format needs; raises UsageError where it is missing (see ``require_package``)."""
    package = FORMATS[name].package
    if package is not None:
        require_package(package, f"nnintro export --format {name} needs {package}", "export")
