"""The file formats of ``nnintro export``: their suffixes and packages; knows no torch."""

from __future__ import annotations

import errno
import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from nnintro.errors import CheckpointError, UsageError


@dataclass(frozen=True)
class Format:
    """A kind of file, and the package beside torch that writes and checks it."""

    suffix: str
    package: str | None = None


FORMATS: dict[str, Format] = {
    "onnx": Format(".onnx", "onnx"),
    "torch": Format(".pt2"),
    "safetensors": Format(".safetensors", "safetensors"),
}
_SUFFIXES = {row.suffix: name for name, row in FORMATS.items()}


def choose_format(name: str | None, output: Path | None) -> str:
    """The format that was named, or the one of the output's suffix.

    Raises:
        UsageError: there is no such format or suffix, neither was given, or they contradict.
    """
    if name is not None and name not in FORMATS:
        raise UsageError(f"--format {name}: expected {_either(FORMATS)}")
    suffix = output.suffix.lower() if output is not None else ""
    by_suffix = _SUFFIXES.get(suffix)
    if name is None and by_suffix is None:
        place = "say which --format" if output is None else f"{output}: the suffix names no format"
        endings = _either(_SUFFIXES)
        raise UsageError(f"{place}: {_either(FORMATS)}, or let --output end in {endings}")
    if name is not None and by_suffix not in (None, name):
        raise UsageError(f"{output}: a file of --format {name} does not end in {suffix}")
    return name or by_suffix or ""


def _either(names: dict[str, object] | dict[str, Format] | dict[str, str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


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


def require_place(path: Path) -> None:
    """Tell before any work is done that a file cannot be at ``path``.

    Raises:
        CheckpointError: its folder is not there, or it is a folder itself.
    """
    number = None
    if path.is_dir():
        number = errno.EISDIR
    elif not path.parent.is_dir():
        number = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
    if number is not None:
        raise CheckpointError(f"cannot write {path}: {os.strerror(number)}")
