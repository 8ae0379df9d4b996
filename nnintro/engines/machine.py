"""Find a BLAS in this process for the kernel, and set its threads and denormal numbers."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

NAMES = ("scipy_{}gemm_64_", "scipy_{}gemm_", "{}gemm_64_", "{}gemm_")
"""How builds of OpenBLAS call it.  Sizes may be of 32 or 64 bits: they are passed as 64, of which
the lower half comes first."""
AMD = ("znver", "bdver", "btver", "amdfam", "barcelona")
"""How LLVM's names of processors begin on which OpenBLAS is faster than MKL (docs/LOG.md)."""


@dataclass(frozen=True)
class Blas:
    """A library's matrix product, chosen by machine and installation: one machine always has the same bits."""

    name: str
    address: int
    """Of Fortran's sgemm or dgemm."""
    alone: Callable[[], contextlib.AbstractContextManager[Any]] = lambda: _LIMIT
    """While entered, it computes in the thread that calls it: the kernel has its own."""
    enter_thread: Callable[[], object] = lambda: None
    """To be called once in every other thread that calls it."""


def find_blas(dtype: np.dtype[Any], processor: str) -> Blas:
    """MKL, if torch brought it, on Intel's processors; numpy's OpenBLAS; or whatever scipy has.

    Args:
        processor: LLVM's name of it.
    """
    if sys.byteorder != "little":
        raise AssertionError("sizes of 32 bits are read from numbers of 64")
    letter = {"float32": "s", "float64": "d"}[dtype.name]
    mkl = None if processor.startswith(AMD) else _mkl(letter)
    return mkl or _openblas(letter) or _of_scipy(f"{letter}gemm")


def _mkl(letter: str) -> Blas | None:
    """MKL as a part of torch's own library."""
    path = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    if not path.exists():
        return None
    library = ctypes.CDLL(str(path))
    if not all(hasattr(library, name) for name in (f"{letter}gemm_", "MKL_Set_Num_Threads_Local")):
        return None
    set_threads = library.MKL_Set_Num_Threads_Local

    @contextlib.contextmanager
    def alone() -> Iterator[None]:
        before = set_threads(1)
        try:
            yield
        finally:
            set_threads(before)

    address = _address(getattr(library, f"{letter}gemm_"))
    return Blas("MKL", address, alone, functools.partial(set_threads, 1))


def _openblas(letter: str) -> Blas | None:
    """numpy's, which is loaded already, or another one that is."""
    paths = [info["filepath"] for info in _pools().info() if info["internal_api"] == "openblas"]
    for path in sorted(paths, key=lambda path: ("numpy" not in path, path)):
        library = ctypes.CDLL(path)
        for name in (name.format(letter) for name in NAMES):
            if hasattr(library, name):
                return Blas("OpenBLAS", _address(getattr(library, name)))
    return None


def _of_scipy(name: str) -> Blas:
    """For Accelerate and others: whatever scipy was built with (0.4 s of import)."""
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__[name]
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return Blas("scipy's", int(pointer_of(capsule, name_of(capsule))))


class _Limit:
    """One thread for a library whose number of threads is the whole process's.

    Of several trainings at a time the first to enter sets it, the last to leave sets it back.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._limiter: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limiter = _pools().limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limiter.restore_original_limits()


_LIMIT: contextlib.AbstractContextManager[None] = _Limit()


@functools.cache
def _pools() -> Any:
    return ThreadpoolController().select(user_api="blas")


def give_way() -> int:
    """The address of a function of a number that sleeps: 1 is as short as the system can."""
    if sys.platform == "win32":
        return _address(ctypes.windll.kernel32.Sleep)
    return _address(ctypes.CDLL(None).usleep)


def _address(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


@contextlib.contextmanager
def flushed() -> Iterator[None]:
    """Take denormal numbers for 0 in this thread, meanwhile: arithmetic with them is many times slower."""
    already = bool(np.float32(1e-40) * np.float32(0.5) == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)
