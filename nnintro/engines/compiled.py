"""The compiled kernel: one compilation for all architectures, kept on disk for the next process."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SOURCES = Path(__file__).with_name("backpropagation")
Say = Callable[[str], None]


class Kernel:
    """``descend`` for numbers of one type, and what it needs around it."""

    def __init__(self, module: ModuleType, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.descend = module.descend
        self.DONE = module.DONE
        self.PARAMETERS_ARE_NOT_FINITE = module.PARAMETERS_ARE_NOT_FINITE

    def is_ready(self) -> None:
        """Note for later processes that the compilation is on disk."""
        with contextlib.suppress(OSError):  # at worst they announce a compilation that is none
            _marker(self.dtype).touch()

    def architecture(
        self, widths: list[int], activations: list[str], loss: str, *, one_hot: bool
    ) -> tuple[Any, ...]:
        """The network and the loss in the kernel's codes."""
        from nnintro.engines.backpropagation import activations as hidden
        from nnintro.engines.backpropagation import losses

        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        sizes = [size for inputs, outputs in pairs for size in (inputs * outputs, outputs)]
        starts = np.cumsum([0, *sizes[:-1]]).reshape(-1, 2)
        codes = np.array([hidden.CODES[name] for name in activations])
        return np.array(widths), codes, starts, losses.CODES[loss], one_hot

    def working_memory(
        self, widths: list[int], rows: int, targets: int, blocks: int
    ) -> tuple[np.ndarray[Any, Any], ...]:
        """Outputs and deltas of every layer, a product, and the targets: of one block of rows."""
        pairs = zip(widths[:-1], widths[1:], strict=True)
        gradient = max(inputs * outputs for inputs, outputs in pairs) if blocks > 1 else 0
        sizes = (rows * sum(widths), rows * sum(widths), max(gradient, rows * max(widths)),
                 rows * targets)  # fmt: skip
        return tuple(np.zeros(size, self.dtype) for size in sizes)


@functools.cache
def _module() -> ModuleType:
    """The kernel's module, its compilations kept where this version of its source has its place."""
    from numba.core import config

    settings: Any = config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(cache_folder())
    try:  # a decorator looks for its folder when it is applied
        from nnintro.engines.backpropagation import descend
    finally:
        settings.CACHE_DIR = before
    return descend


def load_kernel(dtype: np.dtype[Any], say: Say) -> Kernel:
    """The kernel for float32 or float64; ``say`` hears of a compilation that is about to come."""
    if not _marker(dtype).exists():
        often = "each time, for no folder can be written to keep it in" if _is_lost() else "once"
        say(f"compiling the fused engine for {dtype}, {often}: about fifteen seconds")
    return Kernel(_module(), dtype)


def _is_lost() -> bool:
    return cache_folder().parent == Path(tempfile.gettempdir())


def _marker(dtype: np.dtype[Any]) -> Path:
    return cache_folder() / f"{dtype.name}.compiled"


@functools.cache
def cache_folder() -> Path:
    """A folder for this version of the kernel's source; a temporary one where none can be kept.

    numba itself looks at one file's date and would miss a change in the others.
    """
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    name = f"kernel-{digest.hexdigest()[:16]}"
    chosen = os.environ.get("NNINTRO_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(chosen) / name if chosen else Path(home) / "nnintro" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="nnintro-kernel-"))
