"""What machine code calls outside itself, as addresses: a matrix product, and the scheduler."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

NAMES = ("scipy_{}gemm_64_", "scipy_{}gemm_", "{}gemm_64_", "{}gemm_")
"""How builds of OpenBLAS call it.  Sizes may be of 32 or 64 bits: they are told in 64, of which the
lower half comes first."""


def matrix_product(dtype: np.dtype[Any]) -> int:
    """The address of BLAS's sgemm or dgemm: numpy's own, which is loaded already, or scipy's."""
    if sys.byteorder != "little":
        raise AssertionError("sizes of 32 bits are read from numbers of 64")
    letter = {"float32": "s", "float64": "d"}[dtype.name]
    found = [info["filepath"] for info in _blas().info() if info["internal_api"] == "openblas"]
    for path in sorted(found, key=lambda path: ("numpy" not in path, path)):
        library = ctypes.CDLL(path)
        for name in NAMES:
            if hasattr(library, name.format(letter)):
                return _address(getattr(library, name.format(letter)))
    return _of_scipy(f"{letter}gemm")


def _of_scipy(name: str) -> int:
    """For Accelerate, MKL and others: whatever scipy was built with (0.4 s of import)."""
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__[name]
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = pointer_of(capsule, name_of(capsule))
    assert address is not None
    return int(address)


def one_thread() -> contextlib.AbstractContextManager[Any]:
    """While entered, BLAS computes in the thread that calls it: the kernel has its own."""
    limit: contextlib.AbstractContextManager[Any] = _blas().limit(limits=1)
    return limit


@functools.cache
def _blas() -> Any:
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
